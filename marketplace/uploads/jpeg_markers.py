"""The markers of a JPEG (ITU-T T.81, annex B), stepped over without decoding anything.

Apart from the rooms: a format, judged by bytes.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from zlib import crc32

from PIL import Image as Pillow

MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # restarts inside a scan left out
SCAN, END = 0xDA, 0xD9
END_MARK = b"\xff\xd9"
FILLERS = (b"\x55" * 64, b"\x2a" * 64)
ROWS = 256  # at a time, as the whole would be held twice


def scans(data: bytes) -> int:
    """Number of scans before the end; segments are skipped, as previews in them have scans of their own."""
    return sum(kind == SCAN for kind in _kinds(data))


def has_end(data: bytes) -> bool:
    """Whether the picture itself has its end marker; one of a preview inside a segment does not count."""
    return END in set(_kinds(data))


def with_end(data: bytes) -> bytes:
    """The bytes with an end marker, if only that is missing; raises ValueError where pixels are missing.

    The decoder fills missing pixels silently. If two different fillers make the same pixels, none were missing.
    """
    data = data.removesuffix(b"\xff")  # half of the mark
    if len({_sum_of_pixels(data + filler + END_MARK) for filler in FILLERS}) > 1:
        raise ValueError("this JPEG ends before its pixels do")
    return data + END_MARK


def _kinds(data: bytes) -> Iterator[int]:
    at = 2
    while found := MARKER.search(data, at):
        kind = found[0][1]
        yield kind
        if kind == END:
            return
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")


def _sum_of_pixels(data: bytes) -> int:
    total = 0
    with Pillow.open(BytesIO(data), formats=("JPEG",)) as picture:
        for top in range(0, picture.height, ROWS):
            rows = picture.crop((0, top, picture.width, min(top + ROWS, picture.height)))
            total = crc32(rows.tobytes(), total)
    return total
