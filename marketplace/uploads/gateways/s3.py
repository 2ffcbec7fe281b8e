"""Files in a bucket of S3, or of anything that speaks its protocol."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from marketplace.kit.lazy_module import lazy_module
from marketplace.uploads.gateways.storage import DirectUpload, StorageFailed, StoredFile, check_key, is_key

boto3 = lazy_module("boto3.session")
boto3_exceptions = lazy_module("boto3.exceptions")
botocore_config = lazy_module("botocore.config")
botocore_exceptions = lazy_module("botocore.exceptions")
urllib3 = lazy_module("urllib3.exceptions")

FOREVER = "public, max-age=31536000, immutable"
NOT_SHARED = "private, no-store"
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
PAGE = 1000
CONNECT_SECONDS = 5
READ_SECONDS = 20.0
RETRIES = 3
NOT_IN_QUOTES = re.compile(r"[^ !#-\[\]-~]")


@contextmanager
def _failing_safely() -> Iterator[None]:
    try:
        yield
    except (
        botocore_exceptions.BotoCoreError,
        boto3_exceptions.Boto3Error,
        botocore_exceptions.ClientError,
        urllib3.HTTPError,
    ) as error:
        raise StorageFailed(f"{type(error).__name__}: {error}") from error


class S3Storage:
    """One bucket; nothing in it is public by itself unless `public_acl` says so."""

    def __init__(
        self,
        *,
        bucket: str,
        region: str,
        endpoint_url: str = "",
        access_key: str = "",
        secret_key: str = "",
        public_acl: bool = False,
    ) -> None:
        self.bucket = bucket
        self.public_acl = public_acl
        self._place = {"region_name": region or None, "endpoint_url": endpoint_url or None}
        self._keys = {"aws_access_key_id": access_key or None, "aws_secret_access_key": secret_key or None}
        self._made: Any = None

    @_failing_safely()
    def put(self, key: str, data: bytes | IO[bytes], content_type: str, *, public: bool) -> None:
        """One request, whole or not at all; other files than pictures are stored as attachments."""
        target = {"Bucket": self.bucket, "Key": check_key(key), "ContentType": content_type}
        shown = {} if content_type.startswith("image/") else {"ContentDisposition": "attachment"}
        kept = {"CacheControl": FOREVER if public else NOT_SHARED}
        read = {"ACL": "public-read"} if public and self.public_acl else {}
        self._client.put_object(**target, **shown, **kept, **read, Body=data)

    @_failing_safely()
    def get(self, key: str) -> bytes | None:
        """The bytes; None where there is no such file."""
        check_key(key)
        try:
            body: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except botocore_exceptions.ClientError as error:
            _raise_unless_missing(error)
            return None
        return body

    def path(self, key: str) -> Path | None:
        """None: the file is not on this machine."""
        check_key(key)
        return None

    @_failing_safely()
    def delete(self, key: str) -> None:
        """Remove it; S3 says nothing of one that is not there."""
        check_key(key)
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def files(self, prefix: str = "") -> Iterator[StoredFile]:
        """Everything whose key starts so, page by page."""
        with _failing_safely():
            for page in self._pages(prefix):
                yield from (_stored(found) for found in page.get("Contents", []) if is_key(found["Key"]))

    def tidy(self, before: datetime) -> None:
        """No effect: a put is one request."""

    @_failing_safely()
    def link(self, key: str, *, seconds: int, filename: str | None = None) -> str | None:
        """A presigned URL, checked by the bucket."""
        named = {"ResponseContentDisposition": _attachment(filename)} if filename else {}
        params = {"Bucket": self.bucket, "Key": check_key(key), **named}
        return str(self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds))

    @_failing_safely()
    def direct(self, key: str, *, content_type: str, size: int, seconds: int) -> DirectUpload | None:
        """Type and length are part of what is signed."""
        params = {"Bucket": self.bucket, "Key": check_key(key), "ContentType": content_type, "ContentLength": size}
        url = str(self._client.generate_presigned_url("put_object", Params=params, ExpiresIn=seconds))
        return DirectUpload(url, "PUT", {"Content-Type": content_type})

    @_failing_safely()
    def size(self, key: str) -> int | None:
        """In bytes; None where there is no such file."""
        check_key(key)
        try:
            return int(self._client.head_object(Bucket=self.bucket, Key=key)["ContentLength"])
        except botocore_exceptions.ClientError as error:
            _raise_unless_missing(error)
            self._client.head_bucket(Bucket=self.bucket)  # a HEAD does not say whether the bucket is missing too
            return None

    def _pages(self, prefix: str) -> Any:
        paginator = self._client.get_paginator("list_objects_v2")
        return paginator.paginate(Bucket=self.bucket, Prefix=prefix, PaginationConfig={"PageSize": PAGE})

    @property
    def _client(self) -> Any:
        """Made at first use, without a lock, as it may ask for credentials: of two at once, either will do."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> Any:
        """Checksums only where S3 requires them: a presigned PUT could not carry one. Without "virtual",
        presigned addresses name the global host, which redirects for new buckets of other regions."""
        config = botocore_config.Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"max_attempts": RETRIES, "mode": "standard"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if self._place["endpoint_url"] else "virtual"},
        )
        return boto3.Session().client("s3", config=config, **self._place, **self._keys)


def _stored(found: dict[str, Any]) -> StoredFile:
    return StoredFile(found["Key"], found["Size"], found["LastModified"].astimezone(UTC))


def _attachment(filename: str) -> str:
    """The name in both spellings of RFC 6266: S3 refuses a header that is not Latin-1."""
    plain = NOT_IN_QUOTES.sub("_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"


def _raise_unless_missing(error: Any) -> None:
    if error.response["Error"]["Code"] not in MISSING:
        raise error
