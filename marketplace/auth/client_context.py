"""Where a request comes from: its address, its user agent, and the address' place by GeoIP.

Apart from the rooms: it reads the request and a file, no table, and signing in, codes and passwords all need it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import maxminddb
from flask import request

from marketplace.core.ops import current_settings
from marketplace.core.ops.rule_files import BadFile

LONGEST_DEVICE, LONGEST_ADDRESS = 300, 64


@dataclass(frozen=True, slots=True)
class Place:
    """The client of a request: its address, and its User-Agent header."""

    address: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """The place of an address by GeoIP: ISO country code, degrees of latitude and longitude."""

    country: str
    latitude: float
    longitude: float


def here() -> Place:
    """The client of the present request; X-Forwarded-For is believed for TRUSTED_PROXIES hops."""
    device = request.user_agent.string.replace("\x00", "")[:LONGEST_DEVICE]
    return Place((request.remote_addr or "")[:LONGEST_ADDRESS], device)


def spot_of(address: str) -> Spot | None:
    """From the file GEOIP_DATABASE names (MaxMind's format, such as GeoLite2 City); None without it."""
    atlas = geoip()
    try:
        found: Any = atlas.get(address) if atlas else None
    except ValueError:
        return None
    location = (found or {}).get("location", {})
    if "latitude" not in location or "longitude" not in location:
        return None
    country = found.get("country", {}).get("iso_code", "")
    return Spot(country, float(location["latitude"]), float(location["longitude"]))


def geoip() -> maxminddb.Reader | None:
    """The file GEOIP_DATABASE names, opened; raises BadFile."""
    path = current_settings.text("GEOIP_DATABASE")
    return _reader(path) if path else None


@lru_cache(maxsize=4)
def _reader(path: str) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror or error}.") from None
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise BadFile(f"{path}: this is no MaxMind database: {error}") from None
