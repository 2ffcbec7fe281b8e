"""Icons as masks, drawn from the shapes of `data/icons.toml`. Not a room of a slice: it is the reader of one file."""

from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image, ImageDraw

from marketplace.demo_data.dataset import read

GRID = 24
FINE = 2  # drawn so many times as large and reduced, which makes the edges smooth


@cache
def mask(name: str, side: int) -> Image.Image:
    """A square of so many pixels, white where the icon is; raises KeyError for one that is not in the file."""
    scale = side * FINE / GRID
    large = Image.new("L", (side * FINE, side * FINE))
    draw = ImageDraw.Draw(large)
    for shape in _file()["icons"][name]:
        _draw(draw, shape.split(), scale)
    return large.reduce(FINE)


def icon_of(category: str) -> str:
    """What stands for a category; raises KeyError for one that is not in the file."""
    return str(_file()["categories"][category])


@cache
def _file() -> dict[str, Any]:
    return read("icons")


def _draw(draw: ImageDraw.ImageDraw, words: list[str], scale: float) -> None:
    fill = 255
    if words[0] == "cut":
        fill, words = 0, words[1:]
    SHAPES[words[0]](draw, [float(word) * scale for word in words[1:]], fill, scale)


def _box(draw: ImageDraw.ImageDraw, at: list[float], fill: int, _: float) -> None:
    left, top, right, bottom, *radius = at
    draw.rounded_rectangle((left, top, right, bottom), radius=radius[0] if radius else 0, fill=fill)


def _oval(draw: ImageDraw.ImageDraw, at: list[float], fill: int, _: float) -> None:
    draw.ellipse(tuple(at), fill=fill)


def _disc(draw: ImageDraw.ImageDraw, at: list[float], fill: int, _: float) -> None:
    draw.ellipse(_around(*at), fill=fill)


def _ring(draw: ImageDraw.ImageDraw, at: list[float], fill: int, _: float) -> None:
    x, y, radius, width = at
    draw.ellipse(_around(x, y, radius), outline=fill, width=round(width))


def _arc(draw: ImageDraw.ImageDraw, at: list[float], fill: int, scale: float) -> None:
    x, y, radius, start, end, width = at
    draw.arc(_around(x, y, radius), start / scale, end / scale, fill=fill, width=round(width))


def _pie(draw: ImageDraw.ImageDraw, at: list[float], fill: int, scale: float) -> None:
    x, y, radius, start, end = at
    draw.pieslice(_around(x, y, radius), start / scale, end / scale, fill=fill)


def _line(draw: ImageDraw.ImageDraw, at: list[float], fill: int, _: float) -> None:
    width, *points = at
    draw.line(points, fill=fill, width=round(width), joint="curve")
    for x, y in zip(points[::2], points[1::2], strict=True):
        draw.ellipse(_around(x, y, width / 2), fill=fill)


def _poly(draw: ImageDraw.ImageDraw, at: list[float], fill: int, _: float) -> None:
    draw.polygon(at, fill=fill)


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius


SHAPES: dict[str, Callable[[ImageDraw.ImageDraw, list[float], int, float], None]] = {
    **{"box": _box, "oval": _oval, "disc": _disc, "ring": _ring},
    **{"arc": _arc, "pie": _pie, "line": _line, "poly": _poly},
}
