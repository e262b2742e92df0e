"""A ledger that lies about its keys: a real one, with its own keys, run by somebody dishonest.

It takes in what a revoked key signed, dated back to when the key was good, and
leaves the revocation out: of the bundle, of the registry file, or of both. With
the bundle alone nobody can tell; with the registry file and the log's entries
an auditor finds each lie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from served import Served, prepare, serving, sha256
from vermilion_api.cli import main as operate
from vermilion_api.signing import sign_statement
from vermilion_ledger.bundle import EvidenceBundle, closing_message, parse_bundle
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.envelope import Envelope, make_envelope, sign_intake
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import Pending, Submission
from vermilion_ledger.schemes import ed25519
from vermilion_verify.cli import main as verify

OLD_DATE = "2020-01-01T00:00:00Z"


class AdmitsAll:
    """What a dishonest operator puts in the place of admission."""

    def admit(self, pending: Pending, *, index: int, sequence: int, view: HistoryView) -> None:
        """Ask nothing."""


@dataclass(frozen=True)
class Office:
    """What an auditor got: the trust policy in person, all else from the ledger."""

    folder: Path
    bundle: EvidenceBundle
    registry: dict[str, Any]
    revocation: dict[str, Any]
    close: Callable[[EvidenceBundle], EvidenceBundle]

    def judge(
        self,
        capsys: pytest.CaptureFixture[str],
        *,
        bundle: EvidenceBundle | None = None,
        registry: dict[str, Any] | None = None,
        language: str = "en",
    ) -> tuple[int, dict[str, Any], str]:
        """Run the auditor's command; exit code, report, and what people read."""
        given = self.folder / "given.evidence.json"
        given.write_bytes(self.close(bundle or self.bundle).encode())
        arguments = [str(self.folder / "paper"), "--bundle", str(given), "--json", "--offline"]
        arguments += ["--trust", str(self.folder / "trust.toml"), "--lang", language]
        if registry is not None:
            told = self.folder / "registry.json"
            told.write_bytes(encode_json(registry))
            arguments += ["--registry", str(told), "--log-entries", str(self.folder / "log.bin")]
        capsys.readouterr()
        code = verify(arguments)
        printed = capsys.readouterr()
        return code, json.loads(printed.out), printed.err

    def hiding(self) -> EvidenceBundle:
        """The bundle without the revocation."""
        index = self.revocation["index"]
        keys = tuple(event for event in self.bundle.keys if event.index != index)
        return replace(self.bundle, keys=keys)

    def without_revocation(self) -> dict[str, Any]:
        kept = [each for each in self.registry["keys"] if each != self.revocation]
        return self.registry | {"keys": kept}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("liar")
    with serving(folder / "ledger") as served:
        served.register_key(served.root)
        wang = served.enrol("wang")
        record = served.register("paper")["record"]
        made = replace(prepare(served, record, wang), time=OLD_DATE)
        assert operate([
            "keys", "revoke", wang.keyid, "--key", str(served.folder / "root.json"),
            "--url", served.api.url,
        ]) == 0  # fmt: skip
        payload = made.encode()
        smuggle(served, record, make_envelope(payload, [sign_statement(payload, made, wang)]))
        yield given_away(folder, served, record)


def smuggle(served: Served, record: str, signed: Envelope) -> None:
    """Take in what the rules refuse, as only the operator can."""
    services, secrets = served.app.state.services, served.ledger.secrets
    services.keeper._sequencer._admission = AdmitsAll()
    sealed = sign_intake(signed, secrets.intake)
    row = served.ledger.reader().record(record)
    services.intake.submit(
        [
            Submission(
                record_id=record,
                record_key=row.record_key,
                envelope=sealed.data,
                envelope_hash=sealed.hash,
                salt=bytes(32),
                digest=sealed.statement.subject.sha256,
            )
        ]
    ).result(30)


