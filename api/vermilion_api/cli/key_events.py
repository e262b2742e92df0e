"""``vermilion keys register, revoke, compromised, rotate``: what changes who may sign.

Where the roots of a quorum sit in different places, ``--output`` writes what was
signed so far into a file instead of submitting it, and ``--statement`` takes
such files: what they hold is joined, compared with what is asked, and signed by
the keys at hand as well. Without ``--output`` it is submitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vermilion_api.cli.common import (
    DEFAULT_URL,
    JsonOption,
    KeyOption,
    OutputOption,
    StatementOption,
    UrlOption,
    WaitOption,
    load_keys,
    show,
    write_file,
)
from vermilion_api.cli.devices import (
    AddressOption,
    CertificateOption,
    CrlOption,
    DeviceChoice,
    LabelOption,
    OwnerOption,
    PinOption,
    Pkcs11Option,
    TokenOption,
    WalletOption,
    describe_certificates,
    fresh_key,
    split_actor,
)

if TYPE_CHECKING:
    from vermilion_api.client import Ledger
    from vermilion_api.devices import StatementSigner
    from vermilion_api.keyfiles import KeyFile
    from vermilion_ledger.envelope import Envelope

__all__ = ["compromised", "register", "revoke", "rotate"]

_DEFAULT_MAY = "approve,countersign,seal"
_CERTIFIED = ("certificates", "revocations")  # what a root's registration may have too

_RootOption = Annotated[
    list[Path] | None, typer.Option("--root", help="Key file of a root; may be repeated.")
]
_MayOption = Annotated[
    str, typer.Option(help=f"Event words it may sign; {_DEFAULT_MAY} if left out.")
]
_OfficerOption = Annotated[
    bool,
    typer.Option(
        "--officer",
        help="What --may names of revoke, supersede, dispose and regrade, it may do anywhere.",
    ),
]
_UntilOption = Annotated[
    str, typer.Option(help="End of a delegation, such as 2026-12-31T16:00:00Z.")
]
_OnBehalfOfOption = Annotated[
    str, typer.Option(help="Id of the owner for whom a delegated key decides.")
]
_ActorOption = Annotated[
    str, typer.Option(help="id,name,post,unit of the root that signs later, elsewhere.")
]
_KeyidOption = Annotated[str, typer.Option(help="With --statement: the key that it must be about.")]


def register(  # noqa: PLR0913 - one parameter per option
    *,
    key: Annotated[Path | None, typer.Option("--key", help="Key file to register.")] = None,
    root: _RootOption = None,
    may: _MayOption = "",
    officer: _OfficerOption = False,
    until: _UntilOption = "",
    on_behalf_of: _OnBehalfOfOption = "",
    actor: _ActorOption = "",
    keyid: _KeyidOption = "",
    pkcs11: Pkcs11Option = None,
    token: TokenOption = "",
    label: LabelOption = "",
    pin: PinOption = None,
    wallet: WalletOption = "",
    address: AddressOption = "",
    owner: OwnerOption = "",
    certificate: CertificateOption = None,
    crl: CrlOption = None,
    statement: StatementOption = None,
    output: OutputOption = None,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Register a key, signed by the roots and by itself; a root by itself alone."""
    from vermilion_api.client import Ledger
    from vermilion_ledger.errors import InputError

    choice = DeviceChoice(
        pkcs11=pkcs11, token=token, label=label, pin=pin, wallet=wallet, address=address
    )
    roots = load_keys(root)
    given: dict[str, Any] = {"may": _words(may)} if may else {}
    given |= {"officer": True} if officer else {}
    given |= {"until": until} if until else {}
    given |= {"onBehalfOf": on_behalf_of} if on_behalf_of else {}
    with Ledger(url) as ledger, fresh_key(key, choice, owner) as fresh:
        if fresh is not None:
            keyid = fresh.keyid
            given |= describe_certificates(fresh, certificate, crl)
        if not keyid:
            raise InputError("key.unnamed", "neither --key nor --keyid says which key")
        if statement:
            signers = [*roots, *([fresh] if fresh else [])]
            signed = _join(statement, signers, event="register", keyid=keyid, detail=given)
        elif fresh is None:
            raise InputError("key.unnamed", "--keyid stands with --statement; give --key")
        else:
            signed = _make(ledger, *_ask_register(ledger, fresh, roots, given, actor))
        _finish(ledger, signed, output, wait=wait, as_json=as_json)


