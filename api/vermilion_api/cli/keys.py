"""``vermilion keys``: make key files, register and revoke keys, list them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vermilion_api.cli.common import (
    DEFAULT_HOME,
    DEFAULT_URL,
    HomeOption,
    JsonOption,
    KeyOption,
    UrlOption,
    WaitOption,
    load_keys,
    show,
)

if TYPE_CHECKING:
    from vermilion_api import wiring

__all__ = ["add_ml_dsa", "build_app", "list_keys", "new", "register", "revoke", "rotate_intake"]

_DEFAULT_MAY = "approve,countersign,seal"


def build_app() -> typer.Typer:
    """Return the group."""
    app = typer.Typer(help="Keys of people, roots and the ledger.", no_args_is_help=True)
    app.command("new")(new)
    app.command("register")(register)
    app.command("revoke")(revoke)
    app.command("list")(list_keys)
    app.command("add-ml-dsa")(add_ml_dsa)
    app.command("rotate-intake")(rotate_intake)
    return app


def new(  # noqa: PLR0913 - one parameter per option
    *,
    owner_id: Annotated[str, typer.Option(help="Id of the owner in the office.")],
    owner_name: Annotated[str, typer.Option(help="Name of the owner.")] = "",
    post: Annotated[str, typer.Option(help="Post of the owner.")] = "",
    unit: Annotated[str, typer.Option(help="Unit of the owner.")] = "",
    scheme: Annotated[
        str,
        typer.Option(
            help="ed25519, ecdsa-p256, secp256k1-eip712, sm2-sm3, bls12381-g2-pop or ml-dsa-44."
        ),
    ] = "ed25519",
    root: Annotated[bool, typer.Option("--root", help="Name it a root in vermilion.toml.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Key file to write.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Make a key file; with --root also trust it to register and revoke keys."""
    from vermilion_api.home import Home, create_home
    from vermilion_api.keyfiles import create_key_file
    from vermilion_api.settings import Settings, save_settings
    from vermilion_ledger.actor import parse_actor

    owner = parse_actor(
        {"id": owner_id, "name": owner_name, "post": post, "unit": unit}, what="owner"
    )
    settings = None
    if root or output is None:
        _, settings = create_home(home, Settings())
    path = output or Home(path=home).people / f"{owner_id.replace('/', '_')}.{scheme}.json"
    key = create_key_file(path, scheme=scheme, owner=owner)
    if root and settings is not None:
        save_settings(home, replace(settings, roots=(*settings.roots, key.keyid)))
    note = "a root; restart the ledger if it runs" if root else "not registered yet"
    show(
        {"file": str(path), "keyid": key.keyid, "scheme": scheme, "root": root},
        f"{path}: key {key.keyid}, {note}",
        as_json=as_json,
    )