def given_away(folder: Path, served: Served, record: str) -> Office:
    size = served.ledger.reader().size()
    while served.api.get("/v1/log")["tree"]["size"] < size:
        pass
    (folder / "paper").write_bytes(b"paper")
    trust = folder / "trust.toml"
    assert (
        operate(["trust", "export", "--home", str(served.ledger.home.path), "-o", str(trust)]) == 0
    )
    # The chain is down in this test: what is asked here is asked of the log alone.
    trust.write_text(re.sub(r"required = 1", "required = 0", trust.read_text()))
    (folder / "log.bin").write_bytes(b"".join(served.ledger.reader().entries_between(0, size)))
    registry = json.loads(served.api.fetch("/v1/registry"))
    seed = served.ledger.secrets.intake

    def close(bundle: EvidenceBundle) -> EvidenceBundle:
        sig = ed25519.sign(seed, closing_message(bundle))
        return replace(bundle, closing=replace(bundle.closing, sig=sig))

    return Office(
        folder=folder,
        bundle=parse_bundle(served.api.fetch(f"/v1/records/{record}/bundle", {"size": str(size)})),
        registry=registry,
        revocation=registry["keys"][-1],
        close=close,
    )


def failed(report: dict[str, Any]) -> dict[str, str]:
    return {
        each["id"]: each["detail"]["code"] for each in report["checks"] if each["status"] == "fail"
    }


LEFT_OUT = "that the ledger left out no revocation of a key"


def test_without_the_registry_the_lie_is_not_seen_and_the_report_says_so(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report, _ = office.judge(capsys, bundle=office.hiding())

    assert (code, report["verdict"]) == (0, "proven")
    assert LEFT_OUT in report["notProven"]


def test_the_document_of_these_tests_is_the_one_recorded(office: Office) -> None:
    assert office.bundle.closing.digest.hex() == sha256("paper")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "signed after the revocation of the key, whatever date it claims"),
        ("zh-CN", "在密钥吊销之后签署(与其所称日期无关)"),
    ],
)
def test_a_stolen_key_with_an_old_date_signed_after_the_revocation(
    office: Office, capsys: pytest.CaptureFixture[str], language: str, words: str
) -> None:
    code, report, text = office.judge(capsys, registry=office.registry, language=language)

    assert code == 1
    assert failed(report) == {"key.validity": "key.after-revocation"}
    assert report["approvals"][0]["claimedTime"] == OLD_DATE
    assert report["approvals"][0]["keys"][0]["trouble"] == "key.after-revocation"
    assert words in text


def test_a_revocation_that_only_the_bundle_hides_is_found_in_the_registry(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report, _ = office.judge(capsys, bundle=office.hiding(), registry=office.registry)

    assert code == 1
    assert failed(report) == {"key.validity": "registry.held-back"}
    assert LEFT_OUT not in report["notProven"]


def test_a_revocation_that_both_hide_is_found_in_the_log(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = office.without_revocation()

    code, report, _ = office.judge(capsys, bundle=office.hiding(), registry=hidden)

    assert code == 1
    assert failed(report) == {"key.validity": "walk.entry-left-out"}


def test_a_revocation_that_only_the_registry_hides_is_found_in_the_log(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    _, report, _ = office.judge(capsys, registry=office.without_revocation())

    assert failed(report) == {"key.validity": "walk.entry-left-out"}


@pytest.mark.parametrize("index", [0, 2, 3])
def test_a_revocation_that_the_registry_makes_up_is_not_in_the_log(
    office: Office, capsys: pytest.CaptureFixture[str], index: int
) -> None:
    last = office.registry["keys"][-1]
    forged = last | {"index": last["index"] - 1, "sequence": last["sequence"]}
    keys = [*office.registry["keys"][:-1], forged]
    if index == 0:  # beside the true one
        keys = [*office.registry["keys"], last | {"sequence": 3, "index": last["index"] + 1}]
    elif index == 2:  # the true one, opened with another salt
        keys = [*office.registry["keys"][:-1], last | {"salt": "00" * 32}]

    code, report, _ = office.judge(capsys, registry=office.registry | {"keys": keys})

    assert code == 1
    assert failed(report) == {"key.validity": "registry.not-in-log"}


def test_a_registration_that_the_registry_leaves_out_leaves_a_gap(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [office.registry["keys"][0], *office.registry["keys"][2:]]

    _, report, _ = office.judge(capsys, registry=office.registry | {"keys": keys})

    assert failed(report)["key.validity"] == "registry.gap"
