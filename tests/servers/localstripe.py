"""localstripe (GPL, a process of its own): another pair of eyes on what we send to Stripe.

It is looked for beside the tests' own Python and in `LOCALSTRIPE_PYTHON`, an environment it was installed in.
"""

import http.client
import importlib.util
import os
import signal
import sys

from tests.servers.server import Account, OwnServer, ServerUnavailable

SECRET_KEY, WEBHOOK_SECRET = "sk_test_12345", "whsec_localstripe"
URL = "http://127.0.0.1:{port}"
# Its own command listens everywhere. It refuses documented parameters that it does not know: those are not shown to it;
# and it leaves out documented fields: those are added.
START = """
import sys
from aiohttp import web
from localstripe import resources, server

read = server.get_post_data

async def without_what_it_does_not_know(*args, **kwargs):
    data = await read(*args, **kwargs)
    for name in ("description", "automatic_payment_methods", "return_url"):
        (data or {}).pop(name, None)
    return data

def captured(charge):
    return charge.amount if charge.captured else 0

resources.Charge.amount_captured = property(captured)
resources.PaymentIntent.amount_received = property(lambda one: captured(one.latest_charge) if one.latest_charge else 0)
server.get_post_data = without_what_it_does_not_know
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


class LocalStripe:
    """One empty account."""

    def __init__(self) -> None:
        python = _python()
        self._server = OwnServer("localstripe", stop_signal=signal.SIGTERM, account=Account())
        self._server.serve([python, "-c", START], URL, _answers)
        self.url = self._server.url

    def send_webhooks_to(self, url: str) -> None:
        """From now on."""
        host = self.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=5)
        connection.request(
            "POST",
            "/_config/webhooks/ours",
            f"url={url}&secret={WEBHOOK_SECRET}",
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert connection.getresponse().status == 200
        connection.close()

    def stop(self) -> None:
        """End it."""
        self._server.stop()


def _python() -> str:
    if given := os.environ.get("LOCALSTRIPE_PYTHON"):
        return given
    if importlib.util.find_spec("localstripe") is None:
        raise ServerUnavailable("localstripe is not installed: pip install localstripe, or name LOCALSTRIPE_PYTHON")
    return sys.executable


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/js.stripe.com/v3/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
