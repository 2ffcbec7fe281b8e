"""Pictures from strangers: recognised by content, decoded whole, and made anew from their pixels.

Nothing of the file itself is kept: no EXIF, GPS, XMP, profiles, comments, nor bytes behind the end. How the camera
was held and what its colours mean is used first.

Apart from the rooms: it judges and makes bytes, without tables.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from math import ceil
from threading import BoundedSemaphore

from PIL import Image as Pillow
from PIL import PngImagePlugin, UnidentifiedImageError
from PIL.Image import DecompressionBombError, Quantize, Transpose
from pillow_heif import register_heif_opener

from marketplace.kit.errors import Busy, Invalid, Problem
from marketplace.uploads import avif_decoder, file_types, jpeg_markers
from marketplace.uploads.color_profiles import ToSrgb, conversion

MAX_PIXELS = 40_000_000
MAX_SIDE = 4096
LONGEST_SIDE = 20_000
THUMBNAILS = {"small": 160, "medium": 480, "large": 1080}
MAX_FRAMES = 200
# Every frame of an animation is in memory at once, and its canvas up to ten times.
MAX_ANIMATED_PIXELS = 16_000_000
MAX_CANVAS_PIXELS = 2_100_000
# libjpeg keeps every coefficient of a picture that comes in several scans, 2 bytes each.
MAX_PROGRESSIVE_PIXELS = 16_000_000
# Each scan costs a pass over the whole picture, however few bytes it has; real files have about ten.
MAX_SCANS = 64
# The WebP decoder keeps several copies of the whole canvas; a photograph of 12 megapixels still fits.
MAX_WEBP_PIXELS = 12_500_000
MAX_WEBP_SIDE = 2048  # and its encoder as many again
# Their decoders hold the picture twice; a photograph of 24 megapixels, which telephones take, still fits.
MAX_HEIF_PIXELS = 25_000_000
LARGE_PIXELS = 4_000_000
AT_ONCE = 2
PATIENCE = 20  # seconds
STRIP_PIXELS = 2_000_000
EXIF_ORIENTATION = 0x0112
TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
FORMATS = {"PNG": ("png", {}), "JPEG": ("jpg", {"quality": 85}), "GIF": ("gif", {}), "WEBP": ("webp", {"quality": 85})}
READ = (*FORMATS, "HEIF", "AVIF")  # JPEGs of several frames are opened as such and then called MPO
READABLE = "PNG, JPEG, GIF, WebP, HEIC and AVIF"
# What Pillow's decoders raise for damaged files, by trying thousands of them.
DAMAGE = (
    *(OSError, ValueError, SyntaxError, TypeError, LookupError, EOFError, ArithmeticError),
    *(struct.error, zlib.error, MemoryError, AttributeError, RuntimeError),
)


PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 1_000_000  # texts are not kept anyway
register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
_large_ones = BoundedSemaphore(AT_ONCE)
warnings.filterwarnings("ignore", module=r"PIL\.")  # damaged files are told by our own errors


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as it is stored; width and height in pixels."""

    data: bytes
    content_type: str
    extension: str
    width: int
    height: int


class NotAnImage(Problem):
    """415: another type, whatever its name says."""

    status = 415
    code = "unsupported_file"
    sentence = f"Pictures are read as {READABLE}."

    @classmethod
    def of(cls, data: bytes, taken: str = "pictures") -> "NotAnImage":
        """With a sentence that names the type, where it is known."""
        known = file_types.name_of(data)
        begins = f"This is {known}, which is not taken here." if known else "This is no file that is taken here."
        return cls(f"{begins} Send {taken}: {READABLE}.")


class BrokenImage(Invalid):
    """422: a picture that cannot be decoded to its end."""

    code = "broken_image"

    def __init__(self) -> None:
        sentence = "This picture is damaged or did not come through whole. Send it again."
        super().__init__(sentence, errors={"file": [sentence]})


class TooManyPixels(Invalid):
    """422: more pixels or a longer side than its format may have."""

    code = "too_many_pixels"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, errors={"file": [sentence]})


