"""Conversion to sRGB by a picture's embedded colour profile, before it is dropped.

Apart from the rooms: arithmetic of pixels, without tables.
"""

from io import BytesIO
from typing import Any

from PIL import Image as Pillow
from PIL import ImageCms

SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
PLAIN = "sRGB"


class ToSrgb:
    """A conversion from one profile's colour space, applied piece by piece."""

    def __init__(self, profile: Any, mode: str) -> None:
        """Raises PyCMSError for an invalid profile."""
        self._mode = mode
        self._transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")

    def apply(self, piece: Pillow.Image) -> Pillow.Image:
        """The piece as RGB, or RGBA where it is transparent."""
        made = ImageCms.applyTransform(piece.convert(self._mode), self._transform)
        if made is None:
            raise ValueError("nothing came of a conversion of colours")
        if piece.has_transparency_data:
            made.putalpha(piece.convert("RGBA").getchannel("A"))
        return made


def conversion(source: Pillow.Image) -> ToSrgb | None:
    """The conversion of this picture; None without a readable profile, and for sRGB."""
    embedded = source.info.get("icc_profile")
    if not embedded:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(embedded))
        if ImageCms.getProfileDescription(profile).startswith(PLAIN):
            return None
        mode = SPACES[profile.profile.xcolor_space.strip()]
        return ToSrgb(profile, mode) if _fits(source.mode, mode) else None
    except (ImageCms.PyCMSError, LookupError, OSError, ValueError, TypeError, AttributeError):
        return None


def _fits(stored: str, mode: str) -> bool:
    """Whether the profile's colour space is the picture's; one for CMYK says nothing of RGB."""
    if mode == "CMYK" or stored == "CMYK":
        return mode == stored
    return mode == "RGB" or stored in {"1", "L", "LA"} or stored.startswith("I")
