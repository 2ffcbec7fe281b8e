"""Pictures made when they are needed."""

import struct
from io import BytesIO
from typing import Any

from PIL import Image
from pillow_heif import register_heif_opener

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    """One colour, in a format of Pillow's name."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def noise(kind: str, size: tuple[int, int] = (200, 200), **how: Any) -> bytes:
    """Something different in every pixel."""
    out = BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, kind, **how)
    return out.getvalue()


def wide_gamut(kind: str, colour: tuple[int, ...], mode: str = "RGB", **how: Any) -> bytes:
    """One colour of the space that Apple's telephones write."""
    register_heif_opener()
    out = BytesIO()
    Image.new(mode, (64, 48), colour).save(out, kind, icc_profile=display_p3(), **how)
    return out.getvalue()


def display_p3() -> bytes:
    """An ICC profile (version 2: matrix and gamma 2.2) of its primaries, adapted to D50."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    text = b"Wide\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    tags = {b"desc": described, b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    tags |= {b"rXYZ": xyz(0.51512, 0.2412, -0.00105), b"gXYZ": xyz(0.29198, 0.69225, 0.04189)}
    tags |= {b"bXYZ": xyz(0.1571, 0.06657, 0.78407), b"rTRC": gamma, b"gTRC": gamma, b"bTRC": gamma}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    size = struct.pack(">I", start + len(body))
    head = size + b"\0" * 4 + b"\x02\x40\0\0mntrRGB XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28
    return (head + xyz(0.9642, 1.0, 0.8249)[8:]).ljust(128, b"\0") + table + body
