"""File types by content, and those that may be attached; their content is compared with the name, never opened.

Apart from the rooms: a table of formats, judged by bytes.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

HEAD = 1024
ZIP, OLE, RIFF, MATROSKA = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"RIFF", b"\x1a\x45\xdf\xa3"
PICTURE_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
MPEG_AUDIO = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa")
MARKUP = (b"<!", b"<?", b"<html", b"<head", b"<body", b"<svg", b"<script", b"<iframe", b"<math", b"<xml")
MACROS = b"vbaProject.bin"
CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")  # texts have tabs, ends of lines, pages and of files


@dataclass(frozen=True, slots=True)
class FileType:
    """A type that is stored as it is and only sent as a download."""

    media_type: str
    title: str
    matches: Callable[[bytes], bool]


def _starts(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(heads)


def _is_mp4(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] not in PICTURE_BRANDS


def _is_quicktime(data: bytes) -> bool:
    return _is_mp4(data) or data[4:8] in QUICKTIME


def _is_riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(RIFF) and data[8:12] == kind


def _is_office(folder: bytes) -> Callable[[bytes], bool]:
    """Word, Excel and PowerPoint since 2007, by names in the zip; False with macros, which are programs."""
    return lambda data: (
        data.startswith(ZIP) and b"[Content_Types].xml" in data and folder in data and MACROS not in data
    )


def _is_open_document(kind: bytes) -> Callable[[bytes], bool]:
    """The type stands first in the zip and is not compressed (OpenDocument 1.3 part 2, 3.3)."""
    return lambda data: (
        data.startswith(ZIP) and data[30:].startswith(b"mimetypeapplication/vnd.oasis.opendocument." + kind)
    )


def _is_old_office(*streams: str) -> Callable[[bytes], bool]:
    names = [stream.encode("utf-16-le") for stream in streams]
    return lambda data: data.startswith(OLE) and any(name in data for name in names)


def _is_text(data: bytes) -> bool:
    """Text in any encoding, without what a browser could take for a page."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
        return "\0" not in text and "\ufffd" not in text and not _is_markup(text[:HEAD].encode("utf-8", "replace"))
    return not (b"\0" in data if _is_utf8(data) else CONTROLS.search(data)) and not _is_markup(data[:HEAD])


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_markup(data: bytes) -> bool:
    return data.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(MARKUP)


WORD = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
ATTACHMENTS = {
    "mp3": FileType("audio/mpeg", "an MP3", _starts(*MPEG_AUDIO)),
    "m4a": FileType("audio/mp4", "an M4A sound", _is_mp4),
    "aac": FileType("audio/aac", "an AAC sound", _starts(b"\xff\xf1", b"\xff\xf9")),
    "ogg": FileType("audio/ogg", "an Ogg sound", _starts(b"OggS")),
    "oga": FileType("audio/ogg", "an Ogg sound", _starts(b"OggS")),
    "opus": FileType("audio/ogg", "an Opus sound", _starts(b"OggS")),
    "wav": FileType("audio/wav", "a WAV sound", _is_riff(b"WAVE")),
    "flac": FileType("audio/flac", "a FLAC sound", _starts(b"fLaC")),
    "amr": FileType("audio/amr", "an AMR sound", _starts(b"#!AMR")),
    "weba": FileType("audio/webm", "a WebM sound", _starts(MATROSKA)),
    "mp4": FileType("video/mp4", "an MP4 video", _is_mp4),
    "m4v": FileType("video/mp4", "an MP4 video", _is_mp4),
    "mov": FileType("video/quicktime", "a QuickTime video", _is_quicktime),
    "3gp": FileType("video/3gpp", "a 3GP video", _is_mp4),
    "webm": FileType("video/webm", "a WebM video", _starts(MATROSKA)),
    "mkv": FileType("video/x-matroska", "a Matroska video", _starts(MATROSKA)),
    "avi": FileType("video/x-msvideo", "an AVI video", _is_riff(b"AVI ")),
    "docx": FileType(f"{WORD}wordprocessingml.document", "a Word document without macros", _is_office(b"word/")),
    "xlsx": FileType(f"{WORD}spreadsheetml.sheet", "an Excel sheet without macros", _is_office(b"xl/")),
    "pptx": FileType(f"{WORD}presentationml.presentation", "a PowerPoint file without macros", _is_office(b"ppt/")),
    "doc": FileType("application/msword", "a Word document", _is_old_office("WordDocument")),
    "xls": FileType("application/vnd.ms-excel", "an Excel sheet", _is_old_office("Workbook", "Book")),
    "ppt": FileType("application/vnd.ms-powerpoint", "a PowerPoint file", _is_old_office("PowerPoint Document")),
    "odt": FileType(f"{OPEN}text", "an OpenDocument text", _is_open_document(b"text")),
    "ods": FileType(f"{OPEN}spreadsheet", "an OpenDocument sheet", _is_open_document(b"spreadsheet")),
    "odp": FileType(f"{OPEN}presentation", "an OpenDocument presentation", _is_open_document(b"presentation")),
    "rtf": FileType("application/rtf", "an RTF document", _starts(b"{\\rtf")),
    "txt": FileType("text/plain", "a plain text", _is_text),
    "csv": FileType("text/csv", "a CSV table", _is_text),
}
PICTURES_READ: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("a PNG picture", _starts(b"\x89PNG")),
    ("a JPEG picture", _starts(b"\xff\xd8\xff")),
    ("a GIF picture", _starts(b"GIF8")),
    ("a WebP picture", _is_riff(b"WEBP")),
    ("a HEIC or AVIF picture", lambda data: data[4:8] == b"ftyp" and data[8:12] in PICTURE_BRANDS),
)
KNOWN: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("a PDF", _starts(b"%PDF-")),
    *PICTURES_READ,
    ("a TIFF or raw picture", _starts(b"II*\0", b"MM\0*")),
    ("a BMP picture", _starts(b"BM")),
    ("a Photoshop picture", _starts(b"8BPS")),
    ("a JPEG XL picture", _starts(b"\xff\x0a", b"\0\0\0\x0cJXL ")),
    ("a program", _starts(b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!/")),
    ("an SVG drawing", lambda data: _is_markup(data) and b"<svg" in data[:HEAD].lower()),
    ("a page or a markup file", _is_markup),
    ("an MP4 video", lambda data: _is_mp4(data) and not data[8:12].startswith(b"M4A")),
    *((kind.title, kind.matches) for kind in ATTACHMENTS.values() if kind.title != "a CSV table"),
    ("a ZIP archive", _starts(ZIP)),
)


def name_of(data: bytes) -> str | None:
    """The type in words; None for an unknown one."""
    return next((title for title, matches in KNOWN if data and matches(data)), None)


def is_picture_read(data: bytes) -> bool:
    """Whether its head is that of a picture type we decode, whole or not."""
    return any(matches(data) for _, matches in PICTURES_READ)


def media_type_of(extension: str, data: bytes) -> str:
    """The Content-Type to send; text that is not UTF-8 is sent as plain bytes."""
    media_type = ATTACHMENTS[extension].media_type
    return "application/octet-stream" if media_type.startswith("text/") and not _is_utf8(data) else media_type
