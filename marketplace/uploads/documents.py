"""Files that are shown to few: papers as PDF, or pictures of them."""

from dataclasses import dataclass

from marketplace.uploads import images

PDF_HEAD = b"%PDF-"
PDF_END = b"%%EOF"
HEAD_WITHIN = 1024  # readers look for the head here (ISO 32000, implementation notes); we want it at the start


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file ready to be stored."""

    data: bytes
    content_type: str
    extension: str
    width: int | None = None
    height: int | None = None


class NotADocument(images.NotAnImage):
    """Neither a PDF nor a picture."""

    sentence = "Send a PDF, PNG, JPEG, GIF or WebP file."


def prepare(data: bytes, purpose: str) -> Prepared:
    """A picture made anew from its pixels; a PDF as it is, told by its content. Raises 415 or 422."""
    if purpose == "document" and is_pdf(data):
        return Prepared(data, "application/pdf", "pdf")
    try:
        image = images.clean(data)
    except images.NotAnImage:
        if purpose == "document":
            raise NotADocument() from None
        raise
    return Prepared(image.data, image.content_type, image.extension, image.width, image.height)


def is_pdf(data: bytes) -> bool:
    """By head and end; it is only ever sent as a download, never shown in our pages' origin."""
    return data.startswith(PDF_HEAD) and PDF_END in data[-HEAD_WITHIN:]
