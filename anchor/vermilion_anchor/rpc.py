"""JSON-RPC over HTTP to a node that may be slow, broken or hostile.

Owns the transport of the chain client (JSON-RPC 2.0, Ethereum execution API) and
is the only module that imports requests. An answer is bounded in time as a whole,
in bytes and in members before anything is made of it, and read strictly; nothing
is followed and nothing unpacked. Whatever is odd is UnavailableError, since
another node, or the same one later, may do better. What the values mean is for
`vermilion_anchor.evm`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
import urllib3

from vermilion_ledger.encoding import check_depth
from vermilion_ledger.errors import InputError, UnavailableError

__all__ = ["RefusalError", "RpcTransport"]

_ANSWER_SIZE_MAX = 32 * 1024 * 1024  # bytes; all receipts of the fullest block take some 20 MiB
_MEMBER_COUNT_MAX = 1 << 20  # values in an answer: each costs some ten times its bytes in memory
_CHUNK_SIZE = 1 << 16
_OPEN_COUNT_MAX = 16  # questions in flight; more than any process has threads that ask
_WORDS_MAX = 200  # characters of what a node says that are passed on
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # an answer that unpacks has no bound
}


class RefusalError(Exception):
    """The node answered with an error; for `vermilion_anchor.evm` alone.

    Attributes:
        number: Error code of JSON-RPC, as far as it is one.
        data: What came with it, in hex where a call reverted; else empty.
    """

    def __init__(self, error: object) -> None:
        members: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
        # ASCII alone: what a stranger says ends in a log, and on a terminal
        super().__init__(f"{str(members.get('message', ''))[:_WORDS_MAX]!a}")
        self.number = members.get("code")
        data = members.get("data")
        if isinstance(data, dict):  # Ganache wraps it where it estimates gas
            data = data.get("result")
        self.data = data if isinstance(data, str) else ""


class RpcTransport:
    """One endpoint. Safe to share between threads; keeps connections open between questions.

    Args:
        url: Its http or https address; user and password in it, and the proxies
            of the environment, are used. A redirection is not followed.
        timeout_seconds: For each answer as a whole, however slowly it drips.
    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self.name = _name_of(url)
        self._url = url
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.headers.update(_HEADERS)
        self._numbers = count(1)
        self._open = BoundedSemaphore(_OPEN_COUNT_MAX)

    def ask(self, method: str, parameters: Sequence[object]) -> Any:
        """Return the result of a call, of any JSON type.

        Raises:
            RefusalError: The node answered with an error.
            UnavailableError: ``chain.unreachable``: nothing, or an HTTP error, came
                in time; ``chain.bad-answer``: something else than an answer did.
        """
        number = next(self._numbers)
        question = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
        body = self._post(method, json.dumps(question).encode())
        try:
            answer = _decode(body)
        except (ValueError, InputError) as exc:
            raise UnavailableError(
                "chain.bad-answer", f"{self.name} gave no JSON to {method}"
            ) from exc
        if not isinstance(answer, dict) or answer.get("id") != number:
            raise UnavailableError(
                "chain.bad-answer", f"{self.name} gave no answer to this {method}"
            )
        error, result = answer.get("error"), answer.get("result")
        if (error is not None and result is not None) or not answer.keys() & {"error", "result"}:
            raise UnavailableError(
                "chain.bad-answer", f"{self.name} gave neither or both of result and error"
            )
        if error is not None:
            raise RefusalError(error)
        return result

    def _post(self, method: str, body: bytes) -> bytes:
        """Return the body of the answer.

        Asked from a thread of its own: a socket's timeout starts anew with every
        byte, and name servers have none at all. Threads that a node keeps waiting
        are bounded in number; they write nothing but their own queue.
        """
        if not self._open.acquire(blocking=False):
            raise UnavailableError(
                "chain.unreachable", f"{self.name} has {_OPEN_COUNT_MAX} questions to answer"
            )
        answers: SimpleQueue[bytes | Exception] = SimpleQueue()
        Thread(
            target=self._exchange, args=(body, answers.put), name="chain-rpc", daemon=True
        ).start()
        try:
            answer = answers.get(timeout=self._timeout)
        except Empty as exc:
            raise UnavailableError(
                "chain.unreachable", f"{self.name} is silent on {method} for {self._timeout} s"
            ) from exc
        if isinstance(answer, requests.RequestException | urllib3.exceptions.HTTPError | OSError):
            # named by its class alone: its words may hold the address, and that a secret
            raise UnavailableError(
                "chain.unreachable",
                f"{self.name} does not answer {method}: {type(answer).__name__}",
            ) from answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _exchange(self, body: bytes, give: Callable[[bytes | Exception], None]) -> None:
        try:
            give(self._read(body, time.monotonic() + self._timeout))
        except Exception as exc:  # noqa: BLE001 - handed to the asking thread, which raises it
            give(exc)
        finally:
            self._open.release()

    def _read(self, body: bytes, deadline: float) -> bytes:
        with self._session.post(
            self._url, data=body, timeout=self._timeout, allow_redirects=False, stream=True
        ) as response:
            if response.status_code != requests.codes.ok:
                raise UnavailableError(
                    "chain.unreachable", f"{self.name} answers with HTTP {response.status_code}"
                )
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise UnavailableError("chain.bad-answer", f"{self.name} gave a packed answer")
            chunks, size = [], 0
            while chunk := response.raw.read1(_CHUNK_SIZE):
                chunks.append(chunk)
                size += len(chunk)
                if size > _ANSWER_SIZE_MAX:
                    raise UnavailableError(
                        "chain.bad-answer", f"{self.name} gave more than {_ANSWER_SIZE_MAX} bytes"
                    )
                if time.monotonic() > deadline:  # nobody waits any more
                    raise UnavailableError(
                        "chain.unreachable", f"{self.name} takes more than {self._timeout} s"
                    )
            return b"".join(chunks)


def _decode(body: bytes) -> Any:
    """Read JSON without doubled names and without NaN.

    Raises:
        ValueError: Anything else, or too many members.
        InputError: Nested too deep.
    """
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > _MEMBER_COUNT_MAX:
        raise ValueError("too many members")
    check_depth(body, "answer")
    return json.loads(
        body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _name_of(url: str) -> str:
    """Return host and port: the rest of an address may hold a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "an address that cannot be read"
    host = parts.hostname or "an address without a host"
    return host if port is None else f"{host}:{port}"
