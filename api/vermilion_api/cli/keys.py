"""``vermilion keys``: make key files, list what is registered, keys of the ledger's own.

What changes who may sign is in `vermilion_api.cli.key_events`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vermilion_api.cli import key_events
from vermilion_api.cli.common import (
    DEFAULT_HOME,
    DEFAULT_URL,
    HomeOption,
    JsonOption,
    LangOption,
    UrlOption,
    show,
)

if TYPE_CHECKING:
    from vermilion_api import wiring
    from vermilion_ledger.sequencer import Sequencer

__all__ = ["add_ml_dsa", "build_app", "list_keys", "new", "rotate_intake", "rotate_log"]


def build_app() -> typer.Typer:
    """Return the group."""
    app = typer.Typer(help="Keys of people, roots and the ledger.", no_args_is_help=True)
    app.command("new")(new)
    app.command("register")(key_events.register)
    app.command("rotate")(key_events.rotate)
    app.command("revoke")(key_events.revoke)
    app.command("compromised")(key_events.compromised)
    app.command("list")(list_keys)
    app.command("add-ml-dsa")(add_ml_dsa)
    app.command("rotate-intake")(rotate_intake)
    app.command("rotate-log")(rotate_log)
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


def list_keys(
    *, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False, lang: LangOption = ""
) -> None:
    """List registered keys: how long each is valid, for whom it decides, what is in doubt."""
    from vermilion_api.cli import choose_language
    from vermilion_api.client import Ledger

    language = choose_language(["--lang", lang], os.environ)
    with Ledger(url) as ledger:
        found = ledger.get("/v1/keys")
    lines = [_describe(key, zh=language == "zh-CN") for key in found["keys"]]
    none = "尚未注册任何密钥" if language == "zh-CN" else "no key is registered"
    show(found, "\n".join(lines) or none, as_json=as_json)


def _describe(key: dict[str, Any], *, zh: bool) -> str:
    """Say in one line what a key is good for; leaf numbers are those of the log."""
    from vermilion_api.key_changes import powers_of_officer

    owner = key["owner"]
    name = " ".join(owner[member] for member in ("name", "post", "unit") if owner[member])
    start, end, since = key["registered"], key["revoked"], key["compromisedSince"]
    said = []
    if zh:
        said.append(
            f"叶 {start} 之后有效" if end is None else f"叶 {start} 至 {end} 之间有效,已吊销"
        )
        if since is not None:
            said.append(f"自叶 {since} 起的签名存疑(密钥可能已被他人掌握)")
        if key["until"] is not None:
            said.append(f"代 {key['onBehalfOf']} 签署,至 {key['until']} 止")
        powers = "可签署 " + "、".join(key["may"]) if key["may"] else "仅签署密钥与策略事件"
        anywhere = "、".join(powers_of_officer(key["may"])) or "无"
        said.append(powers + (f",以专员身份可对任何案卷签署:{anywhere}" if key["officer"] else ""))
        return f"{key['keyid']}  {key['scheme']}  {owner['id']} {name}:{';'.join(said)}"
    said.append(
        f"valid after leaf {start}"
        if end is None
        else f"valid between leaves {start} and {end}, then revoked"
    )
    if since is not None:
        said.append(f"in doubt from leaf {since} on, as others may have had it")
    if key["until"] is not None:
        said.append(f"decides on behalf of {key['onBehalfOf']} until {key['until']}")
    powers = "may " + (", ".join(key["may"]) or "sign nothing but keys and policies")
    anywhere = ", ".join(powers_of_officer(key["may"])) or "nothing"
    said.append(powers + (f"; as an officer anywhere: {anywhere}" if key["officer"] else ""))
    return f"{key['keyid']}  {key['scheme']}  {owner['id']} {name}: {'; '.join(said)}"


def add_ml_dsa(*, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Sign checkpoints with ML-DSA-44 beside Ed25519 from now on; the ledger must be stopped."""
    from vermilion_api import home as homes

    with _stopped(home) as (ledger, _):
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

    with _stopped(home) as (ledger, _):
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


def rotate_log(*, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Sign checkpoints with a fresh Ed25519 key from now on; the ledger must be stopped."""
    from vermilion_api import chains
    from vermilion_api import home as homes
    from vermilion_api.wiring import build_publisher

    with _stopped(home) as (ledger, sequencer):
        # Claims the head: a publisher that was only suspended signs nothing above it. And an
        # old backup, whose newest checkpoint was not the last, is refused as at every start.
        observed = chains.observe_chains(ledger.settings.online_chains)
        build_publisher(ledger).start(sequencer.epoch, observed=observed)
        sequencer.renew()  # the chains may have taken their time
        newest = ledger.reader().newest_checkpoint()
        size = 0 if newest is None else newest.size
        settings = homes.rotate_log(ledger.home, ledger.settings, size=size)
    vkey = homes.load_secrets(ledger.home, settings).log_keys(settings.origin)[0].encode()
    show(
        {"vkey": vkey, "retired": settings.retired_logs[-1].vkey, "until": size},
        f"{settings.log_key}.key signs checkpoints above size {size} once the ledger is started"
        " again, and the old key none of them; hand over a fresh `vermilion trust export`",
        as_json=as_json,
    )


@contextmanager
def _stopped(home: Path) -> Iterator[tuple[wiring.Ledger, Sequencer]]:
    """Open a ledger and hold its lease: nobody indexes or signs meanwhile.

    Raises:
        ConflictError: ``sequencer.lease-held``: the ledger runs.
    """
    from vermilion_api.wiring import build_sequencer, open_ledger

    ledger = open_ledger(home)
    sequencer = build_sequencer(ledger)
    try:
        sequencer.acquire()
        yield ledger, sequencer
    finally:
        sequencer.release()
        ledger.database.close()
