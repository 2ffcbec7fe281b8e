"""A real browser without a window, driven over the DevTools protocol."""

import base64
import itertools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import websocket

from tests.servers import sources
from tests.servers.waiting import until

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--remote-debugging-port=0", "--remote-allow-origins=*"),
)


def chromium() -> Path | None:
    """The system's, also after installing Debian's package."""
    return sources.find(_system, "chromium", lambda: None)


def _system() -> Path | None:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


class Browser:
    """One page of a browser with a profile of its own."""

    def __init__(self, program: Path, folder: Path) -> None:
        command = [str(program), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = until("the browser", lambda: _lines(folder / "DevToolsActivePort"))[0]
        self._numbers = itertools.count(1)
        self.seen: list[dict[str, Any]] = []
        self._socket = websocket.create_connection(f"ws://127.0.0.1:{port}{_page(folder)}", timeout=60)
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> Any:
        """One command and its answer; the events that come meanwhile are kept in `seen`."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            heard = json.loads(self._socket.recv())
            if heard.get("id") == number:
                assert "error" not in heard, heard["error"]
                return heard["result"]
            self.seen.append(heard)

    def run(self, script: str) -> Any:
        """What an expression is worth in the page; raises AssertionError where it throws."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, address: str) -> None:
        """Go there; it is there when `until` finds what it shows."""
        self.ask("Page.navigate", url=address)

    def until(self, script: str) -> Any:
        """Wait until an expression is true."""
        return until(script, lambda: self.run(f"(() => {{ try {{ return {script} }} catch {{ return false }} }})()"))

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """The window of a telephone or a desk, by day or by night."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        """What a person would see now."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def complaints(self) -> list[str]:
        """What went wrong in the page: exceptions, and what its policy refused."""
        found = [event["params"] for event in self.seen if event.get("method") in {"Log.entryAdded"}]
        wrong = [entry["entry"]["text"] for entry in found if entry["entry"]["level"] == "error"]
        thrown = [event for event in self.seen if event.get("method") == "Runtime.exceptionThrown"]
        return wrong + [event["params"]["exceptionDetails"]["text"] for event in thrown]

    def asked_for(self) -> set[str]:
        """Every address the page loaded something from."""
        asked = (event["params"] for event in self.seen if event.get("method") == "Network.requestWillBeSent")
        return {one["request"]["url"] for one in asked}

    def stop(self) -> None:
        """End it."""
        self._socket.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def _page(folder: Path) -> str:
    """The path of the page's socket: the browser's own, asked once for a page."""
    port, browser = _lines(folder / "DevToolsActivePort")
    socket = websocket.create_connection(f"ws://127.0.0.1:{port}{browser}", timeout=60)
    socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
    pages = [one for one in json.loads(socket.recv())["result"]["targetInfos"] if one["type"] == "page"]
    socket.close()
    return f"/devtools/page/{pages[0]['targetId']}"
