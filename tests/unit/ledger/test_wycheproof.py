"""Wycheproof where no scheme's own test reads it: every case of four more files.

The files of P-256, ML-DSA-44 and BLS signatures are read by `test_p256`,
`test_ml_dsa` and `test_bls12381`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from py_arkworks_bls12381 import G2Point
from py_ecc.bls.g2_primitives import G2_to_signature
from py_ecc.bls.hash_to_curve import hash_to_G2

from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.schemes import bls12381, ed25519, secp256k1

# AggregateVerify of distinct messages in the suite "NUL": what a sound one of those is, ours
# refuses, since all of its aggregates are over one message and in the suite "POP".
OTHER_SUITE = {1, 2, 3, 9, 10, 11}
# The x of k*G is n or more, so that recovering the address needs a third or fourth v, which
# FORMATS section 4 has not: sound signatures, of which nobody ever makes one by chance.
LARGE_X = {346}


def cases(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each case with its group."""
    path = folder / "wycheproof" / "testvectors_v1" / name
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        for case in group["tests"]:
            yield group, case


def is_accepted(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except EvidenceError:
        return False
    return True


def test_all_public_ed25519_signatures_are_judged_as_stated(shared_vectors: Path) -> None:
    found = Counter[str]()
    for group, case in cases(shared_vectors, "ed25519_test.json"):
        key = bytes.fromhex(group["publicKey"]["pk"])
        data, sig = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])

        accepted = is_accepted(lambda k=key, d=data, s=sig: ed25519.verify_bytes(k, d, s))  # type: ignore[misc]

        assert accepted is (case["result"] == "valid"), case["tcId"]
        found[case["result"]] += 1

    assert found == {"valid": 88, "invalid": 63}


def test_all_public_secp256k1_signatures_are_judged_as_stated(shared_vectors: Path) -> None:
    """As an address and a digest: DER becomes r, s and whichever of the two v fits."""
    found, without_a_form, large = Counter[str](), 0, set()
    for group, case in cases(shared_vectors, "ecdsa_secp256k1_sha256_bitcoin_test.json"):
        address = keccak256(bytes.fromhex(group["publicKey"]["uncompressed"])[1:])[12:]
        digest, der = (
            hashlib.sha256(bytes.fromhex(case["msg"])).digest(),
            bytes.fromhex(case["sig"]),
        )
        try:
            r, s = decode_dss_signature(der)
            plain = r.to_bytes(32, "big") + s.to_bytes(32, "big")
            has_form = encode_dss_signature(r, s) == der
        except (ValueError, OverflowError):
            has_form = False
        if not has_form:  # its DER is wrong, which 65 bytes cannot be
            assert case["result"] == "invalid", case["tcId"]
            without_a_form += 1
            continue

        accepted = any(
            is_accepted(
                lambda v=v, a=address, d=digest, p=plain: secp256k1.verify_digest(  # type: ignore[misc]
                    a, d, p + bytes([v])
                )
            )
            for v in (27, 28)
        )

        if case["result"] == "valid" and not accepted:
            large.add(case["tcId"])
        else:
            assert accepted is (case["result"] == "valid"), case["tcId"]
        found[case["result"]] += 1

    assert large == LARGE_X
    assert found["valid"] == 162
    assert found["invalid"] + without_a_form == 301


@pytest.mark.parametrize("library", ["arkworks", "py-ecc"])
def test_all_public_messages_are_hashed_to_the_stated_points(
    shared_vectors: Path, library: str
) -> None:
    hashed = 0
    for group, case in cases(shared_vectors, "bls_hash_to_g2_test.json"):
        data, tag = bytes.fromhex(case["msg"]), group["dst"].encode()
        if library == "arkworks":
            point = bytes(G2Point.hash_to_curve(data, tag).to_compressed_bytes())
        else:
            hashed_to = hash_to_G2(data, tag, hashlib.sha256)  # type: ignore[arg-type]  # a maker of HASH
            point = bytes(G2_to_signature(hashed_to))

        assert point.hex() == case["expected"], case["tcId"]
        hashed += 1

    assert hashed == 34


def test_no_public_aggregate_of_another_suite_passes_for_ours(shared_vectors: Path) -> None:
    valid, judged = set(), 0
    for _, case in cases(shared_vectors, "bls_sig_g2_aggregate_verify_test.json"):
        keys = [bytes.fromhex(key) for key in case["pubkeys"]]
        sig = bytes.fromhex(case["sig"])
        for message in case["messages"]:
            data = bytes.fromhex(message)
            assert not is_accepted(
                lambda k=keys, d=data, s=sig: bls12381.verify_bytes(k, d, s)  # type: ignore[misc]
            ), case["tcId"]
        valid |= {case["tcId"]} if case["result"] == "valid" else set()
        judged += 1

    assert judged == 19
    assert valid == OTHER_SUITE
