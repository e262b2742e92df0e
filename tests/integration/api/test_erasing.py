"""``vermilion dispose`` and ``vermilion erase``, as officers and operators run them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from damage_kit import Damage
from served import Served, listening, serving, sha256, wait_until_leading
from vermilion_api.app import create_app
from vermilion_api.cli import main
from vermilion_api.client import Ledger as Api
from vermilion_api.erasing import erase_records
from vermilion_api.keyfiles import load_key_file
from vermilion_api.signing import submit_event
from vermilion_api.wiring import Ledger, open_ledger
from vermilion_ledger.anchor_rows import FinalAnchor
from vermilion_ledger.errors import EvidenceError, NotFoundError
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.finals import insert_final
from vermilion_verify.cli import main as verify

REASON = "retention rule 7.2"


@dataclass(frozen=True)
class Office:
    """A stopped ledger: ``gone`` is disposed of, the others are not."""

    folder: Path
    gone: str
    later: str
    kept: str
    owned: str

    @property
    def home(self) -> Path:
        return self.folder / "home"


def fill(served: Served) -> Office:
    served.register_key(served.root)
    officer = served.person("officer")
    detail = {
        "scheme": officer.scheme,
        "key": officer.public.hex(),
        "owner": officer.owner.to_json(),
        "may": ["dispose"],
        "officer": True,
    }
    asked = {"event": "register", "detail": detail, "actor": served.root.owner.to_json()}
    served.event("keys", asked, served.root, officer)
    clerk = served.enrol("clerk", may=("approve", "dispose"))
    records = {name: served.register(name)["record"] for name in ("gone", "later", "kept", "owned")}
    for name in ("gone", "kept"):
        served.decide(records[name], clerk)
    for name in ("gone", "later"):
        asked = {"event": "dispose", "detail": {"reason": REASON}}
        served.event(records[name], asked, officer)
    served.event(
        records["later"], {"event": "review", "detail": {}, "actor": clerk.owner.to_json()}
    )
    return Office(served.folder, **records)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Nobody changes it."""
    with serving(tmp_path_factory.mktemp("office")) as served:
        office = fill(served)
    ledger = open_ledger(office.home)
    make_final(ledger, ledger.database.heads.load_head().size)
    ledger.database.close()
    return office


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Office:
    """A copy of it."""
    folder = Path(shutil.copytree(template.folder, tmp_path / "office"))
    return Office(folder, template.gone, template.later, template.kept, template.owned)


def make_final(ledger: Ledger, size: int) -> None:
    """Let the journal have a final anchor, as the anchorer leaves it."""
    (target,) = ledger.targets
    checkpoint = ledger.database.heads.load_checkpoint(size)
    assert checkpoint is not None
    with writing(ledger.database.engine) as connection:
        insert_final(
            connection,
            FinalAnchor(
                target=target,
                size=size,
                root=checkpoint.root,
                transaction=bytes(32),
                transaction_index=0,
                log_index=0,
                block_number=50,
                block_hash=bytes([size % 256]) * 32,
                block_time=datetime(2026, 11, 22, tzinfo=UTC),
                header=b"header",
                receipt=b"{}",
            ),
        )


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def erase(
    capsys: pytest.CaptureFixture[str], office: Office, *words: object, reason: str = REASON
) -> tuple[int, str, str]:
    return run(capsys, "erase", *words, "--few", "--reason", reason, "--home", office.home)


@dataclass
class Running:
    api: Api
    url: str


@contextmanager
def starting(office: Office) -> Iterator[Running]:
    """Serve the office again."""
    ledger = open_ledger(office.home)
    app = create_app(ledger)
    with listening(app) as url, Api(url) as api, httpx.Client(trust_env=False) as client:
        client.get(f"{url}/livez")  # answered once everything is built
        wait_until_leading(app)
        yield Running(api, url)
    ledger.database.close()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(EvidenceError) as caught:
        call()
    return caught.value.code


