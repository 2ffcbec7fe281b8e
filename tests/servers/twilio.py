"""Twilio's Messages API, as far as it is used: it keeps what was sent and fails on demand."""

import base64
import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.web import Reply, Request, WebServer

ACCOUNT, TOKEN = "AC" + "0" * 32, "secret-token"


class Twilio:
    """One account; `mood` is what happens to the next requests."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.mood = "well"
        self.server = WebServer(self._answer)

    @property
    def settings(self) -> dict[str, str]:
        """What the application needs to use it."""
        keys = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_FROM": "+37120000000"}
        return {**keys, "TWILIO_API_URL": f"http://{self.server.address}"}

    def _answer(self, request: Request) -> Reply:
        expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        assert request.headers["authorization"] == f"Basic {expected}"
        path = urlsplit(request.path)
        assert path.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        if request.method == "GET":
            to = parse_qs(path.query)["To"][0]
            return _json(200, {"messages": [one for one in self.sent if one["to"] == to], "page_size": 50})
        return self._send(parse_qs(request.body.decode()))

    def _send(self, fields: dict[str, list[str]]) -> Reply:
        if self.mood == "wrong number":
            return _json(400, {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400})
        if self.mood == "down":
            return _json(503, {"code": 20503, "message": "Service unavailable", "status": 503})
        moment = format_datetime(datetime.now(UTC))
        message = {
            "sid": f"SM{len(self.sent):032x}",
            "to": fields["To"][0],
            "from": fields["From"][0],
            "body": fields["Body"][0],
            "status": "queued",
            "date_sent": moment,
            "date_created": moment,
        }
        self.sent.append(message)
        return Reply(cut=True) if self.mood == "answer lost" else _json(201, message)


def _json(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
