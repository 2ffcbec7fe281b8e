"""The storage that the settings name."""

import secrets
from pathlib import Path

from flask import current_app

from marketplace.core.ops.readiness import OK
from marketplace.uploads.gateways.local import LocalStorage
from marketplace.uploads.gateways.s3 import S3Storage
from marketplace.uploads.gateways.storage import Storage


def storage() -> Storage:
    """The application's one storage: a bucket where S3_BUCKET names one, else a folder."""
    kept: Storage | None = current_app.extensions.get("storage")
    if kept is None:
        kept = current_app.extensions["storage"] = _build()
    return kept


def provider() -> str:
    """`s3` where a bucket is named, else `local`."""
    return "s3" if current_app.config["S3_BUCKET"] else "local"


def is_writable() -> str:
    """For /readyz: write and delete a small file; raises StorageFailed."""
    key = f"incoming/ready-{secrets.token_hex(8)}"
    storage().put(key, b"ready", "application/octet-stream", public=False)
    storage().delete(key)
    return OK


def _build() -> Storage:
    settings = current_app.config
    if not settings["S3_BUCKET"]:
        return LocalStorage(Path(settings["UPLOADS_DIR"]))
    return S3Storage(
        bucket=settings["S3_BUCKET"],
        region=settings["S3_REGION"],
        endpoint_url=settings["S3_ENDPOINT_URL"],
        access_key=settings["S3_ACCESS_KEY"],
        secret_key=settings["S3_SECRET_KEY"],
    )
