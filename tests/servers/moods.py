"""What can go wrong between us and a server, on demand."""

from collections.abc import Callable

from tests.servers.waiting import until
from tests.servers.web import Reply, Request


class Moody:
    """`mood` is what happens to the next requests: well, down, busy, slow, reset, answer lost."""

    def __init__(self, do: Callable[[Request], Reply]) -> None:
        self.mood = "well"
        self._do = do

    def __call__(self, request: Request) -> Reply:
        """Cut before anything is done, or after."""
        if self.mood == "down":
            return Reply(503, b"<html>upstream connect error</html>", {"Content-Type": "text/html"})
        if self.mood == "busy":
            return Reply(429, b"{}", {"Content-Type": "application/json"})
        if self.mood == "reset":
            return Reply(cut=True)
        reply = self._do(request)
        if self.mood == "slow":
            until("whoever asked to have given up", lambda: self.mood != "slow")
        lost = self.mood == "answer lost" and request.method != "GET"
        return Reply(cut=True) if lost else reply
