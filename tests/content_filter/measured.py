"""`python -m tests.content_filter.measured`: precision and recall over the labelled data of set A, and what is found in
ordinary advertisements, haggling and reviews."""

from rich.console import Console
from rich.table import Table

import config
from marketplace.content_filter.detector import KINDS
from tests.content_filter.measuring import rates, scores


def main() -> None:
    """Measure and print."""
    folder = config.ROOT.parent / "shared" / "data" / "A"
    console = Console(width=140, highlight=False)
    if not folder.is_dir():
        console.print("Set A is not here.")
        return
    labels = Table("label", "labelled", "found", "right", "precision", "recall")
    for one in scores(folder):
        numbers = (one.labelled, one.found, one.right)
        labels.add_row(one.label, *map(str, numbers), f"{one.precision:.3f}", f"{one.recall:.3f}")
    console.print(labels)
    ordinary = Table("ordinary texts", "texts", *KINDS)
    for rate in rates(folder):
        ordinary.add_row(rate.name, str(rate.texts), *(str(rate.found.get(kind, 0)) for kind in KINDS))
    console.print(ordinary)


if __name__ == "__main__":
    main()
