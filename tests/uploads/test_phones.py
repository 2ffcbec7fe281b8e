"""Pictures as telephones send them: several frames, HEIC, AVIF, wide colours, held anyhow, cut at the end."""

from io import BytesIO

import pytest
from PIL import Image

from marketplace.kit.errors import Busy
from marketplace.uploads import images
from marketplace.uploads.images import BrokenImage, NotAnImage, TooManyPixels, clean, thumbnails
from tests.factories.pictures import display_p3, noise, wide_gamut
from tests.servers.waiting import PATIENCE
from tests.uploads.test_images import opened

END = b"\xff\xd9"


def mpo() -> bytes:
    """A photograph with a second frame behind it, as depth and live pictures are kept."""
    out = BytesIO()
    frames = [Image.new("RGB", (64, 48), colour) for colour in ((200, 30, 30), (0, 0, 255))]
    frames[0].save(out, "MPO", save_all=True, append_images=frames[1:])
    assert opened(out.getvalue()).format == "MPO"
    return out.getvalue()


def test_the_first_of_several_frames_is_the_photograph() -> None:
    made = clean(mpo())
    assert (made.extension, made.content_type, made.width, made.height) == ("jpg", "image/jpeg", 64, 48)
    assert opened(made.data).getpixel((30, 20))[0] > 180
    assert getattr(opened(made.data), "n_frames", 1) == 1
    assert set(thumbnails(made.data)) == {"small", "medium", "large"}


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "JPEG", "PNG", "WEBP"])
def test_wide_colours_are_what_every_screen_shows(kind: str) -> None:
    made = clean(wide_gamut(kind, (200, 100, 100), **({} if kind == "PNG" else {"quality": 95})))
    assert made.extension == {"PNG": "png", "WEBP": "webp"}.get(kind, "jpg")
    red, green, _ = opened(made.data).convert("RGB").getpixel((30, 20))
    assert red >= 210, "the profile was dropped, not used"
    assert green <= 98
    assert "icc_profile" not in opened(made.data).info


def test_transparency_survives_a_conversion_of_colours() -> None:
    made = clean(wide_gamut("PNG", (200, 100, 100, 128), "RGBA"))
    red, _, _, alpha = opened(made.data).getpixel((30, 20))
    assert (red >= 210, alpha) == (True, 128)


@pytest.mark.parametrize("mode", ["CMYK", "L", "P"])
@pytest.mark.parametrize("profile", [b"no profile", display_p3(), display_p3()[:200]])
def test_a_profile_that_does_not_fit_or_is_none_does_no_harm(mode: str, profile: bytes) -> None:
    out = BytesIO()
    Image.new(mode, (64, 48), 200).save(out, "PNG" if mode == "P" else "JPEG", icc_profile=profile)
    assert clean(out.getvalue()).width == 64


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "MPO"])
def test_a_telephone_held_upright(kind: str) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    how = {"save_all": True} if kind == "MPO" else {}
    source = Image.new("RGB", (80, 40), (255, 255, 255))
    source.paste((0, 0, 0), (0, 0, 40, 40))
    out = BytesIO()
    source.save(out, kind, exif=turned.tobytes(), **how)
    made = opened(clean(out.getvalue()).data)
    assert made.size == (40, 80)
    assert made.getpixel((20, 10))[0] < 80
    assert made.getpixel((20, 70))[0] > 180
    assert not made.getexif()


def test_a_transparent_heic_stays_transparent() -> None:
    made = clean(wide_gamut("HEIF", (200, 100, 100, 0), "RGBA"))
    assert (made.extension, opened(made.data).getpixel((5, 5))[3]) == ("webp", 0)


@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"subsampling": 0}, {"optimize": True}])
def test_a_jpeg_that_lacks_only_its_end_mark_is_taken_and_one_that_lacks_pixels_is_not(how: dict[str, object]) -> None:
    whole = noise("JPEG", **how)
    assert whole.endswith(END)
    made = clean(whole[:-2])
    assert made.data == clean(whole).data == clean(whole[:-1]).data
    for cut in (60, 2000, len(whole) // 2):
        with pytest.raises(BrokenImage):
            clean(whole[:-cut])


def test_the_end_mark_of_a_preview_is_not_the_pictures() -> None:
    exif = b"Exif\0\0" + noise("JPEG", (40, 40))
    whole = noise("JPEG", exif=exif)
    assert clean(whole[:-2]).data == clean(whole).data
    with pytest.raises(BrokenImage):
        clean(whole[:-2000])


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_half_a_telephones_picture_is_refused(kind: str, share: float) -> None:
    whole = noise(kind)
    with pytest.raises((BrokenImage, NotAnImage)):
        clean(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("length", [16, 100])
def test_the_beginning_of_a_picture_is_a_damaged_picture(kind: str, length: int) -> None:
    with pytest.raises(BrokenImage):
        clean(noise(kind)[:length])


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_the_size_a_telephones_picture_names_is_read_before_it_is_decoded(kind: str) -> None:
    data = bytearray(noise(kind))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = (6000).to_bytes(4) * 2
    with pytest.raises((TooManyPixels, BrokenImage)):
        clean(bytes(data))


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_header_that_names_a_small_size_takes_no_more_at_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PATIENCE", 0.01)
    data = wide_gamut(kind, (200, 100, 100))
    taken = [images._large_ones.acquire(timeout=PATIENCE) for _ in range(images.AT_ONCE)]
    try:
        assert all(taken)
        with pytest.raises(Busy):
            clean(data)
        assert clean(noise("PNG", (16, 16))).width == 16, "small ones of other kinds do not wait"
    finally:
        for _ in taken:
            images._large_ones.release()
    assert clean(data).extension == "jpg"


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"II*\0" + bytes(60), "a TIFF or raw picture"),
        (b"BM" + bytes(60), "a BMP picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"%PDF-1.4\n%%EOF", "a PDF"),
        (b"\0\0\0\x18ftypmp42" + bytes(60), "an MP4 video"),
        (b"\x00\x01", "no file that is taken"),
    ],
)
def test_what_is_not_read_is_named_beside_what_is(data: bytes, named: str) -> None:
    with pytest.raises(NotAnImage) as refused:
        clean(data)
    assert named in refused.value.sentence
    assert "HEIC and AVIF" in refused.value.sentence
