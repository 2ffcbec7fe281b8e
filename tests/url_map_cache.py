"""Applications of the tests have the same addresses: what Werkzeug compiles for the first serves them all.

It is most of what an application costs, and the tests make hundreds. Werkzeug has no public way to keep it; a version
without this method fails here at once.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_compile: Callable[..., Any] = Rule._compile_builder
_compiled: dict[Any, Any] = {}


def _remembered(rule: Any, append_unknown: bool = True) -> Any:
    """The function depends on these alone, and takes the rule as its first argument."""
    key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


Rule._compile_builder = _remembered  # type: ignore[method-assign]
