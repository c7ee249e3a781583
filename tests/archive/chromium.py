"""A real headless Chromium for tests, over the two pipes of its DevTools: opens pages, asks them, draws them."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")
_SECONDS = 30.0
_SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--disable-default-apps", "--no-default-browser-check", "--metrics-recording-only", "--hide-scrollbars"),
    *("--remote-debugging-pipe", "--window-size=1280,1500"),
    # Sandboxed frames in the page's own process, so that they can be looked into.
    *("--disable-site-isolation-trials", "--disable-features=IsolateSandboxedIframes,IsolateOrigins,site-per-process"),
)


class Chromium:
    """One browser with one page. `events` are all messages that were no answers, as (method, parameters)."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._buffer = b""
        self._count = 0
        self._session = ""
        self.events: list[tuple[str, dict[str, Any]]] = []
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        return self._call(method, parameters, self._session)

    def open(self, url: str, *, settle: float = 0.6) -> None:
        """Opens `url`, waits until it is loaded with its frames, and `settle` seconds for what comes after."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self._until("Page.loadEventFired")
        self.wait(settle)

    def wait(self, seconds: float) -> None:
        """Takes what comes for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            message = self._message(left)
            if message is not None:
                self._keep(message)

    def ask(self, expression: str) -> Any:
        """The value of JavaScript in the page; promises are awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def requested(self) -> list[str]:
        """Addresses asked for since the page was opened, by it and its frames."""
        return [
            parameters["request"]["url"] for method, parameters in self.events if method == "Network.requestWillBeSent"
        ]

    def said(self) -> list[str]:
        """What stands in the console."""
        logged = [parameters["entry"]["text"] for method, parameters in self.events if method == "Log.entryAdded"]
        return logged + [
            " ".join(str(argument.get("value", "")) for argument in parameters["args"])
            for method, parameters in self.events
            if method == "Runtime.consoleAPICalled"
        ]

    def press(self, key: str, code: str = "") -> None:
        text = {"Enter": "\r", " ": " "}.get(key, "")
        number = {"Enter": 13, "Tab": 9, " ": 32}.get(key, 0)
        common = {"key": key, "code": code or key, "windowsVirtualKeyCode": number}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _call(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message(_SECONDS)
            assert answer is not None, f"no answer to {method}"
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._keep(answer)

    def _until(self, event: str) -> None:
        end = time.monotonic() + _SECONDS
        while all(method != event for method, _ in self.events):
            message = self._message(end - time.monotonic())
            assert message is not None, f"no {event}"
            self._keep(message)

    def _keep(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self.events.append((message["method"], message["params"]))

    def _message(self, seconds: float) -> dict[str, Any] | None:
        end = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return None
            part = os.read(self._reading, 1 << 20)
            assert part, "Chromium has ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A fresh browser with a profile of its own, gone afterwards."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="gongkai-chromium-", ignore_cleanup_errors=True) as profile:
        theirs_in, writing = os.pipe()
        reading, theirs_out = os.pipe()
        # Chromium's ends are 3 and 4: out of the way of them first.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in (theirs_in, theirs_out)]
        for end in (theirs_in, theirs_out):
            os.close(end)
        line = f"exec {PROGRAM} {' '.join(_SWITCHES)} --user-data-dir={profile} 3<&{ends[0]} 4>&{ends[1]}"
        process = subprocess.Popen(
            ["/bin/bash", "-c", line],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": profile},
        )
        for end in ends:
            os.close(end)
        try:
            yield Chromium(reading, writing)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(reading)
            os.close(writing)