def clean(data: bytes) -> Image:
    """The picture made anew; raises NotAnImage (415), BrokenImage or TooManyPixels (422)."""
    with _damage_told(), _opened(data) as source:
        _refuse_large(source, data)
        kind = source.format or ""
        with _room_for(source):
            if kind in {"GIF", "WEBP"} and getattr(source, "is_animated", False):
                return _animation(source, kind)
            if kind in {"JPEG", "MPO"} and not jpeg_markers.has_end(data):
                return _still(jpeg_markers.with_end(data), kind)
            return _still(avif_decoder.as_png(data), kind) if kind == "AVIF" else _made_anew(source, kind)


def _still(data: bytes, kind: str) -> Image:
    with _opened(data) as source:
        return _made_anew(source, kind)


def _made_anew(source: Pillow.Image, kind: str) -> Image:
    """The first frame, or the file's main one, re-encoded."""
    picture = _upright(_shrunk(source), _orientation(source))
    if kind not in FORMATS:  # read, and kept in a format that every browser shows
        kind = "WEBP" if picture.mode == "RGBA" else "JPEG"
    return _stored(picture, kind)


def thumbnails(data: bytes) -> dict[str, bytes]:
    """WebP bytes by size, of a picture that was made by `clean`; never larger than the picture itself."""
    with _damage_told(), _opened(data) as source:
        _refuse_large(source, data)
        picture = _shrunk(source)
    made: dict[str, bytes] = {}
    for name, side in sorted(THUMBNAILS.items(), key=lambda item: -item[1]):
        picture.thumbnail((side, side), reducing_gap=3.0)
        made[name] = _encoded(picture, "WEBP", quality=80)
    return made


@contextmanager
def _opened(data: bytes) -> Iterator[Pillow.Image]:
    try:
        source = Pillow.open(BytesIO(data), formats=READ)
    except UnidentifiedImageError:
        raise (BrokenImage() if file_types.is_picture_read(data) else NotAnImage.of(data)) from None
    with source:
        yield source


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except DecompressionBombError:
        raise _too_many(MAX_PIXELS) from None
    except DAMAGE:
        raise BrokenImage() from None


@contextmanager
def _room_for(source: Pillow.Image) -> Iterator[None]:
    """At most two large pictures at once, for the sake of memory; small ones do not wait. Raises Busy (503)."""
    if not _may_be_large(source):
        yield
        return
    if not _large_ones.acquire(timeout=PATIENCE):
        raise Busy("Many large pictures are coming in. Try again in a moment.")
    try:
        yield
    finally:
        _large_ones.release()


def _may_be_large(source: Pillow.Image) -> bool:
    """Whether decoding may take much memory: the coded HEIC and AVIF picture may be far larger than its header says."""
    is_large = source.width * source.height >= LARGE_PIXELS or getattr(source, "is_animated", False)
    return is_large or source.format in {"HEIF", "AVIF"}


def _refuse_large(source: Pillow.Image, data: bytes) -> None:
    """Raises TooManyPixels (422) by the header, before anything is decoded."""
    of_jpeg = _most_of_jpeg(data)
    most = {
        "WEBP": MAX_WEBP_PIXELS,
        "JPEG": of_jpeg,
        "MPO": of_jpeg,
        "HEIF": MAX_HEIF_PIXELS,
        "AVIF": MAX_HEIF_PIXELS,
    }.get(source.format or "", MAX_PIXELS)
    across, down = _extent(source)
    if across * down > most or max(across, down) > LONGEST_SIDE:
        raise _too_many(most)


def _extent(source: Pillow.Image) -> tuple[int, int]:
    """Width and height of the canvas, or of a GIF's first frame where that is larger."""
    tiles = getattr(source, "tile", None) or [("", (0, 0, 0, 0))]
    _, _, right, bottom = tiles[0][1] or (0, 0, 0, 0)
    return max(source.width, right), max(source.height, bottom)