def register(
    *,
    key: Annotated[Path, typer.Option("--key", help="Key file to register.")],
    root: Annotated[
        list[Path] | None, typer.Option("--root", help="Key file of a root; may be repeated.")
    ] = None,
    may: Annotated[str, typer.Option(help="Event words it may sign.")] = _DEFAULT_MAY,
    officer: Annotated[
        bool, typer.Option("--officer", help="May revoke, supersede and dispose anywhere.")
    ] = False,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Register a key, signed by the roots and by itself; a root by itself alone."""
    from vermilion_api.client import Ledger
    from vermilion_api.keyfiles import load_key_file
    from vermilion_api.signing import describe_key, submit_event

    fresh, roots = load_key_file(key), load_keys(root)
    with Ledger(url) as ledger:
        is_root = fresh.keyid in ledger.get("/v1/log")["registry"]["roots"]
        words = set() if is_root else {word.strip() for word in may.split(",") if word.strip()}
        detail = describe_key(fresh, sorted(words))
        if officer and not is_root:
            detail["officer"] = True
        signers = [fresh] if is_root else [*roots, fresh]
        asked = {"event": "register", "detail": detail, "actor": signers[0].owner.to_json()}
        answer = submit_event(ledger, ledger.record_id("keys"), asked, signers, wait=wait)
    show(
        {**answer, "keyid": fresh.keyid},
        f"key {fresh.keyid} of {fresh.owner.id} is registered at index {answer['index']}",
        as_json=as_json,
    )


def revoke(
    keyid: Annotated[str, typer.Argument(help="Key id.")],
    *,
    key: KeyOption = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    compromised_since: Annotated[
        int | None, typer.Option(help="Leaf index from which its signatures are in doubt.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Revoke a key, signed by the roots' quorum or by the key itself."""
    from vermilion_api.client import Ledger
    from vermilion_api.signing import submit_event
    from vermilion_ledger.errors import InputError

    signers = load_keys(key)
    if not signers:
        raise InputError("key.none", "no --key was given")
    detail: dict[str, Any] = {"keyid": keyid, "reason": reason}
    if compromised_since is not None:
        detail["compromisedSince"] = compromised_since
    asked = {"event": "revoke", "detail": detail, "actor": signers[0].owner.to_json()}
    with Ledger(url) as ledger:
        answer = submit_event(ledger, ledger.record_id("keys"), asked, signers, wait=wait)
    show(
        {**answer, "keyid": keyid},
        f"key {keyid} is revoked from index {answer['index']} on",
        as_json=as_json,
    )


def list_keys(*, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List registered keys."""
    from vermilion_api.client import Ledger

    with Ledger(url) as ledger:
        found = ledger.get("/v1/keys")
    lines = [
        f"{key['keyid'][:16]}…  {key['scheme']:<16} {key['owner']['id']:<12}"
        f" from {key['registered']}"
        + ("" if key["revoked"] is None else f", revoked at {key['revoked']}")
        + f"  may {', '.join(key['may']) or 'sign nothing but keys and policies'}"
        for key in found["keys"]
    ]
    show(found, "\n".join(lines) or "no key is registered", as_json=as_json)


def add_ml_dsa(*, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Sign checkpoints with ML-DSA-44 beside Ed25519 from now on; the ledger must be stopped."""
    from vermilion_api import home as homes

    with _stopped(home) as ledger:
        newest = ledger.reader().newest_checkpoint()
        size = 0 if newest is None else newest.size
        settings = homes.add_ml_dsa(ledger.home, ledger.settings, size=size)
    vkey = homes.load_secrets(ledger.home, settings).log_keys(settings.origin)[1].encode()
    show(
        {"vkey": vkey, "from": size},
        f"checkpoints above size {size} carry an ML-DSA-44 signature once the ledger is started"
        " again; hand over a fresh `vermilion trust export`",
        as_json=as_json,
    )


def rotate_intake(*, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Sign at intake with a fresh key from now on; the ledger must be stopped."""
    from vermilion_api import home as homes
    from vermilion_ledger.store.watching import SqlWatch

    with _stopped(home) as ledger:
        # What waits was signed by the old key and gets these indices at most.
        waiting = SqlWatch(ledger.database.engine).count_waiting()
        until = ledger.database.log.count_entries() + waiting
        settings = homes.rotate_intake(ledger.home, ledger.settings, until=until)
    key = homes.load_secrets(ledger.home, settings).intake_public.hex()
    show(
        {"key": key, "retired": settings.retired_intakes[-1].key, "until": until},
        f"{settings.intake_key}.key signs at intake once the ledger is started again, and the"
        f" old key for no leaf from {until} on; hand over a fresh `vermilion trust export`",
        as_json=as_json,
    )


@contextmanager
def _stopped(home: Path) -> Iterator[wiring.Ledger]:
    """Open a ledger and hold its lease: nobody indexes or signs meanwhile.

    Raises:
        ConflictError: ``sequencer.lease-held``: the ledger runs.
    """
    from vermilion_api.wiring import build_sequencer, open_ledger

    ledger = open_ledger(home)
    sequencer = build_sequencer(ledger)
    try:
        sequencer.acquire()
        yield ledger
    finally:
        sequencer.release()
        ledger.database.close()
