"""Signatures of every scheme are fed to every verifier: only the diagonal passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

import office
from devices import PARTY
from office import Person
from vermilion_ledger.envelope import Signature, make_envelope
from vermilion_ledger.errors import EvidenceError, SignatureError
from vermilion_ledger.keys import verify_actor_signature
from vermilion_ledger.schemes import SCHEME_NAMES, make_keyid, webauthn
from vermilion_ledger.schemes.message import SignedMessage

SCHEMES = tuple(sorted(SCHEME_NAMES))
# One secret for all of them: no scheme may take a signature that another made with it.
PEOPLE = {scheme: Person(name="somebody", scheme=scheme) for scheme in SCHEMES}


def signed(scheme: str, event: str = "approve") -> tuple[Signature, SignedMessage]:
    made = office.statement(event, seen=office.SEEN)
    envelope = PEOPLE[scheme].sign(make_envelope(made.encode(), ()))
    return envelope.signatures[0], envelope.message


def relabelled(signature: Signature, scheme: str) -> Signature:
    """The same bytes as if the key of another scheme had signed them."""
    extra = signature.extra
    if scheme == webauthn.NAME and not extra:
        extra = signed(webauthn.NAME)[0].extra
    return replace(signature, keyids=(PEOPLE[scheme].keyid,), scheme=scheme, extra=extra)


def test_the_same_secret_is_another_key_in_every_scheme() -> None:
    assert len({person.keyid for person in PEOPLE.values()}) == len(SCHEMES)


@pytest.mark.parametrize("key", SCHEMES)
@pytest.mark.parametrize("signer", SCHEMES)
def test_only_the_scheme_that_signed_verifies(signer: str, key: str) -> None:
    signature, message = signed(signer)
    registry = office.registry_of(PEOPLE[key])

    if signer == key:
        verify_actor_signature(signature, message, registry)
        return
    with pytest.raises(SignatureError):
        verify_actor_signature(relabelled(signature, key), message, registry)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_signature_of_another_statement_is_refused(scheme: str) -> None:
    signature, _ = signed(scheme, "seal")
    _, message = signed(scheme, "approve")

    with pytest.raises(SignatureError):
        verify_actor_signature(signature, message, office.registry_of(PEOPLE[scheme]))


@pytest.mark.parametrize("key", SCHEMES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_public_key_registered_under_another_scheme_is_refused(scheme: str, key: str) -> None:
    """Both schemes on P-256 have keys of one form, and yet no signature in common."""
    if scheme == key:
        return
    signature, message = signed(scheme)
    public_key = PEOPLE[key].public_key
    keyid = make_keyid(scheme, public_key)
    registered = PEOPLE[scheme].registered(keyid=keyid, public_key=public_key)
    registry = replace(office.registry_of(), keys={keyid: registered})
    made = replace(signature, keyids=(keyid,))

    if {scheme, key} == {"ecdsa-p256", webauthn.NAME}:
        verify_actor_signature(made, message, registry)  # the very same point: its own scheme
        return
    with pytest.raises(EvidenceError):
        verify_actor_signature(made, message, registry)


def test_the_site_of_a_passkey_is_that_of_its_registration() -> None:
    person = PEOPLE[webauthn.NAME]
    signature, message = signed(webauthn.NAME)
    moved = person.registered(party=replace(PARTY, origin="https://elsewhere.example"))
    registry = replace(office.registry_of(), keys={person.keyid: moved})

    with pytest.raises(SignatureError) as caught:
        verify_actor_signature(signature, message, registry)

    assert caught.value.code == "webauthn.origin"
