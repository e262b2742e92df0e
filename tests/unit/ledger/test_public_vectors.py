"""The public vectors of the pure core: Merkle proofs, canonical JSON, checkpoints."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.merkle import hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.note import ED25519, VerifierKey, parse_note

# Roots there are a 12-byte placeholder text; ours are 32 bytes or refused.
PLACEHOLDER_ROOTS = {"consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"}


def _merkle(shared_vectors: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    folder = shared_vectors / "merkle-rfc6962" / "testdata"
    for path in sorted((folder / kind).rglob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        yield path.relative_to(folder).as_posix(), case


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _refuses(verify: Callable[..., None], arguments: Sequence[Any]) -> bool:
    try:
        verify(*arguments)
    except EvidenceError:
        return True
    return False


def test_all_public_inclusion_proofs_are_judged_as_stated(shared_vectors: Path) -> None:
    accepted = refused = 0
    for name, case in _merkle(shared_vectors, "inclusion"):
        arguments = (
            _bytes(case["leafHash"]),
            case["leafIdx"],
            case["treeSize"],
            [_bytes(node) for node in case["proof"] or ()],
            _bytes(case["root"]),
        )
        if case["wantErr"]:
            assert _refuses(verify_inclusion, arguments), name
            refused += 1
        else:
            verify_inclusion(*arguments)
            accepted += 1

    assert (accepted, refused) == (6, 92)


def test_all_public_consistency_proofs_are_judged_as_stated(shared_vectors: Path) -> None:
    accepted = refused = 0
    for name, case in _merkle(shared_vectors, "consistency"):
        arguments = (
            case["size1"],
            _bytes(case["root1"]),
            case["size2"],
            _bytes(case["root2"]),
            [_bytes(node) for node in case["proof"] or ()],
        )
        if case["wantErr"] or name in PLACEHOLDER_ROOTS:
            assert _refuses(verify_consistency, arguments), name
            refused += 1
        else:
            verify_consistency(*arguments)
            accepted += 1

    assert (accepted, refused) == (6 - len(PLACEHOLDER_ROOTS), 92 + len(PLACEHOLDER_ROOTS))


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_canonical_json_is_that_of_rfc_8785(shared_vectors: Path, name: str) -> None:
    folder = shared_vectors / "jcs" / "testdata"
    value = json.loads((folder / "input" / f"{name}.json").read_text(encoding="utf-8"))

    encoded = encode_json(value)

    assert encoded == (folder / "output" / f"{name}.json").read_bytes()
    assert encoded == bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())


def _sigstore(shared_vectors: Path, case: str) -> tuple[dict[str, Any], Path]:
    folder = shared_vectors / "sigstore-checkpoints" / "test" / "assets" / "bundle-verify" / case
    bundle = json.loads((folder / "bundle.sigstore.json").read_text(encoding="utf-8"))
    return bundle["verificationMaterial"]["tlogEntries"][0], folder


def _log_keys(folder: Path) -> list[VerifierKey]:
    """The Ed25519 log keys of a trusted root, each under its own name."""
    trusted = json.loads((folder / "trusted_root.json").read_text(encoding="utf-8"))
    return [
        VerifierKey(
            name=log["baseUrl"].removeprefix("https://"),
            kind=ED25519,
            public=_bytes(log["publicKey"]["rawBytes"])[-32:],
        )
        for log in trusted["tlogs"]
        if "ED25519" in log["publicKey"]["keyDetails"]
    ]


@pytest.mark.parametrize(
    "case",
    [
        "rekor2-checkpoint-cosigned",
        "rekor2-checkpoint-multiple-cosigs",
        "rekor2-checkpoint-origin-not-first",
        "rekor2-checkpoint-two-sigs-cosigned",
        "rekor2-checkpoint-two-sigs-from-origin",
    ],
)
def test_a_good_rekor_checkpoint_verifies_and_includes_its_entry(
    shared_vectors: Path, case: str
) -> None:
    entry, folder = _sigstore(shared_vectors, case)
    proof = entry["inclusionProof"]

    signed = parse_checkpoint_unverified(proof["checkpoint"]["envelope"].encode())
    found = verify_signatures(signed, _log_keys(folder))

    assert {key.name for key in found} == {signed.checkpoint.origin}
    assert signed.checkpoint.size == int(proof["treeSize"])
    verify_inclusion(
        hash_leaf(_bytes(entry["canonicalizedBody"])),
        int(proof["logIndex"]),
        signed.checkpoint.size,
        [_bytes(node) for node in proof["hashes"]],
        signed.checkpoint.root,
    )


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("rekor2-checkpoint-missing-log-signature_fail", "note.no-signatures"),
        ("rekor2-checkpoint-missing-origin_fail", "checkpoint.lines"),
        ("rekor2-checkpoint-missing-root-hash_fail", "checkpoint.lines"),
        ("rekor2-checkpoint-missing-size_fail", "checkpoint.lines"),
        # Rekor v1 writes a fourth line; our format has no extension lines.
        ("checkpoint-bad-keyhint_fail", "checkpoint.lines"),
    ],
)
def test_a_damaged_rekor_checkpoint_is_refused(shared_vectors: Path, case: str, code: str) -> None:
    entry, _ = _sigstore(shared_vectors, case)

    with pytest.raises(EvidenceError) as caught:
        parse_checkpoint_unverified(entry["inclusionProof"]["checkpoint"]["envelope"].encode())

    assert caught.value.code == code


def test_a_rekor_checkpoint_of_another_name_has_no_signature_of_the_log(
    shared_vectors: Path,
) -> None:
    entry, folder = _sigstore(shared_vectors, "rekor2-checkpoint-no-matching-signature_fail")
    signed = parse_checkpoint_unverified(entry["inclusionProof"]["checkpoint"]["envelope"].encode())

    assert verify_signatures(signed, _log_keys(folder)) == frozenset()


def test_every_public_inclusion_path_leads_where_its_suite_says(shared_vectors: Path) -> None:
    suite = json.loads((shared_vectors / "sigstore-checkpoints" / "expected.json").read_text())
    judged = 0
    for case in suite["cases"]:
        entry, _ = _sigstore(shared_vectors, case["case"])
        proof = entry.get("inclusionProof")
        if case["inclusion_math"] is None or proof is None:
            continue
        arguments = (
            hash_leaf(_bytes(entry["canonicalizedBody"])),
            int(proof["logIndex"]),
            int(proof["treeSize"]),
            [_bytes(node) for node in proof["hashes"]],
            _bytes(proof["rootHash"]),
        )
        judged += 1
        if case["inclusion_math"]:
            verify_inclusion(*arguments)
        else:
            with pytest.raises(EvidenceError):
                verify_inclusion(*arguments)

    assert judged >= 14


def test_every_public_checkpoint_note_splits_into_text_and_signatures(
    shared_vectors: Path,
) -> None:
    suite = json.loads((shared_vectors / "sigstore-checkpoints" / "expected.json").read_text())
    for case in suite["cases"]:
        entry, _ = _sigstore(shared_vectors, case["case"])
        envelope = entry.get("inclusionProof", {}).get("checkpoint", {}).get("envelope")
        if envelope is None or case.get("signature_lines", 1) == 0:
            continue

        note = parse_note(envelope.encode())

        assert len(note.signatures) == case.get("signature_lines", 1)
