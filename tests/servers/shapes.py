"""Whether a request has the shape its documentation gives it, told by a TypedDict.

Stripe's library is generated from Stripe's OpenAPI document and carries one for every request; PayPal's are written
down in `paypal_shapes`.
"""

import re
import sys
from collections.abc import Iterator
from types import UnionType
from typing import Any, ForwardRef, Literal, NotRequired, Required, Union, get_args, get_origin

import typing_extensions

WRAPPERS = {NotRequired, Required, typing_extensions.NotRequired, typing_extensions.Required}
UNIONS = {Union, UnionType}


def complaints(value: Any, shape: Any, *, path: str = "", wire: bool = False) -> list[str]:
    """What is wrong with it, in words; on the `wire` numbers and booleans are text."""
    return list(_wrong(value, shape, sys.modules[shape.__module__].__dict__, path, wire))


def _wrong(value: Any, shape: Any, names: dict[str, Any], path: str, wire: bool) -> Iterator[str]:
    shape = _resolved(shape, names)
    origin, args = get_origin(shape), get_args(shape)
    if shape is Any:
        return
    if typing_extensions.is_typeddict(shape):
        yield from _wrong_fields(value, shape, path, wire)
    elif origin in UNIONS:
        yield from _wrong_for_all(value, _choices(args, names), names, path, wire)
    elif origin is Literal:
        if value not in args:
            yield f"{path}: {value!r} is none of {', '.join(map(repr, args))}"
    elif origin is list:
        yield from _wrong_items(value, args[0], names, path, wire)
    elif origin is dict:
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            yield f"{path}: {value!r} is no object of texts"
    elif not _is_plain(value, shape, wire):
        yield f"{path}: {value!r} is no {getattr(shape, '__name__', shape)}"


def _resolved(shape: Any, names: dict[str, Any]) -> Any:
    if isinstance(shape, ForwardRef):
        shape = shape.__forward_arg__
    if isinstance(shape, str):
        shape = eval(shape, names)
    return _resolved(get_args(shape)[0], names) if get_origin(shape) in WRAPPERS else shape


def _wrong_fields(value: Any, shape: Any, path: str, wire: bool) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no object"
        return
    names = sys.modules[shape.__module__].__dict__
    for name in sorted(shape.__required_keys__ - value.keys()):
        yield f"Missing required param: {path}{name}."
    for name, one in value.items():
        if name in shape.__annotations__:
            yield from _wrong(one, shape.__annotations__[name], names, f"{path}{name}.", wire)
        else:
            yield f"Received unknown parameter: {path}{name}"


def _wrong_items(value: Any, shape: Any, names: dict[str, Any], path: str, wire: bool) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is no list"
        return
    for number, one in enumerate(value):
        yield from _wrong(one, shape, names, f"{path}{number}.", wire)


def _wrong_for_all(value: Any, shapes: list[Any], names: dict[str, Any], path: str, wire: bool) -> Iterator[str]:
    found = [list(_wrong(value, shape, names, path, wire)) for shape in shapes]
    if all(found):
        yield from min(found, key=len)


def _choices(args: tuple[Any, ...], names: dict[str, Any]) -> list[Any]:
    """`Literal[…] | str` is an open enumeration for who reads; who writes is held to the words that are documented."""
    shapes = [_resolved(one, names) for one in args]
    words = [one for one in shapes if get_origin(one) is Literal and get_args(one) != ("",)]
    return [one for one in shapes if not (words and one is str)]


def _is_plain(value: Any, shape: Any, wire: bool) -> bool:
    if not wire:
        return isinstance(value, shape) and not (shape is int and isinstance(value, bool))
    if shape is int:
        return isinstance(value, str) and re.fullmatch(r"-?\d+", value) is not None
    if shape is bool:
        return value in {"true", "false"}
    return isinstance(value, str)