def revoke(  # noqa: PLR0913 - one parameter per option
    keyid: Annotated[str, typer.Argument(help="Key id.")],
    *,
    key: KeyOption = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    compromised_since: Annotated[
        int | None, typer.Option(help="Leaf index from which its signatures are in doubt.")
    ] = None,
    statement: StatementOption = None,
    output: OutputOption = None,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Revoke a key, signed by the roots' quorum or by the key itself."""
    from vermilion_api.client import Ledger

    detail: dict[str, Any] = {"reason": reason} if reason else {}
    if compromised_since is not None:
        detail["compromisedSince"] = compromised_since
    with Ledger(url) as ledger:
        signed = _revocation(ledger, keyid, detail, load_keys(key), statement)
        _finish(ledger, signed, output, wait=wait, as_json=as_json)


def compromised(  # noqa: PLR0913 - one parameter per option
    keyid: Annotated[str, typer.Argument(help="Key id.")],
    *,
    since: Annotated[
        str, typer.Option(help="Leaf index, or a date (UTC), from which it may be in other hands.")
    ],
    root: _RootOption = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    statement: StatementOption = None,
    output: OutputOption = None,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Revoke a key that others may have had, from a leaf or a day on; by the roots' quorum."""
    from vermilion_api.client import Ledger

    with Ledger(url) as ledger:
        place = _find_place(ledger, keyid, since)
        detail: dict[str, Any] = {"compromisedSince": place}
        if reason or not statement:
            detail["reason"] = reason or "compromised"
        signed = _revocation(ledger, keyid, detail, load_keys(root), statement)
        _finish(ledger, signed, output, wait=wait, as_json=as_json)


def rotate(
    keyid: Annotated[str, typer.Argument(help="Id of the key that goes.")],
    *,
    key: Annotated[Path, typer.Option("--key", help="Key file of the key that comes.")],
    root: _RootOption = None,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Register a key with all that another may, then revoke that one; goes on if interrupted."""
    from vermilion_api.client import Ledger
    from vermilion_api.key_changes import rotate_key
    from vermilion_api.keyfiles import load_key_file

    new, roots = load_key_file(key), _some(load_keys(root))
    with Ledger(url) as ledger:
        done = rotate_key(ledger, keyid, new, roots, wait=wait)
    show(
        {"keyid": new.keyid, "old": keyid, "registered": done.registered, "revoked": done.revoked},
        f"key {new.keyid} of {new.owner.id} is registered at index {done.registered},"
        f" key {keyid} is revoked from index {done.revoked} on",
        as_json=as_json,
    )


def _words(text: str) -> list[str]:
    return sorted({word.strip() for word in text.split(",") if word.strip()})


def _some(keys: list[KeyFile]) -> list[KeyFile]:
    from vermilion_ledger.errors import InputError

    if not keys:
        raise InputError("key.none", "no key file that signs was given")
    return keys


def _ask_register(
    ledger: Ledger,
    fresh: StatementSigner,
    roots: list[KeyFile],
    given: Mapping[str, Any],
    actor: str,
) -> tuple[dict[str, Any], list[StatementSigner]]:
    """Return what is asked of the ledger, and who signs it here."""
    from vermilion_api.signing import describe_key

    is_root = fresh.keyid in ledger.get("/v1/log")["registry"]["roots"]
    signers = [fresh] if is_root else [*roots, fresh]
    if actor:
        named = split_actor(actor)
    else:
        named = (signers if is_root else _some(roots))[0].owner.to_json()
    powers = {"may": _words(_DEFAULT_MAY), **given}
    if is_root:
        powers = {"may": []} | {name: given[name] for name in _CERTIFIED if name in given}
    detail = {**describe_key(fresh, ()), **powers}
    return {"event": "register", "detail": detail, "actor": named}, signers


def _revocation(
    ledger: Ledger,
    keyid: str,
    detail: Mapping[str, Any],
    keys: list[KeyFile],
    statement: Sequence[Path] | None,
) -> Envelope:
    if statement:
        return _join(statement, keys, event="revoke", keyid=keyid, detail=detail)
    actor = _some(keys)[0].owner.to_json()
    asked = {"event": "revoke", "detail": {"keyid": keyid, "reason": "", **detail}, "actor": actor}
    return _make(ledger, asked, keys)


def _make(ledger: Ledger, asked: Mapping[str, Any], keys: Sequence[StatementSigner]) -> Envelope:
    from vermilion_api.key_changes import make_key_event

    return make_key_event(ledger, asked, keys)


def _join(
    paths: Sequence[Path],
    keys: Sequence[StatementSigner],
    *,
    event: str,
    keyid: str,
    detail: Mapping[str, Any],
) -> Envelope:
    from vermilion_api.joint import load_part
    from vermilion_api.key_changes import join_key_event

    parts = [load_part(path) for path in paths]
    return join_key_event(parts, keys, event=event, keyid=keyid, detail=detail)


def _find_place(ledger: Ledger, keyid: str, since: str) -> int:
    """Return the leaf index that a number or a date stands for."""
    from vermilion_api.joint import fetch_registry
    from vermilion_api.key_changes import covered_before
    from vermilion_ledger.encoding import parse_time
    from vermilion_ledger.errors import InputError

    if since.isdecimal() and since.isascii():
        return int(since)
    try:
        moment = datetime.strptime(since, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        try:
            moment = parse_time(since, what="--since")
        except InputError as exc:
            raise InputError("key.since", f"{since[:40]!a} is no leaf index and no date") from exc
    return max(fetch_registry(ledger).find(keyid).registered, covered_before(ledger, moment))


def _finish(
    ledger: Ledger, signed: Envelope, output: Path | None, *, wait: str, as_json: bool
) -> None:
    """Write what was signed, or submit it; and say in plain words what it is."""
    from vermilion_api.key_changes import describe_change
    from vermilion_api.signing import submit_envelope
    from vermilion_ledger.keys import touched_key

    what, keyid = describe_change(signed.statement), touched_key(signed.statement)
    count = sum(len(each.keyids) for each in signed.signatures)
    if output is not None:
        write_file(output, signed.data)
        show(
            {"file": str(output), "keyid": keyid, "signatures": count},
            f"{output}: {count} signature{'' if count == 1 else 's'}, not submitted,"
            f" for {signed.statement.ledger}\n{what}",
            as_json=as_json,
        )
        return
    answer = submit_envelope(ledger, signed, wait=wait)
    done = "registered at" if signed.statement.event == "register" else "revoked from"
    show(
        {**answer, "keyid": keyid},
        f"key {keyid} is {done} index {answer['index']}"
        + (" on" if signed.statement.event == "revoke" else "")
        + f"\n{what}",
        as_json=as_json,
    )