def test_a_disposed_record_is_erased_and_everything_else_goes_on(
    capsys: pytest.CaptureFixture[str], office: Office
) -> None:
    code, out, err = erase(capsys, office, office.gone, "--json")
    listed = json.loads(out)

    assert (code, listed["records"], listed["entries"]) == (0, 1, 3), err
    assert listed["authority"] == [{"id": "officer", "name": "", "post": "", "unit": ""}]
    assert office.gone not in out + err
    assert erase(capsys, office, office.gone)[0] == 6
    damage = Damage(office.home / "ledger.db")
    damage.execute("DELETE FROM anchor_receipts")  # it was made up
    damage.close()
    code, out, _ = run(capsys, "fsck", "--offline", "--home", office.home)
    assert (code, "3 of the entries belong to destroyed records" in out) == (0, True)
    with starting(office) as running:
        api = running.api
        assert refusal(lambda: api.get(f"/v1/records/{office.gone}")) == "record.unknown"
        assert refusal(lambda: api.get(f"/v1/records/{office.gone}/bundle")) == "record.unknown"
        assert asked(running, "gone") == []
        assert asked(running, "kept") == [office.kept]
        assert verified(office, api.fetch(f"/v1/records/{office.kept}/bundle")) == 0
        capsys.readouterr()
        shown = wait_for(lambda: api.get(f"/v1/records/{listed['record']}"))
        assert shown["entries"][0]["event"] == "register"


def asked(running: Running, name: str) -> list[str]:
    """The records that a query by digest finds."""
    found = running.api.get("/v1/records", {"digest": f"sha256:{sha256(name)}"})
    return [each["record"] for each in found["records"]]


def verified(office: Office, bundle: bytes) -> int:
    """The exit code of the auditor's command for the document of a bundle."""
    for name, data in (("document", b"kept"), ("bundle", bundle)):
        (office.folder / name).write_bytes(data)
    trust = office.folder / "trust.toml"
    assert main(["trust", "export", "--home", str(office.home), "-o", str(trust)]) == 0
    trust.write_text(trust.read_text().replace("required = 1", "required = 0"))
    words = ["document", "--bundle", "bundle", "--trust", "trust.toml", "--offline"]
    files = {"document", "bundle", "trust.toml"}
    return verify([str(office.folder / each) if each in files else each for each in words])


def wait_for(call: Callable[[], Any]) -> Any:
    for _ in range(200):
        with suppress(NotFoundError):
            return call()
        time.sleep(0.05)
    raise AssertionError("the list is not logged")


def test_so_few_records_that_they_can_be_told_apart_need_a_word_more(
    capsys: pytest.CaptureFixture[str], office: Office
) -> None:
    words = ("--reason", REASON, "--home", office.home)

    code, _, err = run(capsys, "erase", office.gone, office.gone, *words)

    assert (code, "erase.few" in err, office.gone in err) == (1, True, False)
    assert erase(capsys, office, office.gone)[0] == 0


def test_an_erasure_by_a_running_ledger_is_refused(
    capsys: pytest.CaptureFixture[str], office: Office
) -> None:
    with starting(office):
        code, _, err = erase(capsys, office, office.gone)

    assert (code, "sequencer.lease-held" in err) == (1, True)


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ("kept", "erase.not-disposed"),
        ("later", "erase.not-disposed"),
        ("keys", "erase.public-record"),
    ],
)
def test_what_nobody_disposed_of_is_refused(
    capsys: pytest.CaptureFixture[str], office: Office, which: str, code: str
) -> None:
    record = open_ledger(office.home).identity.keys_record if which == "keys" else ""

    _, _, err = erase(capsys, office, record or getattr(office, which), office.gone)

    assert code in err
    assert erase(capsys, office, office.gone)[0] == 0  # nothing was lost with it


def test_a_disposal_that_is_not_final_is_refused(
    capsys: pytest.CaptureFixture[str], office: Office
) -> None:
    url_words = ("--key", office.folder / "officer.json", "--reason", REASON)
    with starting(office) as running:
        done = run(capsys, "dispose", office.owned, office.kept, *url_words, "--url", running.url)
    assert done[0] == 0, done

    _, _, err = erase(capsys, office, office.owned)
    assert "erase.not-final" in err
    assert "erase.not-final" in erase(capsys, office, office.owned, "--now")[2]
    ledger = open_ledger(office.home)
    make_final(ledger, ledger.database.heads.load_head().size)
    ledger.database.close()

    listed = office.folder / "list.txt"
    listed.write_text(f"{office.owned}\n\n{office.kept}\n{office.gone}\n")
    code, out, _ = erase(capsys, office, "--list", listed)
    assert (code, "erased 3 records with 8 entries" in out) == (0, True)


