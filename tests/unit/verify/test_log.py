"""checkpoint.signature and witness.quorum."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from evidence import Scene, codes, plain
from office import LOG_SEED, ORIGIN, secret
from trusted import log_vkey
from vermilion_ledger.checkpoint import Checkpoint, sign_checkpoint
from vermilion_ledger.note import (
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    NoteSignature,
    VerifierKey,
    encode_note,
    parse_note,
)
from vermilion_ledger.schemes import ed25519
from vermilion_verify.report import CheckStatus, Report, Verdict

NEW_SEED = secret("new log key")
TIME = 1_795_100_000


def line(name: str, kind: int, public: bytes, blob: bytes) -> NoteSignature:
    key = VerifierKey(name=name, kind=kind, public=public)
    return NoteSignature(name=name, key_id=key.key_id, blob=blob)


def log_line(text: str, seed: bytes = LOG_SEED, name: str = ORIGIN) -> NoteSignature:
    return line(name, ED25519, ed25519.public_key_of(seed), ed25519.sign(seed, text.encode()))


def cosignature(text: str, name: str, *, seconds: int = TIME) -> NoteSignature:
    message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
    seed = secret(name)
    blob = seconds.to_bytes(8, "big") + ed25519.sign(seed, message)
    return line(name, COSIGNATURE, ed25519.public_key_of(seed), blob)


def ml_dsa_line(
    scene: Scene, name: str = ORIGIN, *, seconds: int = 0, start: int = 0, end: int | None = None
) -> NoteSignature:
    key = MLDSA44PrivateKey.from_seed_bytes(secret(f"ml-dsa of {name}"))
    message = (
        b"subtree/v1\n\0"
        + bytes([len(name)])
        + name.encode()
        + seconds.to_bytes(8, "big")
        + bytes([len(ORIGIN)])
        + ORIGIN.encode()
        + start.to_bytes(8, "big")
        + (scene.log.size if end is None else end).to_bytes(8, "big")
        + scene.log.root
    )
    blob = seconds.to_bytes(8, "big") + key.sign(message)
    return line(name, ML_DSA_44, key.public_key().public_bytes_raw(), blob)


def ml_dsa_vkey(name: str = ORIGIN) -> str:
    key = MLDSA44PrivateKey.from_seed_bytes(secret(f"ml-dsa of {name}"))
    public = key.public_key().public_bytes_raw()
    return VerifierKey(name=name, kind=ML_DSA_44, public=public).encode()


def witness_vkey(name: str) -> str:
    return log_vkey(secret(name), name, COSIGNATURE)


def text_of(scene: Scene) -> str:
    return Checkpoint(origin=ORIGIN, size=scene.log.size, root=scene.log.root).text


def judged(scene: Scene, *lines: NoteSignature, **policy: Any) -> Report:
    note = encode_note(text_of(scene), lines)
    return scene.verify(scene.bundle(note=note), policy=scene.trust(**policy))


def keys(*ranges: tuple[str, str]) -> str:
    return "[" + ", ".join(f'{{vkey = "{vkey}", {span}}}' for vkey, span in ranges) + "]"


def failed(report: Report) -> str | None:
    return codes(report).get("checkpoint.signature")


# -- checkpoint.signature


def test_a_checkpoint_of_another_log_is_refuted() -> None:
    scene = plain()

    report = scene.verify(policy=scene.trust(origin='"log.example"', log_keys="[]"))

    assert failed(report) == "checkpoint.other-origin"


def test_a_checkpoint_that_only_strangers_signed_is_refuted() -> None:
    scene = plain()
    text = text_of(scene)

    for stranger in (log_line(text, NEW_SEED), log_line(text, LOG_SEED, "log.example")):
        assert failed(judged(scene, stranger)) == "checkpoint.unsigned"


def test_lines_of_strangers_beside_the_logs_own_are_ignored() -> None:
    scene = plain()
    text = text_of(scene)
    rubbish = NoteSignature(name="nobody.example", key_id=bytes(4), blob=b"\0")

    report = judged(scene, rubbish, log_line(text), log_line(text, NEW_SEED))

    assert report.verdict is Verdict.PROVEN


def test_a_bad_signature_of_the_log_is_refuted_beside_a_good_one_too() -> None:
    scene = plain()
    good = log_line(text_of(scene))
    bad = NoteSignature(name=good.name, key_id=good.key_id, blob=bytes(64))

    assert failed(judged(scene, bad)) == "note.bad-signature"
    assert failed(judged(scene, good, bad)) == "note.bad-signature"


def test_a_signature_over_another_tree_is_refuted() -> None:
    scene = plain()
    other = Checkpoint(origin=ORIGIN, size=1, root=bytes(32)).text

    assert failed(judged(scene, log_line(other))) == "note.bad-signature"


@pytest.mark.parametrize(
    ("old", "new", "size", "by_old"),
    [
        ("from = 0, until = 3", "from = 3", 3, True),
        ("from = 0, until = 3", "from = 3", 4, False),
        ("from = 0, until = 9", "from = 3", 3, True),
        ("from = 0, until = 9", "from = 3", 5, True),
        ("from = 0, until = 9", "from = 3", 5, False),
    ],
)
def test_a_checkpoint_is_signed_by_a_log_key_in_force(
    old: str, new: str, size: int, by_old: bool
) -> None:
    scene = grown(size)
    policy = keys((log_vkey(), old), (log_vkey(NEW_SEED), new))

    report = judged(
        scene, log_line(text_of(scene), LOG_SEED if by_old else NEW_SEED), log_keys=policy
    )

    assert report.verdict is Verdict.PROVEN


@pytest.mark.parametrize(
    ("old", "new", "size", "by_old"),
    [
        ("from = 0, until = 3", "from = 3", 4, True),
        ("from = 0, until = 3", "from = 3", 3, False),
        ("from = 0, until = 9", "from = 3", 3, False),
    ],
)
def test_a_checkpoint_by_a_log_key_out_of_force_is_refuted(
    old: str, new: str, size: int, by_old: bool
) -> None:
    scene = grown(size)
    policy = keys((log_vkey(), old), (log_vkey(NEW_SEED), new))

    report = judged(
        scene, log_line(text_of(scene), LOG_SEED if by_old else NEW_SEED), log_keys=policy
    )

    assert failed(report) == "checkpoint.unsigned"


def grown(size: int) -> Scene:
    scene = plain(anchored=False)
    while scene.log.size < size:
        scene.event("review")
    scene.anchor()
    return scene


def test_a_size_at_which_no_log_key_is_in_force_is_refuted() -> None:
    scene = plain()

    report = scene.verify(policy=scene.trust(log_keys=keys((log_vkey(), "from = 1"))))

    assert failed(report) == "checkpoint.no-key"


def test_each_kind_of_log_key_must_have_signed() -> None:
    scene = plain()
    both = keys((log_vkey(), "from = 0"), (ml_dsa_vkey(), "from = 0"))
    ed, post_quantum = log_line(text_of(scene)), ml_dsa_line(scene)

    assert judged(scene, ed, post_quantum, log_keys=both).verdict is Verdict.PROVEN
    assert failed(judged(scene, ed, log_keys=both)) == "checkpoint.unsigned"
    assert failed(judged(scene, post_quantum, log_keys=both)) == "checkpoint.unsigned"


def test_an_ml_dsa_key_that_comes_later_is_not_asked_yet() -> None:
    scene = plain()
    both = keys((log_vkey(), "from = 0"), (ml_dsa_vkey(), "from = 1"))

    assert judged(scene, log_line(text_of(scene)), log_keys=both).verdict is Verdict.PROVEN


@pytest.mark.parametrize("change", [{"start": 1}, {"end": 2}])
def test_an_ml_dsa_signature_over_another_range_is_refuted(change: dict[str, Any]) -> None:
    scene = plain()
    both = keys((log_vkey(), "from = 0"), (ml_dsa_vkey(), "from = 0"))
    lines = log_line(text_of(scene)), ml_dsa_line(scene, **change)

    assert failed(judged(scene, *lines, log_keys=both)) == "note.bad-signature"


def test_an_ml_dsa_line_without_time_or_with_a_bit_changed_is_refuted() -> None:
    scene = plain()
    both = keys((log_vkey(), "from = 0"), (ml_dsa_vkey(), "from = 0"))
    good = ml_dsa_line(scene)
    for blob in (good.blob[:8], good.blob[:-1] + bytes([good.blob[-1] ^ 1]), good.blob[:-1]):
        bad = NoteSignature(name=good.name, key_id=good.key_id, blob=blob)
        report = judged(scene, log_line(text_of(scene)), bad, log_keys=both)
        assert failed(report) == "note.bad-signature"


# -- witness.quorum

WITNESSES = ("w1.example", "w2.example", "w3.example")


def witnessed(scene: Scene, *lines: NoteSignature, quorum: int = 2) -> Report:
    vkeys = ", ".join(f'"{witness_vkey(name)}"' for name in WITNESSES)
    return judged(
        scene,
        log_line(text_of(scene)),
        *lines,
        witness_quorum=str(quorum),
        witness_keys=f"[{vkeys}]",
    )


def test_two_witnesses_of_three_are_a_quorum_of_two() -> None:
    scene = plain()
    text = text_of(scene)

    report = witnessed(scene, cosignature(text, "w1.example"), cosignature(text, "w3.example"))

    assert report.verdict is Verdict.PROVEN
    found = report.check("witness.quorum")
    assert found is not None
    assert found.detail["witnesses"] == ["w1.example", "w3.example"]


def test_too_few_witnesses_cannot_be_judged() -> None:
    scene = plain()
    text = text_of(scene)

    for lines in ([], [cosignature(text, "w1.example")], [cosignature(text, "stranger.example")]):
        report = witnessed(scene, *lines)
        assert report.verdict is Verdict.CANNOT_TELL
        assert codes(report, CheckStatus.UNKNOWN) == {"witness.quorum": "witness.quorum"}


def test_a_witness_counts_once_however_often_it_signs() -> None:
    scene = plain()
    text = text_of(scene)
    twice = [cosignature(text, "w1.example", seconds=TIME + at) for at in range(2)]

    assert codes(witnessed(scene, *twice), CheckStatus.UNKNOWN)["witness.quorum"]


def test_a_bad_cosignature_is_refuted_beyond_the_quorum_too() -> None:
    scene = plain()
    text = text_of(scene)
    good = [cosignature(text, name) for name in WITNESSES]
    later = (TIME + 1).to_bytes(8, "big") + good[0].blob[8:]
    for blob in (later, good[0].blob[:8], good[0].blob[:-1], bytes(72)):
        bad = NoteSignature(name=good[0].name, key_id=good[0].key_id, blob=blob)
        report = witnessed(scene, bad, good[1], good[2])
        assert report.verdict is Verdict.REFUTED
        assert codes(report) == {"witness.quorum": "note.bad-signature"}


def test_a_bad_cosignature_is_refuted_where_no_quorum_is_asked() -> None:
    scene = plain()
    good = cosignature(text_of(scene), "w1.example")
    bad = NoteSignature(name=good.name, key_id=good.key_id, blob=bytes(72))

    assert codes(witnessed(scene, bad, quorum=0)) == {"witness.quorum": "note.bad-signature"}


def test_a_cosignature_over_a_smaller_checkpoint_is_refuted() -> None:
    scene = grown(2)
    other = cosignature(Checkpoint(origin=ORIGIN, size=1, root=scene.log.root).text, "w1.example")

    assert codes(witnessed(scene, other)) == {"witness.quorum": "note.bad-signature"}


def test_a_witness_may_use_ml_dsa() -> None:
    scene = plain()
    name = "w1.example"
    vkeys = f'["{ml_dsa_vkey(name)}"]'
    lines = log_line(text_of(scene)), ml_dsa_line(scene, name, seconds=TIME)

    report = judged(scene, *lines, witness_quorum="1", witness_keys=vkeys)

    assert report.verdict is Verdict.PROVEN


def test_a_note_of_the_log_reads_back() -> None:
    scene = plain()
    checkpoint = Checkpoint(origin=ORIGIN, size=scene.log.size, root=scene.log.root)

    assert parse_note(sign_checkpoint(checkpoint, LOG_SEED).encode()).text == text_of(scene)