def _most_of_jpeg(data: bytes) -> int:
    scans = jpeg_markers.scans(data) if data.startswith(b"\xff\xd8") else 0
    if scans > MAX_SCANS:
        raise TooManyPixels("This picture comes in too many passes. Save it again as a plain JPEG.")
    return MAX_PROGRESSIVE_PIXELS if scans > 1 else MAX_PIXELS


def _too_many(most: int) -> TooManyPixels:
    return TooManyPixels(f"This picture has too many pixels: {most // 1_000_000} million at most.")


def _shrunk(source: Pillow.Image) -> Pillow.Image:
    """RGB or RGBA with no side longer than MAX_SIDE, made strip by strip so that the large one is never copied
    whole."""
    source.load()
    longest = MAX_WEBP_SIDE if source.format == "WEBP" else MAX_SIDE
    mode, factor = _plain_mode(source), max(1, ceil(max(source.size) / longest))
    colours = conversion(source)
    small = Pillow.new(mode, (ceil(source.width / factor), ceil(source.height / factor)))
    step = max(1, STRIP_PIXELS // source.width // factor) * factor
    for top in range(0, source.height, step):
        strip = source.crop((0, top, source.width, min(top + step, source.height)))
        strip = strip if strip.mode == mode and colours is None else _converted(strip, mode, colours)
        small.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    return small


def _plain_mode(source: Pillow.Image) -> str:
    return "RGBA" if source.has_transparency_data else "RGB"


def _converted(strip: Pillow.Image, mode: str, colours: ToSrgb | None) -> Pillow.Image:
    """The strip in this mode; 16-bit grey is scaled to 8, as convert() alone would clip it to white."""
    if strip.mode.startswith("I"):
        strip = strip.point(lambda value: value / 256).convert("L")
    return (strip if colours is None else colours.apply(strip)).convert(mode)


def _orientation(source: Pillow.Image) -> int:
    try:
        return int(source.getexif().get(EXIF_ORIENTATION, 1))
    except DAMAGE:
        return 1


def _upright(picture: Pillow.Image, orientation: int) -> Pillow.Image:
    turn = TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _animation(source: Pillow.Image, kind: str) -> Image:
    frames = getattr(source, "n_frames", 1)
    pixels = source.width * source.height
    if frames > MAX_FRAMES or pixels > MAX_CANVAS_PIXELS or frames * pixels > MAX_ANIMATED_PIXELS:
        raise TooManyPixels(f"This animation is too long or too large: {MAX_FRAMES} pictures at most.")
    durations, pictures = [], []
    for picture in islice(_frames(source), MAX_FRAMES):
        durations.append(int(source.info.get("duration", 100)) or 100)
        pictures.append(picture)
    how = {"loop": int(source.info["loop"])} if "loop" in source.info else {}
    if kind == "GIF":
        pictures, how["disposal"] = [_with_palette(picture) for picture in pictures], 2
    return _stored(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=durations, **how)


def _frames(source: Pillow.Image) -> Iterator[Pillow.Image]:
    for index in range(getattr(source, "n_frames", 1)):
        source.seek(index)
        yield _shrunk(source)


def _stored(picture: Pillow.Image, kind: str, **how: object) -> Image:
    extension, usual = FORMATS[kind]
    if kind == "JPEG" and picture.mode != "RGB":
        picture = picture.convert("RGB")
    if kind == "GIF":
        picture = _with_palette(picture)
    data = _encoded(picture, kind, **usual, **how)
    return Image(data, Pillow.MIME[kind], extension, picture.width, picture.height)


def _with_palette(picture: Pillow.Image) -> Pillow.Image:
    """At most 256 colours, the last one for what is more than half transparent."""
    if picture.mode == "P":
        return picture
    if picture.mode != "RGBA":
        return picture.quantize(256, Quantize.MEDIANCUT)
    holes = picture.getchannel("A").point([255] * 128 + [0] * 128)
    made = picture.convert("RGB").quantize(255, Quantize.MEDIANCUT)
    made.paste(255, (0, 0, *made.size), holes)
    made.info["transparency"] = 255
    return made


def _encoded(picture: Pillow.Image, kind: str, **how: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()
