"""Ed25519 log keys that retire: in the home folder, for the verifier and for fsck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidence import Scene, codes, plain
from office import INTAKE_SEED, LOG_SEED, ORIGIN, POLICIES_KEY, REGISTRY_KEY, ROOT, secret
from vermilion_api.home import Secrets, add_ml_dsa, create_home, load_secrets, rotate_log
from vermilion_api.keyfiles import write_seed
from vermilion_api.settings import (
    ChainSettings,
    RetiredLogSettings,
    Settings,
    load_settings,
    save_settings,
)
from vermilion_api.trust import render_trust_policy
from vermilion_ledger.cells import CheckpointCells
from vermilion_ledger.checkpoint import Checkpoint, sign_checkpoint
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.fsck.findings import Findings
from vermilion_ledger.fsck.signed import SignedCheck
from vermilion_ledger.note import ED25519, ML_DSA_44, VerifierKey
from vermilion_ledger.schemes import ed25519
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import Report, Verdict

MIDDLE_SEED, NEW_SEED = secret("a second log key"), secret("a third log key")


def refusal(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    with pytest.raises(EvidenceError) as caught:
        call(*arguments, **options)
    return caught.value.code


def vkey(seed: bytes, *, origin: str = ORIGIN, kind: int = ED25519) -> str:
    public = ed25519.public_key_of(seed) if kind == ED25519 else secret("ml-dsa") * 41
    return VerifierKey(name=origin, kind=kind, public=public).encode()


def table(seed: bytes, until: int) -> str:
    return f'[[retired_log]]\nvkey = "{vkey(seed)}"\nuntil = {until}\n'


def present(secrets: Secrets) -> str:
    return secrets.log_keys("log.example")[0].encode()


# -- the home folder


def test_a_fresh_key_takes_over_and_the_old_one_is_named_with_its_end(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(origin="log.example"))
    before = load_secrets(home)

    changed = rotate_log(home, settings, size=1024)

    after = load_secrets(home)
    assert load_settings(home.path) == changed
    assert after.log != before.log
    assert replace(after, log=before.log) == before
    assert [(each.vkey, each.until) for each in changed.retired_logs] == [(present(before), 1024)]
    assert home.seed(changed.log_key).stat().st_mode & 0o777 == 0o600


def test_a_key_retires_after_another_and_starts_where_that_one_ended(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(origin="log.example"))
    keys = [present(load_secrets(home))]
    for size in (10, 10, 20):
        settings = rotate_log(home, settings, size=size)
        keys.append(present(load_secrets(home)))

    terms = load_secrets(home).log_terms(settings)

    assert len(set(keys)) == 4
    assert [each.key.encode() for each in terms] == keys
    assert [(each.start, each.end) for each in terms] == [(0, 10), (10, 10), (10, 20), (20, None)]


def test_a_rotation_that_was_interrupted_goes_on_with_the_same_key(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    seed = write_seed(home.seed("log-2"))

    rotate_log(home, settings, size=1)

    assert load_secrets(home).log == seed


def test_a_key_that_is_gone_cannot_retire(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    home.seed("log").unlink()

    assert refusal(rotate_log, home, settings, size=1) == "key.file-missing"
    assert load_settings(home.path) == settings
    assert not home.seed("log-2").exists()


def test_the_seed_of_a_retired_key_is_needed_no_more(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    changed = rotate_log(home, settings, size=1)
    before = load_secrets(home)

    home.seed("log").unlink()

    assert load_secrets(home) == before
    assert len(before.log_terms(changed)) == 2


def test_a_fresh_key_that_is_gone_is_not_replaced_by_the_old_one(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    rotate_log(home, settings, size=1)
    home.seed("log-2").unlink()

    create_home(home.path, settings)

    assert refusal(load_secrets, home) == "key.file-missing"


@pytest.mark.parametrize("name", ["intake", "registry", "policies"])
def test_a_key_of_another_purpose_does_not_sign_checkpoints(tmp_path: Path, name: str) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    save_settings(home.path, replace(settings, log_key=name))

    assert refusal(load_secrets, home) == "key.shared"


def test_a_retired_log_key_signs_neither_checkpoints_nor_at_intake(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    changed = rotate_log(home, settings, size=1)

    for again in (replace(changed, log_key="log"), replace(changed, intake_key="log")):
        assert refusal(load_secrets, home, again) == "key.shared"


@pytest.mark.parametrize("name", ["", "../log", "a/b", "Log", "l og", "-a", "a.key", "键"])
def test_a_name_that_is_no_key_file_is_refused(name: str) -> None:
    assert refusal(Settings, log_key=name) == "settings.value"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("retired_log = 1", "settings.value"),
        ("retired_logs = []", "settings.unknown"),
        ("[[retired_log]]\nfrom = 1", "settings.unknown"),
        ("[[retired_log]]\nuntil = 1", "vkey.malformed"),
        ('[[retired_log]]\nvkey = "ab"', "vkey.malformed"),
        (table(LOG_SEED, -1), "settings.value"),
        (f'[[retired_log]]\nvkey = "{vkey(LOG_SEED)}"\nuntil = "1"', "settings.value"),
        (f'[[retired_log]]\nvkey = "{vkey(LOG_SEED, kind=ML_DSA_44)}"', "settings.value"),
        (f'[[retired_log]]\nvkey = "{vkey(LOG_SEED, origin="o.example")}"', "settings.value"),
        (f"{table(LOG_SEED, 2)}{table(NEW_SEED, 1)}", "settings.value"),
    ],
)
def test_settings_that_retire_no_log_key_are_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "vermilion.toml").write_text(f'origin = "{ORIGIN}"\n{text}')

    assert refusal(load_settings, tmp_path) == code


# -- what is handed over


def test_the_trust_policy_says_for_which_leaves_each_log_key_is_good(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(origin="l.example/办公室"))
    old = load_secrets(home)
    settings = rotate_log(home, settings, size=7)
    settings = add_ml_dsa(home, settings, size=9)
    secrets = load_secrets(home)

    text = render_trust_policy(settings, secrets)

    policy = parse_trust_policy(text.encode(), folder=tmp_path)
    ed, post_quantum = secrets.log_keys(settings.origin)
    assert [(each.key, each.start, each.end) for each in policy.log_keys] == [
        (old.log_keys(settings.origin)[0], 0, 7),
        (ed, 7, None),
        (post_quantum, 9, None),
    ]
    assert secrets.log.hex() not in text


def test_a_log_whose_key_never_changed_has_the_trust_policy_that_it_had(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(origin="log.example"))
    secrets = load_secrets(home)

    text = render_trust_policy(settings, secrets)

    assert f'keys = [\n    {{vkey = "{present(secrets)}", from = 0}},\n]\n' in text


# -- from the home folder's trust policy to the verdict


def settings_of(scene: Scene, *ends: int, ml_dsa_from: int | None = None) -> Settings:
    """Those of a log whose first, and perhaps second, key ended at these sizes."""
    chain = ChainSettings(
        id=scene.chain.chain_id,
        rpc="http://127.0.0.1:9/",
        contract="0x" + scene.chain.contract.hex(),
        log="0x" + scene.chain.log.hex(),
        code_hash="0x" + bytes(32).hex(),
    )
    seeds = (LOG_SEED, MIDDLE_SEED)[: len(ends)]
    return Settings(
        origin=ORIGIN,
        roots=(ROOT.keyid,),
        chains=(chain,),
        retired_logs=tuple(
            RetiredLogSettings(vkey=vkey(seed), until=until)
            for seed, until in zip(seeds, ends, strict=True)
        ),
        log_ml_dsa=ml_dsa_from is not None,
        log_ml_dsa_from=ml_dsa_from or 0,
    )


def secrets_of(log: bytes, *, ml_dsa: bool = False) -> Secrets:
    return Secrets(
        log=log,
        intake=INTAKE_SEED,
        registry=REGISTRY_KEY,
        policies=POLICIES_KEY,
        log_ml_dsa=secret("ml-dsa of the log") if ml_dsa else None,
    )


def signed(scene: Scene, seed: bytes, *, ml_dsa: bool = False) -> str:
    return sign_checkpoint(
        Checkpoint(origin=ORIGIN, size=scene.log.size, root=scene.log.root),
        seed,
        ml_dsa_seed=secret("ml-dsa of the log") if ml_dsa else None,
    )


def judged(scene: Scene, note: str, settings: Settings, seed: bytes = NEW_SEED) -> Report:
    """Verify a bundle under the trust policy that the ledger hands out."""
    secrets = secrets_of(seed, ml_dsa=settings.log_ml_dsa)
    policy = parse_trust_policy(render_trust_policy(settings, secrets).encode(), folder=Path())
    return scene.verify(scene.bundle(note=note), policy=policy)


def failed(report: Report) -> str | None:
    assert report.verdict is Verdict.REFUTED
    return codes(report).get("checkpoint.signature")


@pytest.fixture
def scene() -> Scene:
    return plain()


def test_a_checkpoint_from_before_the_rotation_is_proven(scene: Scene) -> None:
    settings = settings_of(scene, scene.log.size)

    assert judged(scene, signed(scene, LOG_SEED), settings).verdict is Verdict.PROVEN


def test_a_checkpoint_above_the_old_keys_end_is_proven_by_the_new_key(scene: Scene) -> None:
    settings = settings_of(scene, scene.log.size - 1)

    assert judged(scene, signed(scene, NEW_SEED), settings).verdict is Verdict.PROVEN


def test_a_checkpoint_above_its_end_by_the_old_key_is_refuted(scene: Scene) -> None:
    settings = settings_of(scene, scene.log.size - 1)

    assert failed(judged(scene, signed(scene, LOG_SEED), settings)) == "checkpoint.unsigned"


def test_the_new_key_cannot_sign_what_was_published_before_it_came(scene: Scene) -> None:
    settings = settings_of(scene, scene.log.size)

    assert failed(judged(scene, signed(scene, NEW_SEED), settings)) == "checkpoint.unsigned"


def test_a_trust_policy_from_before_the_rotation_does_not_know_the_new_key(scene: Scene) -> None:
    report = judged(scene, signed(scene, NEW_SEED), settings_of(scene), LOG_SEED)

    assert failed(report) == "checkpoint.unsigned"


@pytest.mark.parametrize(
    ("ends", "good"),
    [((0, 0), LOG_SEED), ((-1, 0), MIDDLE_SEED), ((-1, -1), NEW_SEED)],
)
def test_of_three_keys_the_one_of_that_size_alone_is_believed(
    scene: Scene, ends: Sequence[int], good: bytes
) -> None:
    settings = settings_of(scene, *(scene.log.size + end for end in ends))

    for seed in (LOG_SEED, MIDDLE_SEED, NEW_SEED):
        report = judged(scene, signed(scene, seed), settings)
        assert (report.verdict is Verdict.PROVEN) == (seed == good)


def test_the_ml_dsa_key_stays_and_must_sign_beside_the_new_key(scene: Scene) -> None:
    settings = settings_of(scene, scene.log.size - 1, ml_dsa_from=0)

    both = signed(scene, NEW_SEED, ml_dsa=True)
    assert judged(scene, both, settings).verdict is Verdict.PROVEN
    assert failed(judged(scene, signed(scene, NEW_SEED), settings)) == "checkpoint.unsigned"
    by_old = signed(scene, LOG_SEED, ml_dsa=True)
    assert failed(judged(scene, by_old, settings)) == "checkpoint.unsigned"


# -- fsck


@pytest.mark.parametrize(
    ("is_new", "size", "is_sound"),
    [(False, 7, True), (False, 8, False), (True, 7, False), (True, 8, True)],
)
def test_fsck_asks_for_the_key_that_was_in_force(is_new: bool, size: int, is_sound: bool) -> None:
    settings = settings_of(Scene(), 7)
    root = secret("root")
    note = sign_checkpoint(
        Checkpoint(origin=ORIGIN, size=size, root=root), NEW_SEED if is_new else LOG_SEED
    )
    findings = Findings()
    check = SignedCheck(
        origin=ORIGIN,
        keys=secrets_of(NEW_SEED).log_terms(settings),
        clock=lambda: datetime(2026, 11, 22, tzinfo=UTC),
        findings=findings,
    )

    check.check_checkpoint(
        CheckpointCells(size=size, root=root, note=note.encode(), epoch=1, published_at=1), root
    )

    assert [each.code for each in findings.kept] == ([] if is_sound else ["fsck.checkpoint"])


def test_fsck_believes_no_checkpoint_where_no_key_is_in_force() -> None:
    root = secret("root")
    note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=8, root=root), NEW_SEED)
    terms = [replace(each, end=7) for each in secrets_of(NEW_SEED).log_terms(settings_of(Scene()))]
    check = SignedCheck(
        origin=ORIGIN,
        keys=terms,
        clock=lambda: datetime(2026, 11, 22, tzinfo=UTC),
        findings=Findings(),
    )

    assert not check.is_sound(
        CheckpointCells(size=8, root=root, note=note.encode(), epoch=1, published_at=1)
    )
