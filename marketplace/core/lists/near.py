"""Near a point: conditions on two columns of degrees, and the great-circle distance, on both databases."""

from math import cos, pi, radians, sin
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, bindparam, func, literal, literal_column, or_
from sqlalchemy import type_coerce as typed

from marketplace.kit.geo import EARTH_RADIUS_KM, boxes_around

HALF: ColumnElement[Any] = literal_column("0.5")
ALMOST_ONE: ColumnElement[Any] = literal_column("0.999999999999999")
SIDES = ("south", "north", "west", "east")


def bound(latitude: float, longitude: float, radius: float) -> tuple[dict[str, float], int]:
    """The parameters of the conditions (radius in km) and how many boxes hold the circle: two at the antimeridian."""
    boxes = boxes_around(latitude, longitude, radius)
    binds: dict[str, float] = {
        f"{side}_{index}": getattr(box, side) for index, box in enumerate(boxes) for side in SIDES
    }
    reach = sin(min(radius / EARTH_RADIUS_KM / 2, pi / 2)) ** 2
    place = {"latitude": latitude, "longitude": longitude, "cos_latitude": cos(radians(latitude)), "reach": reach}
    return {**binds, **place}, len(boxes)


def within(lat: ColumnElement[float], lng: ColumnElement[float], boxes: int) -> list[ColumnElement[bool]]:
    """Inside one of the boxes, which an index finds, and of the circle."""
    inside = [_inside(lat, lng, index) for index in range(boxes)]
    return [or_(*inside), _haversine(lat, lng) <= bindparam("reach", type_=Float())]


def distance(lat: ColumnElement[float], lng: ColumnElement[float]) -> ColumnElement[float]:
    """Haversine in km, spelt as kit/geo.py spells it."""
    return typed(literal(2 * EARTH_RADIUS_KM) * func.asin(func.sqrt(_haversine(lat, lng))), Float)


def with_distance(body: dict[str, Any], row: Any) -> dict[str, Any]:
    """What is shown of a row, and how far away it is in km where it was asked for by position."""
    km = getattr(row, "distance", None)
    return body if km is None else {**body, "distance": round(km, 2)}


def _inside(lat: ColumnElement[float], lng: ColumnElement[float], index: int) -> ColumnElement[bool]:
    south, north, west, east = (bindparam(f"{side}_{index}", type_=Float()) for side in SIDES)
    return and_(lat.between(south, north), lng.between(west, east))


def _haversine(lat: ColumnElement[float], lng: ColumnElement[float]) -> ColumnElement[float]:
    """The square of half the chord, 0 to 1; shrunk by 10⁻¹⁵ so that rounding cannot push it past
    1, where asin ends."""
    latitude, longitude = bindparam("latitude", type_=Float()), bindparam("longitude", type_=Float())
    half_lat = func.sin(func.radians(lat - latitude) * HALF)
    half_lng = func.sin(func.radians(lng - longitude) * HALF)
    across = bindparam("cos_latitude", type_=Float()) * func.cos(func.radians(lat))
    return (half_lat * half_lat + across * half_lng * half_lng) * ALMOST_ONE
