"""Whatever is sent: a picture made anew, or one of three refusals; and the machine keeps its memory."""

import subprocess
import sys
from contextlib import suppress
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pillow_heif import register_heif_opener

import config
from marketplace.kit.errors import Problem
from marketplace.uploads.images import BrokenImage, NotAnImage, TooManyPixels, clean, thumbnails
from tests.factories import hostile_files as hostile
from tests.factories.pictures import picture

KINDS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}


def opened(data: bytes) -> Image.Image:
    """As a browser would see it."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_keeps_its_kind_size_and_colour(kind: str) -> None:
    made = clean(picture(kind, (64, 48), (200, 30, 30)))
    assert (made.extension, made.width, made.height) == (KINDS[kind], 64, 48)
    red, green, blue = opened(made.data).convert("RGB").getpixel((30, 20))
    assert (red > 180, green < 50, blue < 50) == (True, True, True)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_way_to_store_a_pixel_is_understood(mode: str) -> None:
    out = BytesIO()
    Image.new(mode, (10, 10), 200 if mode != "I;16" else 60_000).save(out, "JPEG" if mode == "CMYK" else "PNG")
    made = clean(out.getvalue())
    assert (made.width, made.height) == (10, 10)


def test_sixteen_bits_of_grey_stay_grey() -> None:
    out = BytesIO()
    Image.new("I;16", (10, 10), 32_768).save(out, "PNG")
    assert opened(clean(out.getvalue()).data).convert("L").getpixel((5, 5)) in range(120, 137)


def test_transparency_stays() -> None:
    out = BytesIO()
    Image.new("RGBA", (10, 10), (9, 9, 9, 0)).save(out, "PNG")
    assert opened(clean(out.getvalue()).data).getpixel((5, 5))[3] == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_as_its_camera_was_held(orientation: int) -> None:
    source = Image.new("RGB", (80, 40), (255, 255, 255))
    source.paste((255, 0, 0), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = BytesIO()
    source.save(out, "JPEG", exif=exif, quality=95)
    made = opened(clean(out.getvalue()).data)

    assert made.size == ((80, 40) if orientation < 5 else (40, 80))
    right, bottom = made.width - 5, made.height - 5
    corners = {1: (5, 5), 2: (right, 5), 3: (right, bottom), 4: (5, bottom)}
    corners |= {5: (5, 5), 6: (right, 5), 7: (right, bottom), 8: (5, bottom)}
    red, green, _ = made.getpixel(corners[orientation])
    assert red > 200
    assert green < 80


@pytest.mark.parametrize("make", [hostile.with_gps, hostile.with_texts, hostile.webp_with_exif])
def test_nothing_it_knew_is_left(make: object) -> None:
    source = make()  # type: ignore[operator]
    assert hostile.CANARY in source
    made = clean(source).data
    assert hostile.CANARY not in made
    assert not any(mark in made for mark in (b"Exif", b"GPS", b"xmp", b"XMP", b"ICC", b"iCCP", b"tEXt", b"iTXt"))
    assert dict(opened(made).getexif()) == {}


@pytest.mark.parametrize("name", sorted(hostile.polyglots()))
def test_a_polyglot_is_only_a_picture_afterwards(name: str) -> None:
    source = hostile.polyglots()[name]
    assert hostile.CANARY in source
    assert hostile.CANARY not in clean(source).data


@pytest.mark.parametrize("name", sorted(hostile.no_pictures()))
def test_what_is_no_picture_is_refused_whatever_its_name(name: str) -> None:
    with pytest.raises((NotAnImage, BrokenImage)):
        clean(hostile.no_pictures()[name])


@pytest.mark.parametrize("make", [hostile.bomb_by_header, hostile.bomb_gif])
def test_too_many_pixels_are_refused_before_they_are_decoded(make: object) -> None:
    with pytest.raises(TooManyPixels):
        clean(make())  # type: ignore[operator]


def test_a_text_that_grows_is_refused() -> None:
    with pytest.raises(Problem):
        clean(hostile.bomb_in_a_comment())


def test_a_jpeg_of_a_thousand_passes_is_refused() -> None:
    out = BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    start = data.rindex(b"\xff\xda")
    with pytest.raises(TooManyPixels, match="passes"):
        clean(data[:start] + data[start:-2] * 1000 + data[-2:])


def test_an_animation_stays_one_and_an_endless_one_is_refused() -> None:
    out = BytesIO()
    frames = [Image.new("RGB", (30, 20), (step * 60, 0, 0)) for step in range(4)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=[50, 60, 70, 80], loop=0)
    made = opened(clean(out.getvalue()).data)
    assert made.n_frames == 4
    with pytest.raises(TooManyPixels):
        clean(hostile.endless_gif())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_half_a_picture_is_refused(kind: str, share: float) -> None:
    out = BytesIO()
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    noise.save(out, kind)
    with pytest.raises((BrokenImage, NotAnImage)):
        clean(out.getvalue()[: int(len(out.getvalue()) * share)])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(KINDS)), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12))
def test_damage_never_becomes_an_error_of_ours(kind: str, flips: list[tuple[float, int]]) -> None:
    data = bytearray(picture(kind, (20, 20)))
    for place, value in flips:
        data[int(place * (len(data) - 1))] = value
    with suppress(NotAnImage, BrokenImage, TooManyPixels):
        assert clean(bytes(data)).data


def test_thumbnails_are_smaller_never_larger_and_webp() -> None:
    made = thumbnails(clean(picture("JPEG", (2000, 1000))).data)
    sizes = {name: opened(data).size for name, data in made.items()}
    assert sizes == {"large": (1080, 540), "medium": (480, 240), "small": (160, 80)}
    assert {opened(data).format for data in made.values()} == {"WEBP"}
    assert {opened(data).size for data in thumbnails(picture("PNG", (50, 40))).values()} == {(50, 40)}
    assert all(small < large for small, large in pairwise(sorted(len(data) for data in made.values())))


def test_a_large_picture_is_scaled_down() -> None:
    made = clean(picture("JPEG", (6000, 2000)))
    assert max(made.width, made.height) <= 4096
    assert made.width == made.height * 3


GROWTH = """
import sys
from tests.uploads.peak import growth_of
from PIL import Image
from marketplace.uploads import images
from tests.factories import hostile_files, pictures
data = eval(sys.argv[1])
images.clean(pictures.picture())
print(growth_of(lambda: images.clean(data)))
"""
LARGEST = {
    "a bomb by its header": "hostile_files.bomb_by_header()",
    "a bomb by its stream": "hostile_files.bomb_by_stream()",
    "an endless animation": "hostile_files.endless_gif()",
    "sixty zipped texts": "hostile_files.many_zipped_texts()",
    "a picture larger than its canvas": "hostile_files.gif_beyond_its_canvas()",
}


MADE = {
    "a photograph of 40 megapixels": ("RGB", "JPEG", (7300, 5470), {}),
    "the largest progressive photograph": ("RGB", "JPEG", (4000, 3990), {"progressive": True}),
    "a transparent picture of 40 megapixels": ("RGBA", "PNG", (7300, 5470), {}),
    "a very wide one": ("RGBA", "PNG", (19_900, 2000), {}),
    "the largest WebP": ("RGBA", "WEBP", (3500, 3500), {}),
    "the largest HEIC": ("L", "HEIF", (5712, 4284), {}),
}


@pytest.mark.parametrize("name", [*LARGEST, *MADE])
def test_no_picture_takes_300_megabytes(name: str, tmp_path: object) -> None:
    file = f"{tmp_path}/large"
    register_heif_opener()
    if name in MADE:
        mode, kind, size, how = MADE[name]
        Image.new(mode, size).save(file, kind, **how)
    script = LARGEST.get(name, f"open('{file}', 'rb').read()")
    grown = subprocess.run(
        [sys.executable, "-c", GROWTH, script], cwd=config.ROOT, capture_output=True, text=True, check=True
    )
    assert int(grown.stdout) < 300


def test_a_preview_or_a_video_behind_a_photograph_does_not_count_as_passes() -> None:
    out = BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG", exif=b"Exif\0\0" + b"\xff\xda" * 100)
    assert clean(out.getvalue() + b"\xff\xda" * 100).width == 64


def test_a_gif_keeps_its_colours_holes_and_ending() -> None:
    out = BytesIO()
    source = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    source.paste((250, 120, 10, 255), (4, 4, 12, 12))
    source.save(out, "GIF")
    made = opened(clean(out.getvalue()).data).convert("RGBA")
    assert (made.getpixel((8, 8)), made.getpixel((1, 1))[3]) == ((250, 120, 10, 255), 0)

    frames = [Image.new("RGB", (8, 8), (step * 80, 0, 0)) for step in range(3)]
    once = BytesIO()
    frames[0].save(once, "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert "loop" not in opened(clean(once.getvalue()).data).info


@pytest.mark.parametrize("data", [b"", b"x", picture("PNG")[:50], hostile.bomb_by_header()])
def test_thumbnails_refuse_what_is_damaged(data: bytes) -> None:
    with pytest.raises(Problem):
        thumbnails(data)
