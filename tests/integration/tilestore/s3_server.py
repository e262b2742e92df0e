"""A real S3 API server on 127.0.0.1: moto's, behind a gate that can misbehave.

moto looks and then stores, so two requests at once could both create an
object; the gate lets one through at a time, as a real store would seem to.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

__all__ = ["S3Server", "running_s3"]

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class S3Server:
    """The server's address, and the ways in which it can be made to fail.

    Attributes:
        ignores_conditions: Whether If-None-Match is taken away, as a store or
            a proxy does that has never heard of it.
        failures: How many of the next requests are answered 503.
        lost_answers: How many of the next PUTs are done and then answered 503.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._turn = threading.Lock()
        self.endpoint = ""
        self.ignores_conditions = False
        self.failures = 0
        self.lost_answers = 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        if len(body) < length:  # the client died: a store keeps no part of an object
            return self._refuse(start, "400 Bad Request")
        environ["wsgi.input"] = _Body(body)
        with self._turn:
            if self.failures:
                self.failures -= 1
                return self._refuse(start, "503 Slow Down")
            if self.ignores_conditions:
                environ.pop("HTTP_IF_NONE_MATCH", None)
            if self.lost_answers and environ["REQUEST_METHOD"] == "PUT":
                self.lost_answers -= 1
                list(self._app(environ, lambda *_: None))
                return self._refuse(start, "503 Slow Down")
            return list(self._app(environ, start))

    def create_bucket(self, name: str) -> None:
        """Create a bucket."""
        with urlopen(Request(f"{self.endpoint}/{name}", method="PUT"), timeout=10) as answer:
            assert answer.status == 200

    @staticmethod
    def _refuse(start: Callable[..., Any], status: str) -> Iterable[bytes]:
        start(status, [("Content-Length", "0")])
        return [b""]


class _Body:
    """A request's body, read whole before."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def read(self, size: int = -1) -> bytes:
        size = len(self._left) if size < 0 else size
        part, self._left = self._left[:size], self._left[size:]
        return part


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """Run a server for as long as needed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    gate = S3Server(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True)
    gate.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, name="s3")
    thread.start()
    try:
        yield gate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
