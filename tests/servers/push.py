"""A push service and the browser behind it: it checks the signature and decrypts what it is sent."""

import base64
import json
import os
from typing import Any

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.servers.web import Reply, Request, WebServer


class Browser:
    """One subscription; `shown` is what the person saw (a message of the same tag replaces the one before)."""

    def __init__(self) -> None:
        self.status, self.cut_after = 201, False
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = os.urandom(16)
        self.shown: dict[str, dict[str, Any]] = {}
        self.count = 0
        self.server = WebServer(self._receive)
        self.endpoint = f"http://{self.server.address}/send/abc"

    @property
    def subscription(self) -> dict[str, Any]:
        """What PushSubscription.toJSON() gives."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "keys": {"p256dh": _text(point), "auth": _text(self.secret)}}

    def _receive(self, request: Request) -> Reply:
        if self.status >= 300:
            return Reply(self.status, b"no")
        self._check_signature(request.headers["authorization"])
        plain = http_ece.decrypt(
            request.body, private_key=self.key, auth_secret=self.secret, version=request.headers["content-encoding"]
        )
        body = json.loads(plain)
        self.count += 1
        self.shown[body["tag"]] = body
        return Reply(cut=True) if self.cut_after else Reply(201, b"", {"Location": "https://push.example/m/1"})

    def _check_signature(self, header: str) -> None:
        """RFC 8292: vapid t=<JWT>,k=<public key>."""
        parts = dict(part.strip().split("=", 1) for part in header.removeprefix("vapid ").split(","))
        point = base64.urlsafe_b64decode(parts["k"] + "==")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        claims = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=f"http://{self.server.address}")
        assert claims["sub"].startswith("mailto:")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
