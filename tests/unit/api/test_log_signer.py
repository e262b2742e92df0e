"""A ledger with two log keys, from its own signer and trust policy to the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence import Scene, codes, plain
from office import INTAKE_SEED, LOG_SEED, ORIGIN, POLICIES_KEY, REGISTRY_KEY, ROOT, secret
from vermilion_api.home import Secrets
from vermilion_api.log_signer import LogSigner
from vermilion_api.settings import ChainSettings, Settings
from vermilion_api.trust import render_trust_policy
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.note import NoteSignature, encode_note
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import Report, Verdict

NOW = datetime(2026, 11, 21, 8, 0, 0, 999_999, tzinfo=UTC)
SECRETS = Secrets(
    log=LOG_SEED,
    intake=INTAKE_SEED,
    registry=REGISTRY_KEY,
    policies=POLICIES_KEY,
    log_ml_dsa=secret("ml-dsa of the log"),
)
ROOT_BYTES = secret("root")


def signer(*, now: datetime = NOW, secrets: Secrets = SECRETS) -> LogSigner:
    return LogSigner(
        origin=ORIGIN,
        seed=secrets.log,
        ml_dsa_seed=secrets.log_ml_dsa,
        clock=lambda: now,
    )


def settings_of(scene: Scene, *, start: int = 0) -> Settings:
    chain = ChainSettings(
        id=scene.chain.chain_id,
        rpc="http://127.0.0.1:9/",
        contract="0x" + scene.chain.contract.hex(),
        log="0x" + scene.chain.log.hex(),
        code_hash="0x" + bytes(32).hex(),
    )
    return Settings(
        origin=ORIGIN,
        roots=(ROOT.keyid,),
        chains=(chain,),
        log_ml_dsa=True,
        log_ml_dsa_from=start,
    )


def judged(
    scene: Scene,
    note: str,
    *,
    start: int = 0,
    secrets: Secrets = SECRETS,
) -> Report:
    """Verify a bundle under the trust policy that the ledger hands out."""
    text = render_trust_policy(settings_of(scene, start=start), secrets)
    policy = parse_trust_policy(text.encode(), folder=Path())
    return scene.verify(scene.bundle(note=note), policy=policy)


def signed(scene: Scene, *, secrets: Secrets = SECRETS) -> str:
    return signer(secrets=secrets).sign_checkpoint(scene.log.size, scene.log.root)


def resigned(note: str, change: Callable[[list[NoteSignature]], list[NoteSignature]]) -> str:
    """The note with other signature lines."""
    parsed = parse_checkpoint_unverified(note.encode())
    return encode_note(parsed.note.text, change(list(parsed.note.signatures)))


def damaged(line: NoteSignature, at: int = -1) -> NoteSignature:
    blob = bytearray(line.blob)
    blob[at] ^= 1
    return replace(line, blob=bytes(blob))


def failed(report: Report) -> str | None:
    assert report.verdict is Verdict.REFUTED
    return codes(report).get("checkpoint.signature")


def test_a_checkpoint_is_signed_by_every_key_of_the_log_at_the_present_second() -> None:
    signed = parse_checkpoint_unverified(signer().sign_checkpoint(7, ROOT_BYTES).encode())

    keys = SECRETS.log_keys(ORIGIN)
    assert (signed.checkpoint.size, signed.checkpoint.root) == (7, ROOT_BYTES)
    assert verify_signatures(signed, keys) == set(keys)
    assert signed.note.signatures[1].blob[:8] == int(NOW.timestamp()).to_bytes(8, "big")


def test_a_log_without_an_ml_dsa_key_signs_one_line() -> None:
    secrets = replace(SECRETS, log_ml_dsa=None)

    note = signer(secrets=secrets).sign_checkpoint(7, ROOT_BYTES)

    assert len(parse_checkpoint_unverified(note.encode()).note.signatures) == 1


def test_a_clock_before_1970_signs_nothing() -> None:
    with pytest.raises(EvidenceError) as caught:
        signer(now=datetime(1969, 12, 31, tzinfo=UTC)).sign_checkpoint(7, ROOT_BYTES)

    assert caught.value.code == "checkpoint.time"


@pytest.mark.parametrize("size", [0, 2**53])
def test_a_size_that_no_checkpoint_has_is_not_signed(size: int) -> None:
    with pytest.raises(EvidenceError) as caught:
        signer().sign_checkpoint(size, ROOT_BYTES)

    assert caught.value.code == "checkpoint.size"


# -- from the signer to the verdict


def test_a_bundle_of_a_log_with_both_keys_is_proven() -> None:
    scene = plain()

    assert judged(scene, signed(scene)).verdict is Verdict.PROVEN


def test_the_order_of_the_lines_is_free() -> None:
    scene = plain()

    note = resigned(signed(scene), lambda lines: lines[::-1])

    assert judged(scene, note).verdict is Verdict.PROVEN


@pytest.mark.parametrize("kept", [0, 1])
def test_stripping_either_line_is_refuted(kept: int) -> None:
    scene = plain()

    note = resigned(signed(scene), lambda lines: [lines[kept]])

    assert failed(judged(scene, note)) == "checkpoint.unsigned"


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("at", [0, 7, 8, 30, -1])
def test_damaging_either_line_is_refuted(which: int, at: int) -> None:
    scene = plain()

    note = resigned(
        signed(scene),
        lambda lines: [damaged(line, at) if i == which else line for i, line in enumerate(lines)],
    )

    assert failed(judged(scene, note)) == "note.bad-signature"


@pytest.mark.parametrize("which", [0, 1])
def test_damaging_a_key_id_is_stripping_the_line(which: int) -> None:
    scene = plain()

    def rename(lines: list[NoteSignature]) -> list[NoteSignature]:
        lines[which] = replace(lines[which], key_id=bytes(4))
        return lines

    assert failed(judged(scene, resigned(signed(scene), rename))) == "checkpoint.unsigned"


@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_line_beside_a_good_one_of_the_same_key_is_refuted(which: int) -> None:
    scene = plain()

    note = resigned(signed(scene), lambda lines: [*lines, damaged(lines[which])])

    assert failed(judged(scene, note)) == "note.bad-signature"


@pytest.mark.parametrize("name", ["log", "log_ml_dsa"])
def test_a_line_by_another_key_of_the_right_kind_is_refuted(name: str) -> None:
    scene = plain()
    stolen = replace(SECRETS, **{name: secret("a thief")})

    assert failed(judged(scene, signed(scene, secrets=stolen))) == "checkpoint.unsigned"


def test_the_ml_dsa_line_of_an_older_checkpoint_is_refuted() -> None:
    scene = plain()
    parsed = parse_checkpoint_unverified(signer().sign_checkpoint(1, ROOT_BYTES).encode())

    note = resigned(signed(scene), lambda lines: [lines[0], parsed.note.signatures[1]])

    assert failed(judged(scene, note)) == "note.bad-signature"


def test_a_checkpoint_from_before_the_second_key_needs_one_line() -> None:
    scene = plain()
    first_key_alone = replace(SECRETS, log_ml_dsa=None)
    note = signed(scene, secrets=first_key_alone)

    assert judged(scene, note, start=scene.log.size).verdict is Verdict.PROVEN
    assert failed(judged(scene, note, start=scene.log.size - 1)) == "checkpoint.unsigned"


def test_a_bad_ml_dsa_line_is_refuted_before_its_key_starts_too() -> None:
    scene = plain()
    note = resigned(signed(scene), lambda lines: [lines[0], damaged(lines[1])])

    assert failed(judged(scene, note, start=scene.log.size)) == "note.bad-signature"


def test_a_reader_with_an_older_trust_policy_ignores_the_second_line() -> None:
    scene = plain()
    older = replace(SECRETS, log_ml_dsa=None)

    assert judged(scene, signed(scene), secrets=older).verdict is Verdict.PROVEN
