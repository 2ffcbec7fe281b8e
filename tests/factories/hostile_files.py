"""Files nobody sends with good intentions, each made when a test needs it."""

import struct
import zlib
from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.factories.pictures import picture

CANARY = b"canary-7f3a9-secret"
SCRIPT = b"<script>alert('canary-7f3a9-secret')</script>"
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes, *extra: bytes) -> bytes:
    """A grey PNG whose header may say anything."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG_HEAD + header + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def bomb_by_header() -> bytes:
    """50,000 × 50,000 pixels in a hundred bytes."""
    return png(50_000, 50_000, zlib.compress(b"\0" * 100))


def bomb_by_stream() -> bytes:
    """A small picture whose compressed stream grows to 400 MB."""
    packer = zlib.compressobj(9)
    zeros = b"\0" * (1 << 20)
    return png(16, 16, b"".join(packer.compress(zeros) for _ in range(400)) + packer.flush())


def bomb_in_a_comment() -> bytes:
    """A compressed text chunk that grows to 200 MB."""
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 200_000_000, 9))
    return png(1, 1, zlib.compress(b"\0\0"), text)


def many_zipped_texts() -> bytes:
    """Sixty text chunks, each of which grows to a megabyte."""
    text = chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(b"x" * 1_000_000, 9))
    return png(1, 1, zlib.compress(b"\0\0"), *[text] * 60)


def gif_beyond_its_canvas() -> bytes:
    """A canvas of one pixel, and on it a picture of 18,000 × 18,000."""
    tiny = bytearray(picture("GIF", (1, 1)))
    start = tiny.index(b"\x2c")
    tiny[start + 5 : start + 9] = struct.pack("<HH", 18_000, 18_000)
    return bytes(tiny)


def bomb_gif() -> bytes:
    """A canvas of 65,535 × 65,535 with a one-pixel picture on it."""
    tiny = bytearray(picture("GIF", (1, 1)))
    tiny[6:10] = struct.pack("<HH", 65_535, 65_535)
    return bytes(tiny)


def endless_gif(frames: int = 10_000) -> bytes:
    """Very many pictures of one pixel."""
    one = picture("GIF", (1, 1))
    start = one.index(b"\x2c")
    return one[:start] + one[start:-1] * frames + b"\x3b"


def with_gps() -> bytes:
    """A photograph that knows where it was taken, by whom, and turned on its side."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B] = 6, CANARY.decode(), CANARY.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (56.0, 57.0, 1.5), 3: "E", 4: (24.0, 6.0, 2.5), 29: CANARY.decode()})
    out = BytesIO()
    image = Image.new("RGB", (40, 20), (0, 120, 0))
    image.save(out, "JPEG", exif=exif, comment=CANARY, icc_profile=CANARY * 4, xmp=b"<x:xmpmeta>" + CANARY)
    return out.getvalue()


def with_texts() -> bytes:
    """A PNG with text of every kind."""
    info = PngInfo()
    info.add_text("Author", CANARY.decode())
    info.add_itxt("XML:com.adobe.xmp", CANARY.decode())
    info.add_text("Long", CANARY.decode() * 50, zip=False)
    out = BytesIO()
    Image.new("RGBA", (20, 20), (1, 2, 3, 90)).save(out, "PNG", pnginfo=info, icc_profile=CANARY * 3)
    return out.getvalue()


def webp_with_exif() -> bytes:
    """A WebP with EXIF and XMP."""
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()
    out = BytesIO()
    Image.new("RGB", (20, 20)).save(out, "WEBP", exif=exif, xmp=CANARY)
    return out.getvalue()


def polyglots() -> dict[str, bytes]:
    """Pictures that are something else as well."""
    gif = bytearray(picture("GIF", (8, 8)))
    return {
        "jpeg and html": picture("JPEG") + SCRIPT,
        "png and zip": picture("PNG") + b"PK\x03\x04" + CANARY + b"PK\x05\x06" + b"\0" * 18,
        "gif and javascript": bytes(gif) + b"/*" + CANARY + b"*/=1;alert(1)",
        "jpeg with php in a comment": _jpeg_with_comment(b"<?php echo '" + CANARY + b"'; ?>"),
        "webp and html": picture("WEBP") + SCRIPT,
    }


def no_pictures() -> dict[str, bytes]:
    """What only its name calls a picture."""
    tiff, bmp, ico = BytesIO(), BytesIO(), BytesIO()
    Image.new("RGB", (4, 4)).save(tiff, "TIFF")
    Image.new("RGB", (4, 4)).save(bmp, "BMP")
    Image.new("RGB", (16, 16)).save(ico, "ICO")
    return {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
        "html": b"<!doctype html>" + SCRIPT,
        "html behind a gif's name": b"GIF89a" + SCRIPT,
        "pdf": b"%PDF-1.4\n%%EOF",
        "tiff": tiff.getvalue(),
        "bmp": bmp.getvalue(),
        "ico": ico.getvalue(),
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "php": b"<?php system($_GET['c']); ?>",
        "one byte": b"\xff",
        "zeros": bytes(1000),
        "a png's head alone": PNG_HEAD,
        "no size": png(0, 0, zlib.compress(b"")),
    }


def _jpeg_with_comment(comment: bytes) -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", comment=comment)
    return out.getvalue()
