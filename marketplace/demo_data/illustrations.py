"""Pictures drawn by this program from a title and an icon; the same input is the same bytes. Not a room of a slice:
pure drawing."""

import unicodedata
from colorsys import hls_to_rgb
from functools import cache
from io import BytesIO
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont

from marketplace.demo_data import icons

SIZE = (640, 480)
PORTRAIT = (320, 320)
ICON = 240
TINY = 12  # the background is drawn this many times smaller: it is soft anyway
HUES = (4, 24, 40, 88, 140, 168, 190, 208, 226, 252, 284, 326)
# The font that comes with Pillow has the letters of English only.
CYRILLIC = dict(zip("АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЭЮЯ", "ABVGDEZZIJKLMNOPRSTUFHCCSSEJJ", strict=True))
WHITE, SHADE = (255, 255, 255), (20, 24, 40)
Colour = tuple[int, int, int]


def illustration(title: str, icon: str, category: str) -> bytes:
    """A JPEG for something on offer: things of one category share their colours."""
    chance = Random(f"picture:{title}")
    picture = _background(SIZE, Random(f"hue:{category}").choice(HUES), chance)
    corner = ((SIZE[0] - ICON) // 2, (SIZE[1] - ICON) // 2 - 12)
    mask = icons.mask(icon, ICON)
    picture.paste(SHADE, (corner[0], corner[1] + 6), _faint(mask, 60))
    picture.paste(WHITE, corner, mask)
    _label(picture, initials(title))
    return _jpeg(picture)


def portrait(name: str) -> bytes:
    """A JPEG for somebody: their initials."""
    chance = Random(f"portrait:{name}")
    picture = _background(PORTRAIT, chance.choice(HUES), chance)
    middle, font = (PORTRAIT[0] // 2, PORTRAIT[1] // 2), _font(132)
    ImageDraw.Draw(picture).text(middle, initials(name), fill=WHITE, font=font, anchor="mm")
    return _jpeg(picture)


def initials(title: str) -> str:
    """Of the first two words, in letters that the font has: "Двухъярусная кровать" → "DK"."""
    letters = [letter for word in title.split() if (letter := _plain(word))]
    return "".join(letters[:2])


def _plain(word: str) -> str:
    first = next((sign for sign in word.upper() if sign.isalpha()), "")
    base = unicodedata.normalize("NFD", first)[:1]
    letter = CYRILLIC.get(base, base)
    return letter if letter.isascii() else ""


def _background(size: tuple[int, int], hue: int, chance: Random) -> Image.Image:
    """From one tone to a second nearby, with two large discs that are a little lighter."""
    near = hue + chance.choice((-28, 28))
    width, height = size[0] // TINY, size[1] // TINY
    slope = Image.linear_gradient("L").resize((width, height))
    if chance.random() < 0.5:
        slope = ImageChops.blend(slope, slope.rotate(180), 0.25)
    tones = (Image.new("RGB", (width, height), _tone(hue, 0.62)), Image.new("RGB", (width, height), _tone(near, 0.44)))
    picture = Image.composite(tones[1], tones[0], slope).resize(size, Image.Resampling.BICUBIC)
    for share in (0.55, 0.34):
        radius = int(size[0] * share * chance.uniform(0.8, 1.1))
        x, y = (int(side * chance.uniform(0.05, 0.95)) for side in size)
        picture.paste(WHITE, (x - radius, y - radius), _disc(radius // 16 * 16))
    return picture


@cache
def _disc(radius: int) -> Image.Image:
    """A mask that is a ninth opaque."""
    disc = Image.new("L", (radius * 4, radius * 4))
    ImageDraw.Draw(disc).ellipse((0, 0, radius * 4 - 1, radius * 4 - 1), fill=28)
    return disc.reduce(2)


def _tone(hue: int, lightness: float) -> Colour:
    red, green, blue = hls_to_rgb(hue % 360 / 360, lightness, 0.48)
    return round(red * 255), round(green * 255), round(blue * 255)


def _label(picture: Image.Image, text: str) -> None:
    """The initials, small in a corner."""
    x, y = 72, picture.height - 64
    mask = icons.mask("label", 84)
    picture.paste(SHADE, (x - 42, y - 42), _faint(mask, 90))
    ImageDraw.Draw(picture).text((x, y), text, fill=WHITE, font=_font(32), anchor="mm")


def _faint(mask: Image.Image, strength: int) -> Image.Image:
    return mask.point(lambda value: value * strength // 255)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()