def test_who_is_neither_owner_nor_officer_disposes_of_nothing(
    capsys: pytest.CaptureFixture[str], office: Office
) -> None:
    words = ("--key", office.folder / "clerk.json", "--reason", REASON)
    with starting(office) as running:
        one = run(capsys, "dispose", office.owned, *words, "--url", running.url)
        both = run(capsys, "dispose", office.owned, office.kept, *words, "--url", running.url)
        unsigned = run(capsys, "dispose", office.owned, "--reason", "x", "--url", running.url)

    assert one[0] == 4  # not allowed
    assert both[0] == 7  # the clerk decided on the other one
    assert unsigned[0] == 2


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "text."),
        ("x" * 2000, "text."),
        ("as {gone} is over", "erase.reason"),
        ("the file gone.pdf", "erase.reason"),
        (f"digest {sha256('gone')}", "erase.reason"),
    ],
)
def test_a_reason_that_names_what_goes_is_refused(
    capsys: pytest.CaptureFixture[str], office: Office, reason: str, code: str
) -> None:
    exit_code, _, err = erase(capsys, office, office.gone, reason=reason.format(gone=office.gone))

    assert (exit_code, code in err) == (2, True), err


@pytest.mark.parametrize(
    ("words", "code"), [((), "erase.list"), (("rec_x",), "record."), (("--list", "none"), "input.")]
)
def test_a_list_of_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], office: Office, words: tuple[str, ...], code: str
) -> None:
    assert code in erase(capsys, office, *words)[2]


def test_a_ledger_without_chains_needs_a_word_more(
    capsys: pytest.CaptureFixture[str], office: Office
) -> None:
    path = office.home / "vermilion.toml"
    text = path.read_text()
    path.write_text(text[: text.index("[[chain]]")])

    assert "erase.not-anchored" in erase(capsys, office, office.gone)[2]
    code, _, err = erase(capsys, office, office.gone, "--now")
    assert (code, "no chain proves" in err) == (0, True)


def test_a_key_in_doubt_disposes_of_nothing(office: Office) -> None:
    with starting(office) as running:
        key_event = {
            "event": "revoke",
            "detail": {
                "keyid": json.loads((office.folder / "officer.json").read_text())["keyid"],
                "reason": "stolen",
                "compromisedSince": 3,
            },
        }
        root = load_key_file(office.folder / "root.json")
        submit_event(running.api, running.api.record_id("keys"), key_event, [root])
    ledger = open_ledger(office.home)

    assert (
        refusal(lambda: erase_records(ledger, [office.gone], reason=REASON, may_be_few=True))
        == "key.in-doubt"
    )
    ledger.database.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from vermilion_api import erasing
from vermilion_api.wiring import open_ledger
erasing.sweep = lambda engine: os.kill(os.getpid(), signal.SIGKILL)
erasing.erase_records(open_ledger(Path(sys.argv[1])), [sys.argv[2]], reason="rule", may_be_few=True)
"""


def test_an_erasure_killed_before_the_files_are_cleared_is_finished_at_the_next_start(
    capsys: pytest.CaptureFixture[str], office: Office
) -> None:
    command = [sys.executable, "-c", KILLED, str(office.home), office.gone]
    done = subprocess.run(command, check=False, timeout=60, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    name = office.gone.encode()
    assert "fsck.sweep-due" in run(capsys, "fsck", "--offline", "--home", office.home)[1]

    with starting(office):
        pass

    assert "fsck.sweep-due" not in run(capsys, "fsck", "--offline", "--home", office.home)[1]
    assert not any(name in each.read_bytes() for each in office.home.glob("ledger.db*"))
    code, out, _ = run(capsys, "erase", "--finish", "--home", office.home)
    assert (code, "nothing was left" in out) == (0, True)
