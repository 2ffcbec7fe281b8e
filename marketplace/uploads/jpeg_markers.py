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
    """How many come before the end; segments are stepped over, as previews have scans of their own."""
    return sum(kind == SCAN for kind in _kinds(data))


def has_end(data: bytes) -> bool:
    """Whether the picture itself ends by its mark; what previews say inside their segment does not count."""
    return END in set(_kinds(data))


def with_end(data: bytes) -> bytes:
    """The same with the end mark, if that is all it lacks; raises ValueError where pixels are missing.

    The decoder fills what is missing without a word. If two fillers make the same pixels, none were.
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
