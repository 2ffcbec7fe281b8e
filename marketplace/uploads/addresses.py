"""Names of files: keys in the storage, URLs for people, and signatures that open a private one for a while.

Apart from the rooms: names and signatures, without tables.
"""

import re
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from itsdangerous import BadSignature

from marketplace.core.http import signing
from marketplace.core.ops import current_settings
from marketplace.kit.clock import now

PATH = "/api/uploads"
NAME = re.compile(r"(?P<stem>[0-9a-f]{32})(?:-(?P<size>small|medium|large))?\.(?P<extension>[a-z0-9]{1,5})")
LINK_SECONDS = 900
KEPT = "private:"


def new_stem() -> str:
    """A file name of 128 random bits, which nobody guesses."""
    return secrets.token_hex(16)


def key_of(upload: Any) -> str:
    """The file's key in the storage."""
    return f"{'private' if upload.is_private else 'public'}/{upload.stem}.{upload.extension}"


def stem_of(key: str) -> str:
    """The stem in a key, by which the row is found."""
    name = key.rpartition("/")[2]
    parts = NAME.fullmatch(name)
    return parts["stem"] if parts else name


def incoming_key(stem: str) -> str:
    """The key of a direct upload until it was checked."""
    return f"incoming/{stem}"


def thumbnail_key(upload: Any, size: str) -> str:
    """The key of a thumbnail."""
    return f"{'private' if upload.is_private else 'public'}/{upload.stem}-{size}.webp"


def url_of(upload: Any, size: str = "") -> str:
    """The file's URL: at the CDN where there is one; signed for a quarter of an hour where it is private."""
    name = f"{upload.stem}-{size}.webp" if size else f"{upload.stem}.{upload.extension}"
    if upload.is_private:
        return f"{PATH}/{name}?{urlencode(signature_for(name, LINK_SECONDS))}"
    base = current_settings.text("UPLOADS_BASE_URL")
    return f"{base}/public/{name}" if base else f"{PATH}/{name}"


def kept_address(upload: Any) -> str:
    """The address that other tables store for a private file; `opened` makes a URL of it."""
    return f"{KEPT}{PATH}/{upload.stem}.{upload.extension}"


def opened(link: str | None) -> str | None:
    """The URL to show: signed for a quarter of an hour for a private file, others as they are."""
    if link is None or not link.startswith(KEPT):
        return link
    name = link.rpartition("/")[2]
    return f"{PATH}/{name}?{urlencode(signature_for(name, LINK_SECONDS))}"


def is_ours(link: str) -> bool:
    """Whether it is the whole URL of a public upload here; a query string would say anything, so none is allowed."""
    places = [f"{PATH}/", f"{current_settings.text('API_URL')}{PATH}/"]
    if base := current_settings.text("UPLOADS_BASE_URL"):
        places.append(f"{base}/public/")
    names = [link.removeprefix(place) for place in places if link.startswith(place)]
    return any(NAME.fullmatch(name) for name in names)


def url_for_days(upload: Any, days: int) -> str:
    """The URL of a private file, signed for days, for a mail."""
    name = f"{upload.stem}.{upload.extension}"
    return f"{PATH}/{name}?{urlencode(signature_for(name, days * 86_400))}"


def incoming_url(stem: str, seconds: int) -> str:
    """Where a direct upload is PUT where there is no bucket."""
    return f"{PATH}/incoming/{stem}?{urlencode(signature_for(f'incoming/{stem}', seconds))}"


def signature_for(name: str, seconds: int) -> dict[str, str]:
    """The query parameters that open `name` for so many seconds."""
    expires = str(int(now().timestamp()) + seconds)
    signed = signing.signer("uploads").get_signature(f"{name}|{expires}".encode())
    return {"expires": expires, "signature": signed.decode()}


def is_signed(name: str, expires: str, signature: str) -> bool:
    """Whether these query parameters open `name` now."""
    if not (expires.isascii() and expires.isdigit()) or len(expires) > 12 or int(expires) < now().timestamp():
        return False
    try:
        return signing.signer("uploads").verify_signature(f"{name}|{expires}".encode(), signature.encode())
    except (BadSignature, UnicodeEncodeError):
        return False


def stems_in(links: Iterable[str]) -> set[str]:
    """The stems of our files among these URLs."""
    base = current_settings.text("UPLOADS_BASE_URL")
    ours = [link.partition("?")[0] for link in links if f"{PATH}/" in link or (base and link.startswith(base))]
    names = [NAME.fullmatch(link.rpartition("/")[2]) for link in ours]
    return {name["stem"] for name in names if name}
