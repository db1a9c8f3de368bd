"""A real browser for tests: Chromium, driven through two pipes.

The DevTools protocol over `--remote-debugging-pipe` is messages of JSON with a
zero byte after each: no driver has to be installed, and nothing listens.
"""

import base64
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import time
from typing import Any

import pytest

# What `make browser` unpacks: the same version everywhere, so it goes first.
_PINNED = pathlib.Path(__file__).parents[1] / "tools/browser/chromium/start"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)
# Chromium reads from descriptor 3 and writes to 4.
_PIPES = (
    "import os, sys; r, w = map(int, sys.argv[1:3]); a, b = os.dup(r), "
    "os.dup(w); os.dup2(a, 3); os.dup2(b, 4); "
    "os.set_inheritable(3, True); os.set_inheritable(4, True); "
    "os.execvp(sys.argv[3], sys.argv[3:])"
)
_SECONDS = 30.0


def find() -> str:
    """Path of a Chromium; skips the test where there is none."""
    if _PINNED.is_file():
        return str(_PINNED)
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip(
        f"no browser: `make browser` unpacks one; none of {', '.join(_NAMES)} "
        "is installed either"
    )


class Browser:
    """One page of a browser of its own, with an empty profile in `folder`."""

    def __init__(self, folder: pathlib.Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        command = [sys.executable, "-I", "-S", "-c", _PIPES]
        command += [str(to_read), str(to_write), find(), *_FLAGS]
        command += [f"--user-data-dir={folder}"]
        self._process = subprocess.Popen(
            command,
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session: str | None = None
        # What the page complained of: exceptions, console errors.
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")
        attached = self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: Any) -> None:
        self._session = None
        self._send("Browser.close", {})
        try:
            self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        os.close(self._write)

    def call(self, method: str, **parameters: Any) -> Any:
        """Calls a method of the protocol and returns its result."""
        number = self._send(method, parameters)
        deadline = time.monotonic() + _SECONDS
        while True:
            message = self._receive(deadline)
            if message.get("id") != number:
                self._note(message)
            elif "error" in message:
                raise AssertionError(f"{method}: {message['error']}")
            else:
                return message["result"]

    def open(self, url: str, until: str = "true") -> None:
        """Opens a page and waits until it is loaded, and `until` is true."""
        self.call("Page.navigate", url=url)
        self.wait_for(
            f"location.href !== 'about:blank' && "
            f"document.readyState === 'complete' && ({until})"
        )

    def ask(self, expression: str) -> Any:
        """Value of a JavaScript expression, of a promise what it gives."""
        found = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in found:
            raise AssertionError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Waits until a JavaScript expression is true."""
        deadline = time.monotonic() + _SECONDS
        while not self.ask(f"Boolean({expression})"):
            if time.monotonic() > deadline:
                body = self.ask("document.body.innerText")
                raise AssertionError(f"never true: {expression}\n{body}")
            time.sleep(0.05)

    def press(self, key: str, code: int, text: str = "", **more: Any) -> None:
        """Presses a key; `code` is its Windows number."""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **({"text": text} if text and kind == "keyDown" else {}),
                **more,
            )

    def write(self, text: str) -> None:
        """Writes where the focus is."""
        self.call("Input.insertText", text=text)

    def show_as(
        self, width: int, height: int, *, dark: bool = False, scale: float = 1
    ) -> None:
        """Sets the size of the window, in CSS pixels, and the colours."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = "dark" if dark else "light"
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def picture(self, path: pathlib.Path) -> None:
        """Writes a PNG of what the window shows."""
        found = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))

    def _send(self, method: str, parameters: dict[str, Any]) -> int:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return number

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._read], [], [], max(0.0, left))
            data = os.read(self._read, 1 << 16) if ready else b""
            if not data:
                raise AssertionError("the browser does not answer")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, message: dict[str, Any]) -> None:
        """Keeps what an event complains of."""
        parameters = message.get("params", {})
        method = message.get("method")
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded":
            entry = parameters["entry"]
            if entry["level"] == "error":
                self.errors.append(f"{entry['text']} {entry.get('url', '')}")
        elif method == "Runtime.consoleAPICalled":
            if parameters["type"] in ("error", "assert"):
                self.errors.append(json.dumps(parameters["args"]))
