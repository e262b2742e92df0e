"""Idempotency keys: one request, one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from vermilion_api.services.answers import Answer, AnswerBook
from vermilion_ledger.errors import EvidenceError, UnavailableError
from vermilion_ledger.rows import Idempotency

REQUEST = ("POST", "/v1/records", b"{}")


@dataclass
class Kept:
    request_hash: bytes
    status: int | None = None
    body: bytes | None = None


class Responses:
    """A response store in memory; `run` enters keys as the intake would."""

    def __init__(self) -> None:
        self.rows: dict[str, Kept] = {}
        self.is_full = False

    def load(self, key: str) -> Kept | None:
        return self.rows.get(key)

    def save(self, key: str, *, status: int, body: bytes, created_at: datetime) -> None:
        if self.is_full:
            raise UnavailableError("store.disk-full", "full")
        self.rows[key].status, self.rows[key].body = status, body


class Book:
    """The answer book with a counter of runs."""

    def __init__(self) -> None:
        self.store = Responses()
        self.book = AnswerBook(self.store, lambda: datetime(2026, 11, 21, tzinfo=UTC))
        self.runs = 0
        self.answer = Answer(status=200, body=b"first")

    async def run(self, idempotency: Idempotency | None) -> Answer:
        self.runs += 1
        if idempotency is not None:
            self.store.rows.setdefault(idempotency.key, Kept(idempotency.request_hash))
        await asyncio.sleep(0)
        return self.answer

    def ask(self, key: str | None, request: tuple[str, str, bytes] = REQUEST) -> Answer:
        return asyncio.run(self.book.answer(key, request, self.run))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(EvidenceError) as caught:
        call()
    return caught.value.code


def test_the_same_request_gets_the_first_answer() -> None:
    book = Book()
    book.ask("k")
    book.answer = Answer(status=200, body=b"second")

    again = book.ask("k")

    assert (again.body, again.is_replayed, book.runs) == (b"first", True, 1)


def test_without_a_key_every_request_runs() -> None:
    book = Book()
    book.ask(None)
    book.ask(None)

    assert book.runs == 2


@pytest.mark.parametrize(
    "request_", [("POST", "/v1/records", b"{ }"), ("POST", "/v1/records/bulk", b"{}")]
)
def test_another_request_under_the_key_is_refused(request_: tuple[str, str, bytes]) -> None:
    book = Book()
    book.ask("k")

    assert code_of(lambda: book.ask("k", request_)) == "idempotency.other-body"


def test_while_the_first_runs_the_second_is_refused() -> None:
    book = Book()

    async def both() -> list[Answer | BaseException]:
        calls: list[Awaitable[Answer]] = [
            book.book.answer("k", REQUEST, book.run) for _ in range(2)
        ]
        return await asyncio.gather(*calls, return_exceptions=True)

    found = asyncio.run(both())

    assert [getattr(each, "code", "answered") for each in found] == [
        "answered",
        "idempotency.running",
    ]


def test_what_was_told_when_the_time_was_up_is_asked_again() -> None:
    book = Book()
    book.answer = Answer(status=202, body=b"on its way", is_last=False)
    book.ask("k")
    book.answer = Answer(status=200, body=b"there")

    assert book.ask("k").body == b"there"


def test_a_process_that_died_before_it_answered_derives_the_answer_again() -> None:
    book = Book()
    book.store.is_full = True
    book.ask("k")
    book.store.is_full = False

    assert book.ask("k").is_replayed is False
    assert book.ask("k").is_replayed is True


def test_a_refusal_is_repeated_as_a_problem() -> None:
    book = Book()
    book.answer = Answer(status=422, body=b"{}", media_type="application/problem+json")
    book.ask("k")

    again = book.ask("k")

    assert (again.status, again.media_type) == (422, "application/problem+json")


def test_an_error_leaves_the_key_free() -> None:
    book = Book()

    async def fail(_: Idempotency | None) -> Answer:
        raise UnavailableError("store.busy", "busy")

    assert code_of(lambda: asyncio.run(book.book.answer("k", REQUEST, fail))) == "store.busy"
    assert book.ask("k").body == b"first"


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 256, "a\n"])
def test_a_key_is_visible_ascii(key: str) -> None:
    assert code_of(lambda: Book().ask(key)) == "idempotency.key"
