"""A library that most processes never need, imported where it is used first.

The one exception to "imports stand on top". Written at module level, in place of the import, where a gateway begins:

    if TYPE_CHECKING:
        import alembic.script as alembic_script
    else:
        alembic_script = lazy_module("alembic.script")

tests/architecture/test_imports.py lists which libraries are imported so, and that starting needs none of them.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Has what the module has; the first attribute that is asked for imports it (once: Python locks the import)."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def lazy_module(name: str) -> ModuleType:
    """The module by its full name; raises ModuleNotFoundError now, not at first use, where it is not installed."""
    package = name.partition(".")[0]
    if package not in sys.modules and find_spec(package) is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    return LazyModule(name)


@contextmanager
def not_installed(*packages: str) -> Iterator[None]:
    """Imports in here find none of these packages, unless they are loaded already: a library goes on without what
    it needs for abilities that nobody uses."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None makes the import fail
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
