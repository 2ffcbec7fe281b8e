"""Files in a bucket of S3, or of anything that speaks its protocol."""

from collections.abc import Callable, Iterator
from functools import cached_property, wraps
from pathlib import Path
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from marketplace.uploads.gateways.storage import DirectUpload, StorageFailed, StoredFile, check_key

P = ParamSpec("P")
T = TypeVar("T")
FOREVER = "public, max-age=31536000, immutable"
NOT_SHARED = "private, no-store"
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
PAGE = 1000


def _failing_safely(work: Callable[P, T]) -> Callable[P, T]:
    @wraps(work)
    def safe(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except (BotoCoreError, Boto3Error, ClientError) as error:
            raise StorageFailed(f"{type(error).__name__}: {error}") from error

    return safe


class S3Storage:
    """One bucket; nothing in it is public by itself."""

    def __init__(
        self, *, bucket: str, region: str = "", endpoint_url: str = "", access_key: str = "", secret_key: str = ""
    ) -> None:
        self.bucket = bucket
        self._place = {"region_name": region or None, "endpoint_url": endpoint_url or None}
        self._keys = {"aws_access_key_id": access_key or None, "aws_secret_access_key": secret_key or None}
        self._lock = Lock()

    @_failing_safely
    def put(self, key: str, data: bytes, content_type: str, *, public: bool) -> None:
        """One request, whole or not at all; what is no picture is only ever downloaded."""
        how = {} if content_type.startswith("image/") else {"ContentDisposition": "attachment"}
        keeping = FOREVER if public else NOT_SHARED
        target = {"Bucket": self.bucket, "Key": check_key(key), "ContentType": content_type, "CacheControl": keeping}
        self._client.put_object(**target, **how, Body=data)

    @_failing_safely
    def get(self, key: str) -> bytes | None:
        """The bytes; None where there is no such file."""
        check_key(key)
        try:
            body: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            _raise_unless_missing(error)
            return None
        return body

    def path(self, key: str) -> Path | None:
        """It does not lie on this machine."""
        check_key(key)
        return None

    @_failing_safely
    def delete(self, key: str) -> None:
        """Remove it; S3 says nothing of one that is not there."""
        self._client.delete_object(Bucket=self.bucket, Key=check_key(key))

    @_failing_safely
    def files(self, prefix: str = "") -> Iterator[StoredFile]:
        """Everything whose key starts so, page by page."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, PaginationConfig={"PageSize": PAGE}
        )
        found = [StoredFile(o["Key"], o["Size"], o["LastModified"]) for page in pages for o in page.get("Contents", [])]
        return iter(found)

    @_failing_safely
    def link(self, key: str, *, seconds: int, filename: str | None = None) -> str | None:
        """Signed by us, checked by the bucket."""
        named = {"ResponseContentDisposition": f'attachment; filename="{filename}"'} if filename else {}
        params = {"Bucket": self.bucket, "Key": check_key(key), **named}
        return str(self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds))

    @_failing_safely
    def direct(self, key: str, *, content_type: str, size: int, seconds: int) -> DirectUpload | None:
        """Type and length are part of what is signed."""
        params = {"Bucket": self.bucket, "Key": check_key(key), "ContentType": content_type, "ContentLength": size}
        url = str(self._client.generate_presigned_url("put_object", Params=params, ExpiresIn=seconds))
        return DirectUpload(url, "PUT", {"Content-Type": content_type})

    @_failing_safely
    def size(self, key: str) -> int | None:
        """In bytes; None where there is no such file."""
        check_key(key)
        try:
            return int(self._client.head_object(Bucket=self.bucket, Key=key)["ContentLength"])
        except ClientError as error:
            _raise_unless_missing(error)
            return None

    @property
    def _client(self) -> Any:
        with self._lock:
            return self._made

    @cached_property
    def _made(self) -> Any:
        """Checksums only where S3 requires them: a presigned PUT could not carry one."""
        config = Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=20,
            retries={"max_attempts": 3, "mode": "standard"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if self._place["endpoint_url"] else "auto"},
        )
        return boto3.client("s3", config=config, **self._place, **self._keys)


def _raise_unless_missing(error: ClientError) -> None:
    if error.response["Error"]["Code"] not in MISSING:
        raise error
