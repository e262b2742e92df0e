"""Two pairing libraries, one answer: arkworks against the reference, py-ecc."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import office
from faults.compare_pairings import compare
from missing import PAIRINGS, without
from vectors.make_vectors import FOLDER
from vermilion_ledger.errors import EvidenceError, UnavailableError
from vermilion_ledger.schemes import bls12381
from vermilion_ledger.schemes.pairing import load_pairing
from vermilion_ledger.schemes.pairing_py_ecc import PyEccPairing

REFERENCE = PyEccPairing()
# What is refused by its form alone never comes to a library.
DECIDED_BY_FORM = {"key.size", "key.identity", "key.not-canonical"}
DECIDED_BY_FORM |= {"signature.size", "signature.not-canonical"}
SAMPLE = (
    "refuse-key-off-curve",
    "refuse-key-of-order-three",
    "refuse-joined-without-one",
    "refuse-keys-that-cancel",
    "refuse-signature-negated",
    "refuse-signature-outside-the-group",
)


def vector(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "bls" / f"{name}.json").read_text())
    return found


def test_the_fast_library_is_the_one_that_is_used() -> None:
    assert load_pairing().name == "arkworks"


def test_the_reference_writes_the_committed_vectors() -> None:
    made = vector("accept-two")
    seeds, message = [bytes.fromhex(each) for each in made["seeds"]], bytes.fromhex(made["message"])

    keys = [bls12381.public_key_of(seed, pairing=REFERENCE).hex() for seed in seeds]
    proofs = [bls12381.prove_possession(seed, pairing=REFERENCE).hex() for seed in seeds]
    parts = [bls12381.sign(seed, message, pairing=REFERENCE) for seed in seeds]

    assert (keys, proofs) == (made["keys"], made["proofs"])
    assert bls12381.join_signatures(parts, pairing=REFERENCE).hex() == made["signature"]


def test_the_reference_accepts_a_committed_vector() -> None:
    made = vector("accept-two")

    keys = [bytes.fromhex(key) for key in made["keys"]]
    bls12381.verify_bytes(
        keys, bytes.fromhex(made["message"]), bytes.fromhex(made["signature"]), pairing=REFERENCE
    )
    bls12381.verify_possession(keys[0], bytes.fromhex(made["proofs"][0]), pairing=REFERENCE)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_reference_refuses_with_the_same_code(name: str) -> None:
    made = vector(name)
    assert made["code"] not in DECIDED_BY_FORM

    with pytest.raises(EvidenceError) as caught:
        bls12381.verify_bytes(
            [bytes.fromhex(key) for key in made["keys"]],
            bytes.fromhex(made["message"]),
            bytes.fromhex(made["signature"]),
            pairing=REFERENCE,
        )

    assert caught.value.code == made["code"]


def test_the_reference_refuses_a_signature_as_a_proof() -> None:
    made = vector("refuse-proof-is-a-signature")

    with pytest.raises(EvidenceError) as caught:
        bls12381.verify_possession(
            bytes.fromhex(made["keys"][0]), bytes.fromhex(made["proofs"][0]), pairing=REFERENCE
        )

    assert caught.value.code == made["code"]


def test_the_reference_joins_no_point_outside_the_group() -> None:
    for bad in (b"\x80" + bytes(95), b"\x80" + bytes(94) + b"\x02"):
        for pairing in (None, REFERENCE):
            with pytest.raises(EvidenceError) as caught:
                bls12381.join_signatures([bad], pairing=pairing)
            assert caught.value.code == "signature.bad"


def test_a_scalar_is_made_of_a_seed_as_the_reference_does() -> None:
    from py_ecc.bls.ciphersuites import G2ProofOfPossession  # after ours, which undoes its limit

    for number in range(20):
        seed = office.secret(f"seed {number}")
        assert bls12381._scalar_of(seed) == G2ProofOfPossession.KeyGen(seed)


def test_both_libraries_answer_alike_to_random_questions() -> None:
    assert compare(1, seed=5).total() == 2


# --- which one is loaded


def test_the_reference_stands_in_where_the_fast_library_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(monkeypatch, "py_arkworks_bls12381")

    assert load_pairing().name == "py-ecc"


def test_without_either_library_the_scheme_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, *PAIRINGS)

    with pytest.raises(UnavailableError) as caught:
        load_pairing()

    assert caught.value.code == "scheme.unsupported"


def test_the_reference_lets_nothing_recurse_deeper_than_the_stack_bears() -> None:
    program = (
        "import json\n"
        "from vermilion_ledger.schemes.pairing_py_ecc import PyEccPairing\n"
        "try:\n"
        "    json.loads('[' * 100_000)\n"
        "except RecursionError:\n"
        "    print(PyEccPairing().name)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

    assert done.stdout == b"py-ecc\n"


def test_verifying_loads_the_reference_only_where_it_must() -> None:
    program = (
        "import sys\n"
        "from vermilion_ledger.schemes.pairing import load_pairing\n"
        "load_pairing()\n"
        "assert not {'py_ecc', 'eth_utils', 'pydantic'} & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
