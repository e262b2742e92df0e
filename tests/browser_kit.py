"""A real Chromium over its DevTools protocol, with a device that holds passkeys. Not a test.

The browser is the one that `make` unpacks beside ``tests/browser/package.json``,
else the machine's own. Its virtual authenticator (Web Authentication, section 11)
stands in for the device in a person's hand; everything else is as people have it.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

__all__ = ["Browser", "Page", "find_chromium", "opened"]

_UNPACKED = Path(__file__).parent / "browser" / "node_modules" / ".chromium"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--remote-debugging-port=0"),
)
_TIMEOUT = 60.0  # seconds


def find_chromium() -> tuple[str, dict[str, str]]:
    """The program and the environment that it needs; skips where there is none."""
    own = _UNPACKED / "chromium"
    if own.exists() and sys.platform == "linux" and platform.machine() == "x86_64":
        return str(own), {**os.environ, "LD_LIBRARY_PATH": str(_UNPACKED / "lib")}
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        # An outside program where npm has none for this machine; verifying is tested without it.
        pytest.skip("no Chromium: `make test` unpacks one on Linux x86-64, or install chromium")
    return found, dict(os.environ)


@dataclass
class Page:
    """One tab with its own device, and all that it asked for and complained of."""

    browser: Browser
    session: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    change: Callable[[str, bytes], bytes] | None = None

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, session=self.session, **parameters)

    def add_device(self, *, verified: bool = True) -> str:
        """Give the tab a device that holds passkeys; whether it knows its user is told here."""
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": verified,
            "automaticPresenceSimulation": True,
        }
        return str(
            self.call("WebAuthn.addVirtualAuthenticator", options=options)["authenticatorId"]
        )

    def verify_user(self, device: str, *, verified: bool) -> None:
        self.call("WebAuthn.setUserVerified", authenticatorId=device, isUserVerified=verified)

    def go(self, url: str) -> None:
        """Open an address and wait until its script has started."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression or promise, as if a person had just clicked."""
        answer = self.call(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        deadline = time.monotonic() + _TIMEOUT
        while not self.run(f"!!({condition})"):
            assert time.monotonic() < deadline, f"{condition} never came; {self.text('#notice')}"
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def fill(self, selector: str, value: str) -> None:
        self.run(
            f"(() => {{ const place = document.querySelector({json.dumps(selector)});"
            f" place.value = {json.dumps(value)};"
            " place.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )

    def click(self, selector: str) -> None:
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def choose_file(self, selector: str, path: Path) -> None:
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def lie(self, change: Callable[[str, bytes], bytes]) -> None:
        """From now on the ledger's answers to /v1/ are what a function makes of them."""
        self.change = change
        self.call("Fetch.enable", patterns=[{"urlPattern": "*/v1/*", "requestStage": "Response"}])

    def picture(self, path: Path) -> None:
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def take(self, message: dict[str, Any]) -> None:
        """Note what the browser tells by itself, and answer a request that is held up."""
        method, told = message["method"], message["params"]
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.complaints.append(f"{told['entry']['level']}: {told['entry']['text']}")
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(told["args"]))
        elif method == "Fetch.requestPaused":
            self._answer(told)

    def _answer(self, told: dict[str, Any]) -> None:
        assert self.change is not None
        number = told["requestId"]
        found = self.call("Fetch.getResponseBody", requestId=number)
        body = found["body"].encode()
        if found["base64Encoded"]:
            body = base64.b64decode(found["body"])
        changed = self.change(told["request"]["url"], body)
        self.call(
            "Fetch.fulfillRequest",
            requestId=number,
            responseCode=told["responseStatusCode"],
            responseHeaders=[{"name": "Content-Type", "value": "application/json"}],
            body=base64.b64encode(changed).decode(),
        )


@dataclass
class Browser:
    """Our end of the protocol."""

    socket: ClientConnection
    pages: dict[str, Page] = field(default_factory=dict)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    number: int = 0

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        self.number += 1
        number = self.number
        question = {"id": number, "method": method, "params": parameters}
        if session:
            question["sessionId"] = session
        self.socket.send(json.dumps(question))
        deadline = time.monotonic() + _TIMEOUT
        while number not in self.answers:
            message = json.loads(self.socket.recv(timeout=deadline - time.monotonic()))
            page = self.pages.get(message.get("sessionId", ""))
            if "id" in message:  # perhaps of a question asked before: a page may ask in between
                self.answers[message["id"]] = message
            elif page is not None:
                page.take(message)
        answer = self.answers.pop(number)
        assert "error" not in answer, answer["error"]
        return dict(answer["result"])

    @contextmanager
    def page(self, *, language: str = "en") -> Iterator[Page]:
        """A fresh tab in a profile of its own, as of a person who reads this language."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        made = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        session = self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        page = self.pages[session["sessionId"]] = Page(self, session["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log", "DOM", "WebAuthn"):
            page.call(f"{domain}.enable")
        page.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        try:
            yield page
        finally:
            del self.pages[session["sessionId"]]
            self.call("Target.disposeBrowserContext", browserContextId=context)


@contextmanager
def opened(folder: Path) -> Iterator[Browser]:
    """Run a browser with a new profile until the end of the block."""
    program, environment = find_chromium()
    told = folder / "told.txt"  # a file, not a pipe: nobody reads it later on
    with told.open("wb") as log:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        address = _address(told, process)
        with connect(address, max_size=None, open_timeout=_TIMEOUT, proxy=None) as socket:
            browser = Browser(socket)
            yield browser
            browser.call("Browser.close")
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
    finally:
        process.kill()
        process.wait()


def _address(told: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        text = told.read_text(errors="replace")
        _, found, rest = text.partition("DevTools listening on ")
        if found and "\n" in rest:
            return rest.split("\n")[0].strip()
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.02)
