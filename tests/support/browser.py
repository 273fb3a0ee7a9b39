"""A headless Chromium, driven by its own protocol (DevTools) over a pipe: no driver, no library, no port.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# Whatever the page asked of another machine would fail, as it would without a network.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
FLAGS = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--mute-audio", "--force-color-profile=srgb", "--disable-lcd-text", "--lang=en-GB", ALONE,
)  # fmt: skip


class Browser:
    """One Chromium with one page. Not thread-safe; use it in a `with` block."""

    def __init__(self, program: str, profile: Path, *flags: str) -> None:
        down, up = os.pipe(), os.pipe()
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [program, *FLAGS, *flags, *sandbox, f"--user-data-dir={profile}", "about:blank"]
        # Chromium reads from descriptor 3 and writes to 4.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{down[0]} 4>&{up[1]}', "bash", *command],
            pass_fds=(down[0], up[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(down[0])
        os.close(up[1])
        self._down, self._up = down[1], up[0]
        self._rest, self._last, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for end in (self._down, self._up):
            os.close(end)
        try:
            # It ends by itself when its pipe does.
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method: str, seconds: float = 30, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol and its answer; what else is told meanwhile goes to `events`."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._down, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while True:
            reported = self._read(end)
            if reported.get("id") == self._last:
                assert "error" not in reported, f"{method}: {reported['error']}"
                return dict(reported["result"])
            self.events.append(reported)

    def _read(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._up], [], [], max(0.0, end - time.monotonic()))
            assert ready, "Chromium does not answer"
            read = os.read(self._up, 1 << 20)
            assert read, f"Chromium ended with code {self._process.wait()}"
            self._rest += read
        whole, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(whole))

    def open(self, url: str) -> None:
        """Load a page and forget what the last one said."""
        self.events.clear()
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page, as JSON has it; a promise is waited for."""
        reported = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in reported, reported["exceptionDetails"]
        return reported["result"].get("value")

    def text(self, selector: str) -> str:
        """What a person reads there; empty where there is no such element."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def screen(self, width: int, height: int, *, dark: bool = False, mobile: bool = False, scale: float = 1) -> None:
        """The size of the screen, and which theme the system is said to have."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=mobile)  # fmt: skip
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self, path: Path) -> None:
        """Save what the screen shows as PNG."""
        reported = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(reported["data"]))

    def errors(self) -> list[str]:
        """What went wrong on the page: exceptions, errors of the console, what its policy refused."""
        results = []
        for event in self.events:
            reported = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                results.append(str(reported["exceptionDetails"].get("exception", reported["exceptionDetails"])))
            elif event["method"] == "Runtime.consoleAPICalled" and reported["type"] in ("error", "assert"):
                results.append(str(reported["args"]))
            elif event["method"] == "Log.entryAdded" and reported["entry"]["level"] == "error":
                results.append(reported["entry"]["text"])
        return results

    def requests(self) -> list[str]:
        """The addresses that the page asked for."""
        return [
            event["params"]["request"]["url"] for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]  # fmt: skip
