"""An S3 for the tests: moto's server in a process of its own, spoken to over real HTTP."""

import hashlib
import hmac
import http.client
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import boto3
import requests

from tests.servers.server import Account, OwnServer

URL = "http://127.0.0.1:{port}"
BUCKET, REGION, KEY, SECRET = "files", "us-east-1", "test-key", "test-secret"
EVERYBODY = "inf"


class S3Server:
    """One server with one bucket."""

    def __init__(self) -> None:
        self._server = OwnServer("s3", stop_signal=signal.SIGTERM, account=Account())
        self._server.serve([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p"], URL, _answers)
        self.url = self._server.url
        self.client.create_bucket(Bucket=BUCKET)

    @property
    def client(self) -> Any:
        """Somebody else's client, to look into the bucket with."""
        keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
        return boto3.client("s3", endpoint_url=self.url, region_name=REGION, **keys)

    @property
    def settings(self) -> dict[str, str]:
        """What the application needs to use it."""
        place = {"S3_BUCKET": BUCKET, "S3_REGION": REGION, "S3_ENDPOINT_URL": self.url}
        return {**place, "S3_ACCESS_KEY": KEY, "S3_SECRET_KEY": SECRET}

    @contextmanager
    def asking_for_credentials(self) -> Iterator[None]:
        """Meanwhile nobody is let in whose key it does not know, and it knows none."""
        self._let_in("0")
        try:
            yield
        finally:
            self._let_in(EVERYBODY)

    def stop(self) -> None:
        """End it."""
        self._server.stop()

    def _let_in(self, requests: str) -> None:
        """How many requests moto takes before it looks at who sends them."""
        port = int(self.url.rpartition(":")[2])
        assert _status(port, "POST", "/moto-api/reset-auth", requests) == 200


def is_vouched_for(request: requests.PreparedRequest, *, at: datetime | None = None) -> bool:
    """Whether a real bucket would take this presigned request at that moment; moto takes them all."""
    parts = urlsplit(str(request.url))
    query = dict(parse_qsl(parts.query))
    signature = query.pop("X-Amz-Signature")
    begin = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    end = begin + timedelta(seconds=int(query["X-Amz-Expires"]))
    sent = {name.lower(): str(value) for name, value in request.headers.items()} | {"host": parts.netloc}
    names = query["X-Amz-SignedHeaders"]
    headers = "".join(f"{name}:{sent.get(name, '')}\n" for name in names.split(";"))
    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))
    canonical = "\n".join([str(request.method), parts.path, asked, headers, names, "UNSIGNED-PAYLOAD"])
    return begin <= (at or datetime.now(UTC)) < end and signature == _signature(query, canonical)


def _signature(query: dict[str, str], canonical: str) -> str:
    """Version 4, as Amazon documents it."""
    scope = query["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signed = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{digest}"
    key = f"AWS4{SECRET}".encode()
    for part in (*scope.split("/"), signed):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _answers(port: int) -> bool:
    try:
        return _status(port, "GET", "/moto-api/data.json") == 200
    except (OSError, http.client.HTTPException):
        return False


def _status(port: int, method: str, path: str, body: str | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body)
        return connection.getresponse().status
    finally:
        connection.close()
