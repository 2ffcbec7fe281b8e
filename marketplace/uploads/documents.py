"""Private attachments: papers, sounds, videos and pictures, sent as downloads only.

Apart from the rooms: it judges bytes, without tables.
"""

import re
import unicodedata
from dataclasses import dataclass

from marketplace.uploads import images
from marketplace.uploads.file_types import ATTACHMENTS, media_type_of, name_of

PDF_HEAD = b"%PDF-"
PDF_END = b"%%EOF"
HEAD_WITHIN = 1024  # readers look for the head here (ISO 32000, implementation notes); we want it at the start
LONGEST_NAME = 120
TAKEN = (
    "PDF, office documents (docx, xlsx, pptx, doc, xls, ppt, odt, ods, odp, rtf), txt, csv, sound (mp3, m4a, aac, ogg, "
    f"opus, wav, flac), video (mp4, mov, webm, 3gp) or pictures ({images.READABLE})"
)
RESERVED = re.compile(r'[<>:"/\\|?*%;]+')  # in names of files somewhere, or in headers
SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file ready to be stored; `name` is what its sender called it."""

    data: bytes
    content_type: str
    extension: str
    width: int | None = None
    height: int | None = None
    name: str | None = None


class NotADocument(images.NotAnImage):
    """415: a kind that cannot be attached, or not what its name says."""

    sentence = f"Send {TAKEN}."


def prepare(data: bytes, purpose: str, name: str = "") -> Prepared:
    """A picture made anew from its pixels; another file as it is, if its content is what its name says. Raises 415 or
    422."""
    if purpose != "document":
        return _picture(data)
    extension = extension_of(name)
    if extension in ATTACHMENTS:
        if not ATTACHMENTS[extension].matches(data):
            raise _mismatch(data, extension)
        return Prepared(data, media_type_of(extension, data), extension, name=clean_name(name, extension))
    if is_pdf(data):
        return Prepared(data, "application/pdf", "pdf", name=clean_name(name, "pdf"))
    try:
        return _picture(data, name)
    except images.NotAnImage:
        raise _mismatch(data, extension) from None


def is_pdf(data: bytes) -> bool:
    """By head and end; a PDF is only ever sent as a download, never shown in our pages' origin."""
    return data.startswith(PDF_HEAD) and PDF_END in data[-HEAD_WITHIN:]


def extension_of(name: str) -> str:
    """The extension in lower case; empty without one."""
    return name.rpartition(".")[2].strip().lower() if "." in name else ""


def clean_name(name: str, extension: str) -> str | None:
    """The name without folders, invisible characters and those with a meaning to shells, with the right extension; None
    where nothing is left."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    stem = last.rpartition(".")[0] if extension_of(last) else last
    visible = "".join(sign if sign == " " or unicodedata.category(sign)[0] not in "CZ" else " " for sign in stem)
    plain = SPACES.sub(" ", RESERVED.sub("_", visible)).strip(" .")[:LONGEST_NAME].rstrip(" .")
    return f"{plain}.{extension}" if plain else None


def _picture(data: bytes, name: str = "") -> Prepared:
    image = images.clean(data)
    kept = clean_name(name, image.extension)
    return Prepared(image.data, image.content_type, image.extension, image.width, image.height, kept)


def _mismatch(data: bytes, extension: str) -> NotADocument:
    found = name_of(data)
    if extension in ATTACHMENTS:
        is_known = f"it is {found}" if found and found != ATTACHMENTS[extension].title else "its content says otherwise"
        return NotADocument(
            f"By its name this is {ATTACHMENTS[extension].title}, but {is_known}. Send the file itself."
        )
    if found:
        return NotADocument(f"This is {found}, which is not taken here under this name. Send {TAKEN}.")
    return NotADocument()
