"""Intake keys that retire: in the home folder, at admission, and for the verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence import Scene, codes
from office import (
    INTAKE_PUBLIC,
    INTAKE_SEED,
    LOG_SEED,
    ORIGIN,
    POLICIES_KEY,
    RECORD,
    RECORD_KEY,
    REGISTRY_KEY,
    ROOT,
    WANG,
    secret,
    statement,
)
from vermilion_api.home import Secrets, create_home, load_secrets, rotate_intake
from vermilion_api.keyfiles import write_seed
from vermilion_api.settings import (
    ChainSettings,
    RetiredIntakeSettings,
    Settings,
    load_settings,
    save_settings,
)
from vermilion_api.trust import render_trust_policy
from vermilion_ledger.admission import LedgerAdmission
from vermilion_ledger.envelope import Envelope, make_envelope, sign_intake
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.rows import Pending, RecordEntry
from vermilion_ledger.schemes import ed25519, make_keyid
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import Report, Verdict

NEW_SEED = secret("a fresh intake key")
UNTIL = 3


def refusal(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(EvidenceError) as caught:
        call(*arguments, **options)
    return caught.value.code


def keyid(seed: bytes) -> str:
    return make_keyid(ed25519.NAME, ed25519.public_key_of(seed))


# -- the home folder


def test_a_fresh_key_takes_over_and_the_old_one_is_named_with_its_end(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(origin="log.example"))
    before = load_secrets(home)

    changed = rotate_intake(home, settings, until=1024)

    after = load_secrets(home)
    assert load_settings(home.path) == changed
    assert after.intake != before.intake
    assert replace(after, intake=before.intake) == before
    assert [(each.key, each.until) for each in changed.retired_intakes] == [
        (before.intake_public.hex(), 1024)
    ]
    assert home.seed(changed.intake_key).stat().st_mode & 0o777 == 0o600


def test_a_key_retires_after_another(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    first = load_secrets(home).intake_public.hex()
    settings = rotate_intake(home, settings, until=10)
    second = load_secrets(home).intake_public.hex()

    settings = rotate_intake(home, settings, until=20)

    assert [(each.key, each.until) for each in settings.retired_intakes] == [
        (first, 10),
        (second, 20),
    ]
    assert load_secrets(home).intake_public.hex() not in {first, second}
    assert len(load_secrets(home).identity(settings).intake_keyids) == 3


def test_a_rotation_that_was_interrupted_goes_on_with_the_same_key(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    seed = write_seed(home.seed("intake-2"))

    rotate_intake(home, settings, until=1)

    assert load_secrets(home).intake == seed


def test_a_key_that_is_gone_cannot_retire(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    home.seed("intake").unlink()

    assert refusal(rotate_intake, home, settings, until=1) == "key.file-missing"
    assert load_settings(home.path) == settings
    assert not home.seed("intake-2").exists()


def test_the_seed_of_a_retired_key_is_needed_no_more(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    changed = rotate_intake(home, settings, until=1)
    before = load_secrets(home)

    home.seed("intake").unlink()

    assert load_secrets(home) == before
    assert len(before.identity(changed).retired_intakes) == 1


def test_a_fresh_key_that_is_gone_is_not_replaced_by_the_old_one(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    rotate_intake(home, settings, until=1)
    home.seed("intake-2").unlink()

    create_home(home.path, settings)

    assert refusal(load_secrets, home) == "key.file-missing"


@pytest.mark.parametrize("name", ["log", "registry", "policies"])
def test_a_key_of_another_purpose_does_not_sign_at_intake(tmp_path: Path, name: str) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    save_settings(home.path, replace(settings, intake_key=name))

    assert refusal(load_secrets, home) == "key.shared"


def test_a_retired_key_does_not_sign_again(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    changed = rotate_intake(home, settings, until=1)
    save_settings(home.path, replace(changed, intake_key="intake"))

    assert refusal(load_secrets, home) == "key.shared"


@pytest.mark.parametrize("name", ["", "../log", "a/b", "Intake", "in take", "-a", "a.key", "键"])
def test_a_name_that_is_no_key_file_is_refused(name: str) -> None:
    assert refusal(Settings, intake_key=name) == "settings.value"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("retired_intake = 1", "settings.value"),
        ("retired_intake = [1]", "settings.value"),
        ("retired_intakes = []", "settings.unknown"),
        ("[[retired_intake]]\nfrom = 1", "settings.unknown"),
        ("[[retired_intake]]\nuntil = 1", "hex.malformed"),
        ('[[retired_intake]]\nkey = "ab"', "hex.malformed"),
        (f'[[retired_intake]]\nkey = "{"00" * 32}"', "key.small-order"),
        (f'[[retired_intake]]\nkey = "{INTAKE_PUBLIC.hex()}"\nuntil = -1', "settings.value"),
        (f'[[retired_intake]]\nkey = "{INTAKE_PUBLIC.hex()}"\nuntil = "1"', "settings.value"),
    ],
)
def test_a_malformed_retirement_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "vermilion.toml").write_text(text + "\n")

    assert refusal(load_settings, tmp_path) == code


# -- admission

SECRETS = Secrets(log=LOG_SEED, intake=NEW_SEED, registry=REGISTRY_KEY, policies=POLICIES_KEY)
RETIRED = RetiredIntakeSettings(key=INTAKE_PUBLIC.hex(), until=UNTIL)
SETTINGS = Settings(
    origin=ORIGIN, roots=(ROOT.keyid,), intake_key="intake-2", retired_intakes=(RETIRED,)
)


class Empty:
    """A `HistoryView` of a log without entries."""

    def history(self, record_id: str, *, since: int = 0) -> Sequence[RecordEntry]:
        del record_id, since
        return ()


def taken_in(*seeds: bytes) -> Envelope:
    made = make_envelope(statement("register").encode(), ())
    for seed in seeds:
        made = sign_intake(made, seed)
    return made


def admit(signed: Envelope, index: int, *, is_plain: bool = False) -> None:
    pending = Pending(
        position=1,
        record_id=RECORD,
        record_key=RECORD_KEY,
        kind="document",
        envelope=signed.data,
        salt=bytes(32),
        digest=signed.statement.subject.sha256,
        is_plain=is_plain,
    )
    admission = LedgerAdmission(SECRETS.identity(SETTINGS))
    admission.admit(pending, index=index, sequence=0, view=Empty())


@pytest.mark.parametrize("is_plain", [False, True])
@pytest.mark.parametrize(
    ("seed", "index"),
    [
        (INTAKE_SEED, 0),
        (INTAKE_SEED, UNTIL - 1),
        (NEW_SEED, 0),
        (NEW_SEED, UNTIL),
        (NEW_SEED, 2**53 - 2),
    ],
)
def test_what_a_key_in_force_took_in_gets_its_place(
    seed: bytes, index: int, *, is_plain: bool
) -> None:
    admit(taken_in(seed), index, is_plain=is_plain)


@pytest.mark.parametrize("is_plain", [False, True])
@pytest.mark.parametrize("index", [UNTIL, UNTIL + 1, 2**53 - 2])
def test_what_a_retired_key_took_in_gets_no_place(index: int, *, is_plain: bool) -> None:
    assert refusal(admit, taken_in(INTAKE_SEED), index, is_plain=is_plain) == "intake.retired"


def test_a_retired_key_beside_the_present_one_is_refused_everywhere() -> None:
    both = taken_in(INTAKE_SEED, NEW_SEED)

    assert refusal(admit, both, UNTIL - 1) == "intake.not-one"
    assert refusal(admit, both, UNTIL) == "intake.retired"


@pytest.mark.parametrize("seeds", [(), (secret("a stranger"),)])
def test_what_no_intake_key_signed_is_refused(seeds: tuple[bytes, ...]) -> None:
    assert refusal(admit, taken_in(*seeds), 0) == "intake.not-one"


def test_the_name_of_a_retired_key_in_a_document_refuses_nothing() -> None:
    named = statement("register", detail={"note": f'"keyid":"{keyid(INTAKE_SEED)}"'})
    signed = sign_intake(make_envelope(named.encode(), ()), NEW_SEED)

    admit(signed, UNTIL)
    admit(signed, UNTIL, is_plain=True)


# -- from the home folder's trust policy to the verdict


def judged(scene: Scene, *, until: int, closed_by: bytes = NEW_SEED) -> Report:
    """Verify a bundle under the trust policy that the ledger hands out."""
    chain = ChainSettings(
        id=scene.chain.chain_id,
        rpc="http://127.0.0.1:9/",
        contract="0x" + scene.chain.contract.hex(),
        log="0x" + scene.chain.log.hex(),
        code_hash="0x" + bytes(32).hex(),
    )
    settings = replace(SETTINGS, chains=(chain,), retired_intakes=(replace(RETIRED, until=until),))
    policy = parse_trust_policy(render_trust_policy(settings, SECRETS).encode(), folder=Path())
    return scene.verify(scene.bundle(intake_seed=closed_by), policy=policy)


def rotated(*seeds: bytes) -> Scene:
    """A record whose entries were taken in by one key after another."""
    scene = Scene()
    for number, seed in enumerate(seeds):
        made = statement(
            "review" if number else "register",
            nonce=secret(f"nonce {number}")[:16],
            actor=WANG.actor,
        )
        scene.smuggle(sign_intake(make_envelope(made.encode(), ()), seed))
    scene.anchor()
    return scene


def test_a_record_that_outlived_an_intake_key_is_proven() -> None:
    scene = rotated(INTAKE_SEED, INTAKE_SEED, NEW_SEED)

    assert judged(scene, until=2).verdict is Verdict.PROVEN


def test_a_bundle_from_before_the_rotation_is_closed_by_the_present_key() -> None:
    scene = rotated(INTAKE_SEED, INTAKE_SEED)

    assert judged(scene, until=2).verdict is Verdict.PROVEN
    assert judged(scene, until=2, closed_by=INTAKE_SEED).verdict is Verdict.PROVEN


def test_entries_that_waited_while_the_key_retired_are_proven() -> None:
    scene = rotated(INTAKE_SEED, NEW_SEED, INTAKE_SEED)

    assert judged(scene, until=3).verdict is Verdict.PROVEN


@pytest.mark.parametrize("until", [0, 1, 2])
def test_an_entry_that_a_retired_key_took_in_is_refuted(until: int) -> None:
    scene = rotated(INTAKE_SEED, NEW_SEED, INTAKE_SEED)

    report = judged(scene, until=until)

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["signature.intake"] == "intake.not-in-force"


def test_a_closing_by_a_retired_key_is_refuted() -> None:
    scene = rotated(INTAKE_SEED, NEW_SEED, NEW_SEED)

    report = judged(scene, until=2, closed_by=INTAKE_SEED)

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["record.completeness"] == "closing.signature"


def test_a_trust_policy_from_before_the_rotation_does_not_know_the_new_key() -> None:
    scene = rotated(INTAKE_SEED, NEW_SEED)

    assert scene.verify(scene.bundle(intake_seed=NEW_SEED)).verdict is Verdict.REFUTED
