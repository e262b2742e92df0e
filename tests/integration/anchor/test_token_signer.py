"""A key in a PKCS#11 token: SoftHSM, by its own library, in this process."""

from __future__ import annotations

import _ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chain import KEY, OTHER_KEY, Chain, MemoryLog
from token_kit import PIN, Token, make_token
from vermilion_anchor.eip1559 import signing_digest
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.token import TokenOptions, TokenSigner
from vermilion_anchor.transactions import sign_transaction
from vermilion_ledger.anchor_rows import FinalAnchor
from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    NotFoundError,
    SignatureError,
    UnavailableError,
)

ADDRESS = AccountSigner(KEY).address
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELDS = TransactionFields(
    chain_id=31337,
    nonce=7,
    to=b"\x12" * 20,
    data=b"\x34" * 100,
    gas_limit=100_000,
    max_fee=3 * 10**9,
    priority_fee=10**9,
)


def private_key(key: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256K1())


@dataclass(frozen=True)
class Desk:
    token: Token
    options: TokenOptions


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A library is loaded once per process, and reads its settings then."""
    folder = tmp_path_factory.mktemp("softhsm")
    token = make_token(folder, "anchoring")
    token.put_key("anchor", private_key(KEY), 1)
    token.put_key("other", private_key(OTHER_KEY), 2)
    token.put_key("two", private_key(KEY), 3)
    token.put_key("two", private_key(OTHER_KEY), 4)
    token.put_key("other curve", ec.generate_private_key(ec.SECP256R1()), 5)
    pin = folder / "anchor.pin"
    pin.write_text(PIN + "\n")
    pin.chmod(0o600)
    options = TokenOptions(
        module=token.module, token="anchoring", label="anchor", pin=pin, address=ADDRESS
    )
    return Desk(token, options)


def open_signer(desk: Desk, **changes: Any) -> TokenSigner:
    return TokenSigner(replace(desk.options, **changes))


def refused(desk: Desk, kind: type[EvidenceError], **changes: Any) -> str:
    with pytest.raises(kind) as error:
        open_signer(desk, **changes).close()
    return error.value.code


def test_a_token_s_signatures_are_those_of_its_address(desk: Desk) -> None:
    signer = open_signer(desk)
    assert signer.address == ADDRESS

    for nonce in range(40):  # half of what the token gives has the higher s
        fields = replace(FIELDS, nonce=nonce)
        assert sign_transaction(signer, fields).fields == fields
    signer.close()


def test_the_token_gives_either_s(desk: Desk) -> None:
    """What the test above relies on."""
    token = pkcs11.lib(str(desk.token.module)).get_token(token_label="anchoring")
    with token.open(user_pin=PIN) as session:
        key: Any = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label="anchor")
        signatures = [
            key.sign(signing_digest(replace(FIELDS, nonce=nonce)), mechanism=pkcs11.Mechanism.ECDSA)
            for nonce in range(40)
        ]

    assert {int.from_bytes(each[32:], "big") > N // 2 for each in signatures} == {True, False}


def test_an_anchor_signed_in_a_token_becomes_final(
    desk: Desk,
    chain: Chain,
    make_anchorer: Callable[..., Any],
    finish: Callable[..., FinalAnchor],
) -> None:
    signer = open_signer(desk)

    anchor = finish(make_anchorer(MemoryLog(9), finality="immediate", signer=signer), 9)

    assert anchor.size == 9
    assert len(chain.events()) == 1
    signer.close()


def test_several_threads_may_sign(desk: Desk) -> None:
    signer = open_signer(desk)
    signed: list[int] = []

    def sign(first: int) -> None:
        for nonce in range(first, first + 20):
            sign_transaction(signer, replace(FIELDS, nonce=nonce))
            signed.append(nonce)

    threads = [Thread(target=sign, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    signer.close()

    assert len(signed) == 60


def test_a_lost_session_is_opened_anew(desk: Desk) -> None:
    signer = open_signer(desk)
    signer._session._session.close()  # as after a restart of the device

    with pytest.raises(UnavailableError) as error:
        sign_transaction(signer, FIELDS)

    assert error.value.code == "signer.unreachable"
    assert sign_transaction(signer, FIELDS).fields == FIELDS
    signer.close()


# --- what is refused ---


def test_a_key_of_another_address_is_refused(desk: Desk) -> None:
    for changes in ({"label": "other"}, {"address": b"\x01" * 20}):
        signer = open_signer(desk, **changes)
        with pytest.raises(SignatureError) as error:
            sign_transaction(signer, FIELDS)
        signer.close()

        assert error.value.code == "signer.other-key"


@pytest.mark.parametrize("pin", ["271829", "1", "", "x" * 300, "\xe9"])
def test_a_wrong_pin_is_refused(desk: Desk, tmp_path: Path, pin: str) -> None:
    path = tmp_path / "pin"
    path.write_text(pin)
    path.chmod(0o600)

    assert refused(desk, InputError, pin=path) == "signer.pin"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_pin_that_others_may_read_is_refused(desk: Desk, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pin"
    path.write_text(PIN)
    path.chmod(mode)

    assert refused(desk, InputError, pin=path) == "key.file-readable"


def test_a_missing_pin_is_told(desk: Desk, tmp_path: Path) -> None:
    assert refused(desk, NotFoundError, pin=tmp_path / "none") == "key.file-missing"


@pytest.mark.parametrize("label", ["none", "two", "", "Anchor"])
def test_a_label_of_no_key_or_of_two_is_refused(desk: Desk, label: str) -> None:
    assert refused(desk, NotFoundError, label=label) == "signer.no-key"


def test_a_key_of_another_curve_is_refused(desk: Desk) -> None:
    assert refused(desk, NotFoundError, label="other curve") == "signer.no-key"


def test_a_token_that_is_not_there_is_told(desk: Desk) -> None:
    assert refused(desk, UnavailableError, token="none") == "signer.no-token"


def test_after_a_refusal_the_token_can_be_used(desk: Desk, tmp_path: Path) -> None:
    """Nothing stays open or logged in."""
    for _ in range(3):
        refused(desk, NotFoundError, label="none")
        refused(desk, NotFoundError, label="other curve")

    signer = open_signer(desk)

    assert sign_transaction(signer, FIELDS).fields == FIELDS
    signer.close()


@pytest.mark.parametrize("what", ["missing", "text", "library"])
def test_what_is_no_pkcs11_library_is_refused(desk: Desk, tmp_path: Path, what: str) -> None:
    """In a process of its own: python-pkcs11 keeps to the first library of a process."""
    module = tmp_path / "module.so"
    if what == "text":
        module.write_text("no library")
    elif what == "library":
        module = Path(_ctypes.__file__)
    text = (
        "import sys; from pathlib import Path\n"
        "from vermilion_anchor.token import TokenOptions, TokenSigner\n"
        "from vermilion_ledger.errors import EvidenceError\n"
        "path = Path(sys.argv[1])\n"
        "try: TokenSigner(TokenOptions(module=path, token='t', label='l', pin=path,"
        " address=bytes(20)))\n"
        "except EvidenceError as error: print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", text, str(module)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("signer.module\n", "")
