"""Problems and exit codes: one table each, and no traceback for anybody."""

from __future__ import annotations

import pytest

from vermilion_api import cli
from vermilion_api.http import language_of, trace_of
from vermilion_api.problems import (
    error_from_status,
    exit_code,
    http_status,
    problem,
    refusal_status,
)
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    IntegrityError,
    LimitError,
    NotFoundError,
    RootMismatchError,
    SignatureError,
    UnavailableError,
    VerificationError,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InputError("json.malformed", "x"), 400, 2),
        (LimitError("request.too-large", "x", found=2, limit=1), 413, 2),
        (InputError("grade.refused", "x"), 422, 4),
        (VerificationError("statement.other-record", "x"), 422, 1),
        (SignatureError("signature.bad", "x"), 422, 1),
        (SignatureError("key.unknown", "x"), 422, 4),
        (VerificationError("key.may-not", "x"), 422, 4),
        (VerificationError("statement.decision-order", "x"), 409, 1),
        (RootMismatchError(stated=b"", computed=b""), 422, 1),
        (NotFoundError("record.unknown", "x"), 404, 6),
        (NotFoundError("settings.missing", "x"), 404, 2),
        (ConflictError("record.exists", "x"), 409, 1),
        (ConflictError("idempotency.other-body", "x"), 422, 1),
        (UnavailableError("store.busy", "x"), 503, 5),
        (UnavailableError("store.disk-full", "x"), 507, 5),
        (IntegrityError("log.gap", "x"), 500, 70),
    ],
)
def test_every_class_of_error_has_a_status_and_an_exit_code(
    error: EvidenceError, status: int, code: int
) -> None:
    assert http_status(error) == status
    assert exit_code(error) == code


def test_a_refusal_of_the_sequencer_has_the_status_of_its_code() -> None:
    assert refusal_status("statement.nonce-reused") == 409
    assert refusal_status("key.not-valid") == 422


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422, 500, 502, 503, 507])
def test_a_command_gives_a_problem_its_class_back(status: int) -> None:
    error = error_from_status(status, "some.code", "x")

    if status in {400, 404, 409, 422, 500, 503}:
        assert http_status(error) == status
    assert error.code == "some.code"


def test_a_problem_has_the_members_of_rfc_9457_and_ours() -> None:
    found = problem("json.duplicate-key", "x", status=400, language="zh-CN", trace_id=TRACE)

    assert set(found) == {"type", "title", "status", "detail", "code", "hint", "trace_id"}
    assert "成员" in str(found["hint"])


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,zh;q=0.9", "en"),
        ("zh;q=0.1,en;q=0.2", "en"),
        ("zh-Hant-TW", "zh-CN"),
        ("fr", "en"),
        ("zh;q=0", "en"),
        (";;;q=,", "en"),
        ("zh;q=" + "9" * 100, "en"),
    ],
)
def test_the_language_is_the_one_liked_better(header: str, language: str) -> None:
    assert language_of(header) == language


def test_a_trace_id_is_taken_from_the_caller_or_drawn() -> None:
    assert trace_of({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}) == TRACE
    assert len(trace_of({"traceparent": "00-xyz"})) == 32


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], 2),
        (["bundle"], 2),
        (["--nonsense"], 2),
        (["serve", "--home", "/nonexistent/home"], 2),
        (["sequencer", "--home", "/nonexistent/home"], 2),
        (["anchorer", "--home", "/nonexistent/home"], 2),
        (["trust", "export", "--home", "/nonexistent/home"], 2),
        (["approve", "rec_x"], 2),
        (["approve", "rec_x", "--key", "/nonexistent/key.json"], 2),
        (["event", "rec_x", "seal", "--detail", "{"], 2),
        (["event", "rec_x", "seal", "--detail", "@/nonexistent"], 2),
        (["keys", "new", "--owner-id", "", "-o", "/nonexistent/k"], 2),
        (["status", "--url", "nonsense://x"], 2),
    ],
)
def test_a_wrong_command_line_ends_with_a_code_and_without_a_traceback(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == code

    told = capsys.readouterr()
    assert "Traceback" not in told.err + told.out
    assert told.err or told.out


def test_what_nobody_meant_ends_with_70_and_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_arguments: list[str]) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("vermilion_api.cli.app.run", fail)
    monkeypatch.delenv("VERMILION_DEBUG", raising=False)

    assert cli.main([]) == 70

    told = capsys.readouterr().err
    assert "error[internal]" in told
    assert "Traceback" not in told


def test_a_missing_extra_is_named_politely(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_arguments: list[str]) -> int:
        raise ModuleNotFoundError(name="uvicorn")

    monkeypatch.setattr("vermilion_api.cli.app.run", fail)

    assert cli.main([]) == 2
    assert "vermilion[server]" in capsys.readouterr().err


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("vermilion_api.cli.app.run", stop)

    assert cli.main([]) == 130


def test_errors_are_told_in_the_language_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cli.main(["serve", "--home", "/nonexistent/home", "--lang", "zh-CN"])

    assert "错误[settings.missing]" in capsys.readouterr().err


def test_a_message_cannot_move_the_cursor_of_a_terminal() -> None:
    told = cli.render_error(InputError("x.y", "a\x1b[2Jb\nc"), "en")

    assert "\x1b" not in told
    assert told.count("\n") == 0
