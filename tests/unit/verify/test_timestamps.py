"""timestamp.token, and time-stamps as one more chain (FORMATS sections 9, 11 and 12)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from desk import Desk
from evidence import Scene, approved, codes, plain
from trusted import trust_toml
from tsa import STAMPED, integer, make_ca, make_response, make_signer, make_token, seq
from vermilion_ledger.encoding import encode_json, encode_time
from vermilion_ledger.errors import InputError, NotFoundError, UnavailableError
from vermilion_ledger.timestamp.authority import parse_authority
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import CheckStatus, Report, Verdict
from vermilion_verify.timestamps import load_authorities

ROOT, SECOND_ROOT = make_ca("First Root"), make_ca("Second Root")
SIGNER, SECOND = make_signer(ROOT, "First TSA"), make_signer(SECOND_ROOT, "Second TSA")
AUTHORITIES = (
    parse_authority("first.pem", ROOT.pem),
    parse_authority("second.pem", SECOND_ROOT.pem),
)
FIRST_ONLY = AUTHORITIES[:1]


def stamped(scene: Scene, *tokens: bytes, **question: Any) -> Report:
    policy = scene.trust(**question.pop("trust", {}))
    bundle = scene.bundle(timestamps=tokens)
    return scene.verify(bundle, policy=policy, **{"authorities": AUTHORITIES} | question)


def detail(report: Report) -> Any:
    found = report.check("timestamp.token")
    assert found is not None
    return found.detail


def test_a_time_stamp_over_the_checkpoint_passes_and_is_shown() -> None:
    scene = approved()

    report = stamped(scene, make_token(SIGNER, scene.signed_text()))

    assert report.verdict is Verdict.PROVEN
    assert codes(report, CheckStatus.PASS)["timestamp.token"] == ""
    assert detail(report)["timestamps"] == [
        {
            "authority": "CN=First TSA",
            "notAfter": encode_time(STAMPED),
            "serial": "7",
            "policy": "1.2.3.4.1",
        }
    ]


def test_without_one_nothing_is_asked() -> None:
    assert codes(stamped(plain()), CheckStatus.ABSENT).keys() >= {"timestamp.token"}


@pytest.mark.parametrize("required", ["0", "1"])
def test_a_stranger_is_ignored_and_cannot_count(required: str) -> None:
    scene = plain()
    token = make_token(SECOND, scene.signed_text())

    report = stamped(scene, token, authorities=FIRST_ONLY, trust={"timestamps": required})

    if required == "0":
        assert report.verdict is Verdict.PROVEN
        assert "nobody whom the policy names" in detail(report)["message"]
    else:
        assert report.verdict is Verdict.CANNOT_TELL
        assert codes(report, CheckStatus.UNKNOWN) == {"timestamp.token": "timestamp.missing"}
        assert detail(report)["ignored"] == 1


def test_a_policy_without_roots_ignores_everybody() -> None:
    scene = plain()

    report = stamped(scene, make_token(SIGNER, scene.signed_text()), authorities=())

    assert codes(report, CheckStatus.ABSENT).keys() >= {"timestamp.token"}


def test_two_required_are_two_authorities() -> None:
    scene = plain()
    text = scene.signed_text()
    first, again = make_token(SIGNER, text), make_token(SIGNER, text, serial=8)
    second = make_token(SECOND, text)
    two = {"trust": {"timestamps": "2"}}

    assert stamped(scene, first, second, **two).verdict is Verdict.PROVEN
    for tokens in ((), (first,), (first, again)):
        report = stamped(scene, *tokens, **two)
        assert report.verdict is Verdict.CANNOT_TELL
        assert codes(report, CheckStatus.UNKNOWN) == {"timestamp.token": "timestamp.missing"}
        assert len(detail(report)["timestamps"]) == len(tokens)


@pytest.mark.parametrize("required", ["0", "1"])
@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda text: b"token", "der.malformed"),
        (lambda text: b"", "der.malformed"),
        (lambda text: b"<html>busy</html>", "der.malformed"),
        (lambda text: make_token(SIGNER, text)[:-1], "der.malformed"),
        (lambda text: make_response(make_token(SIGNER, text)), "timestamp.response"),
        (lambda text: make_token(SIGNER, text + b"\n"), "timestamp.imprint"),
        (lambda text: make_token(SIGNER, text[:-1]), "timestamp.imprint"),
        (lambda text: make_token(SIGNER, text, signature=b"\x30\x00"), "timestamp.signature"),
        (lambda text: make_token(SECOND, text, signature=b"\x30\x00"), "timestamp.signature"),
        (lambda text: make_token(SIGNER, text, named=SECOND), "timestamp.certificate-id"),
        (lambda text: make_token(make_signer(ROOT, usages=()), text), "timestamp.key-usage"),
        (
            lambda text: make_token(
                make_signer(ROOT, end=STAMPED.replace(year=2026, month=1)), text
            ),
            "timestamp.not-valid-then",
        ),
    ],
)
def test_one_that_does_not_hold_refutes_even_beside_a_good_one(
    make: Any, code: str, required: str
) -> None:
    scene = plain()
    text = scene.signed_text()

    report = stamped(scene, make_token(SECOND, text), make(text), trust={"timestamps": required})

    assert report.verdict is Verdict.REFUTED
    assert codes(report) == {"timestamp.token": code}


@pytest.mark.parametrize(
    ("required", "verdict"), [("0", Verdict.PROVEN), ("1", Verdict.CANNOT_TELL)]
)
def test_one_that_nobody_here_can_check_spoils_nothing_unless_required(
    required: str, verdict: Verdict
) -> None:
    scene = plain()
    token = make_token(SIGNER, scene.signed_text(), scheme="1.3.101.112")

    report = stamped(scene, token, trust={"timestamps": required})

    assert report.verdict is verdict
    assert "timestamp.token" in codes(report, CheckStatus.UNKNOWN)


def test_the_time_stamp_of_an_earlier_checkpoint_is_refuted() -> None:
    scene = plain()
    token = make_token(SIGNER, scene.signed_text())
    scene.event("review")
    scene.anchor()

    assert codes(stamped(scene, token)) == {"timestamp.token": "timestamp.imprint"}


# -- k of n: [anchors] timestamps_count


def counting(required: int) -> dict[str, Any]:
    return {"trust": {"anchors": f"{required}\ntimestamps_count = true"}}


def test_time_stamps_together_count_as_one_more_chain() -> None:
    scene = plain()
    text = scene.signed_text()
    tokens = (make_token(SIGNER, text), make_token(SECOND, text))

    assert stamped(scene, *tokens, **counting(2)).verdict is Verdict.PROVEN
    assert stamped(scene, *tokens, **counting(3)).verdict is Verdict.PENDING
    assert stamped(scene, *tokens, trust={"anchors": "2"}).verdict is Verdict.PENDING


def test_what_is_ignored_counts_for_no_chain() -> None:
    scene = plain()
    token = make_token(SECOND, scene.signed_text())

    report = stamped(scene, token, authorities=FIRST_ONLY, **counting(2))

    assert report.verdict is Verdict.PENDING


def test_a_time_stamp_alone_is_enough_where_the_policy_says_so() -> None:
    scene = plain(anchored=False)
    token = make_token(SIGNER, scene.signed_text())

    report = stamped(scene, token, **counting(1))

    assert report.verdict is Verdict.PROVEN
    assert report.as_of_time is None
    assert codes(report, CheckStatus.ABSENT).keys() >= {"anchor.block", "time.interval"}


@pytest.mark.parametrize(
    ("policy", "question"),
    [
        ({}, {"as_of": STAMPED}),
        ({"max_age": '"P1D"'}, {}),
    ],
)
def test_a_time_stamp_that_counts_as_a_chain_makes_no_checkpoint_fresh(
    policy: dict[str, str], question: dict[str, Any]
) -> None:
    scene = plain(anchored=False)
    token = make_token(SIGNER, scene.signed_text())
    trust = counting(1)["trust"] | policy

    report = stamped(scene, token, trust=trust, **question)

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == {"time.interval": "time.not-fresh"}


def test_a_time_stamp_of_the_last_second_that_dates_have_ends_nothing() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    root = make_ca("Root without end", end=end)
    scene = plain()
    accuracy = seq(integer(1))
    token = make_token(make_signer(root, end=end), scene.signed_text(), time=end, accuracy=accuracy)

    report = stamped(scene, token, authorities=[root.authority()])

    assert report.verdict is Verdict.PROVEN
    assert detail(report)["timestamps"][0]["notAfter"] == "9999-12-31T23:59:59Z"


def test_with_an_anchor_that_nobody_vouches_for_it_cannot_be_told() -> None:
    scene = plain()
    token = make_token(SIGNER, scene.signed_text())

    report = stamped(scene, token, hashes={}, **counting(2))

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN)["anchor.finality"] == "anchor.not-vouched"


# -- the files that a policy names


def test_roots_are_read_relative_to_the_policy(tmp_path: Path) -> None:
    (tmp_path / "tsa.pem").write_bytes(ROOT.pem)
    scene = plain()
    text = scene_toml(scene, 'roots = ["tsa.pem", "tsa.pem"]')

    policy = parse_trust_policy(text, folder=tmp_path)
    (authority,) = load_authorities(policy.timestamp_roots)

    assert authority.roots == (ROOT.certificate,)


def scene_toml(scene: Scene, line: str) -> bytes:
    return trust_toml([scene.chain], timestamps=f"1\n{line}").encode()


def test_a_missing_file_of_roots_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        load_authorities([tmp_path / "tsa.pem"])
    assert caught.value.code == "timestamp.roots-missing"


def test_a_folder_in_its_place_is_out_of_reach(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        load_authorities([tmp_path])
    assert caught.value.code == "timestamp.roots-unreadable"


@pytest.mark.parametrize("data", [b"", SIGNER.pem, b"x" * (1024 * 1024 + 1)])
def test_a_file_without_roots_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "tsa.pem").write_bytes(data)

    with pytest.raises(InputError) as caught:
        load_authorities([tmp_path / "tsa.pem"])
    assert caught.value.code == "timestamp.roots"


# -- the command


def test_the_command_shows_whose_time_stamp_holds(desk: Desk) -> None:
    scene = approved()
    desk.lay(scene, timestamps='1\nroots = ["tsa.pem"]')
    bundle = scene.bundle(timestamps=(make_token(SIGNER, scene.signed_text()),))
    (desk.folder / "bundle").write_bytes(encode_json(bundle.to_json()))
    (desk.folder / "tsa.pem").write_bytes(ROOT.pem)

    code, printed, _ = desk.run()

    assert code == 0, printed
    assert f"Time-stamp: not after {encode_time(STAMPED)}, says CN=First TSA" in printed


def test_a_bundle_reads_back_with_its_time_stamps() -> None:
    scene = plain()
    token = make_token(SIGNER, scene.signed_text())
    bundle = scene.bundle(timestamps=(token,))

    assert scene.verify(encode_json(bundle.to_json()), authorities=AUTHORITIES).verdict is (
        Verdict.PROVEN
    )
