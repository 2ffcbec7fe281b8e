"""Distances and boxes, the awkward places included."""

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kit.geo import EARTH_RADIUS_KM, boxes_around, distance_km

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_is_symmetric_and_bounded(lat1: float, lng1: float, lat2: float, lng2: float) -> None:
    there, back = distance_km(lat1, lng1, lat2, lng2), distance_km(lat2, lng2, lat1, lng1)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= pi * EARTH_RADIUS_KM + 1e-6


def test_riga_to_tallinn_is_as_the_map_says() -> None:
    assert distance_km(56.9496, 24.1052, 59.4370, 24.7536) == pytest.approx(279, abs=1)


@given(latitudes, longitudes, latitudes, longitudes, st.floats(0, 20_100))
def test_no_point_within_the_radius_is_outside_the_boxes(
    lat: float, lng: float, other_lat: float, other_lng: float, radius: float
) -> None:
    if distance_km(lat, lng, other_lat, other_lng) > radius - 1e-6:
        return
    slack = 1e-9
    assert any(
        box.south - slack <= other_lat <= box.north + slack and box.west - slack <= other_lng <= box.east + slack
        for box in boxes_around(lat, lng, radius)
    )


@pytest.mark.parametrize(("lng", "boxes"), [(0, 1), (179.99, 2), (-179.99, 2)])
def test_the_antimeridian_takes_two_boxes(lng: float, boxes: int) -> None:
    assert len(boxes_around(0, lng, 10)) == boxes


def test_a_circle_over_a_pole_holds_every_longitude() -> None:
    assert [(box.west, box.east) for box in boxes_around(89.99, 10, 50)] == [(-180, 180)]
