"""Points on the earth: distance by Haversine and the boxes that hold a circle."""

from dataclasses import dataclass
from math import asin, cos, degrees, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088  # mean radius R1, IUGG


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of degrees; `west <= east` always, so the antimeridian needs two of them."""

    south: float
    north: float
    west: float
    east: float


def distance_km(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Great-circle distance in km (Haversine; R. W. Sinnott, Sky & Telescope 68, 1984)."""
    half_lat = sin(radians(lat2 - lat1) / 2)
    half_lng = sin(radians(lng2 - lng1) / 2)
    a = half_lat**2 + cos(radians(lat1)) * cos(radians(lat2)) * half_lng**2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, a)))


def boxes_around(lat: float, lng: float, radius_km: float) -> list[Box]:
    """One or two boxes that hold every point within `radius_km`.

    The width is asin(sin(r) / cos(lat)), not r / cos(lat): the circle is widest north of its
    centre (J. P. Matuschek, "Finding points within a distance of a latitude/longitude", 2010).
    """
    reach = radius_km / EARTH_RADIUS_KM
    south, north = lat - degrees(reach), lat + degrees(reach)
    if south <= -90 or north >= 90:
        return [Box(max(south, -90.0), min(north, 90.0), -180.0, 180.0)]
    width = degrees(asin(min(1.0, sin(reach) / cos(radians(lat)))))
    west, east = lng - width, lng + width
    if west < -180:
        return [Box(south, north, west + 360, 180.0), Box(south, north, -180.0, east)]
    if east > 180:
        return [Box(south, north, west, 180.0), Box(south, north, -180.0, east - 360)]
    return [Box(south, north, west, east)]
