"""``vermilion anchor balance|deploy|now|status``; `ownership` and `courier` have the rest."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vermilion_api.cli import courier, ownership
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
    from vermilion_anchor.endpoints import EndpointStanding
    from vermilion_anchor.ports import Signer
    from vermilion_api.accounts import Account
    from vermilion_api.settings import ChainSettings
    from vermilion_api.wiring import Ledger

__all__ = ["balance", "build_app", "deploy", "now", "status"]

_PAUSE_SECONDS = 0.3


def build_app() -> typer.Typer:
    """Return the group."""
    app = typer.Typer(help="Anchoring.", no_args_is_help=True)
    app.command("deploy")(deploy)
    app.command("now")(now)
    app.command("status")(status)
    app.command("balance")(balance)
    courier.add_commands(app)
    app.add_typer(ownership.build_publisher(), name="publisher")
    app.add_typer(ownership.build_owner(), name="owner")
    return app


def deploy(
    *,
    rpc: Annotated[str, typer.Option(help="Address of a node of the chain.")],
    home: HomeOption = DEFAULT_HOME,
    contract: Annotated[
        str, typer.Option(help="0x address of an EvidenceAnchor that is there already.")
    ] = "",
    finality: Annotated[
        str, typer.Option(help="confirmations:N, finalized or immediate.")
    ] = "confirmations:3",
    deployments: Annotated[
        Path | None,
        typer.Option(help="Folder of deployment records: uses that of the chain, or writes it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Deploy the contract on a chain, register this log in it, and write it into the settings.

    The anchoring key pays: on a chain that is not for development, fund its
    account first. A running ledger takes the chain up at its next start.
    """
    from vermilion_api.deploying import add_chain, deploy_log, deploy_recorded
    from vermilion_api.home import Home
    from vermilion_api.settings import load_settings

    place, settings = Home(path=home), load_settings(home)
    if deployments is None:
        chain = deploy_log(place, settings, rpc, contract=contract, finality=finality)
    else:
        chain = deploy_recorded(
            place, settings, rpc, deployments, contract=contract, finality=finality
        )
    add_chain(place, settings, chain)
    show(
        {"chainId": chain.id, "contract": chain.contract, "log": chain.log},
        f"log {chain.log} is registered in {chain.contract} on chain {chain.id}",
        as_json=as_json,
    )


def now(
    *,
    home: HomeOption = DEFAULT_HOME,
    timeout: Annotated[float, typer.Option(help="Seconds to wait until it is final.")] = 120.0,
    as_json: JsonOption = False,
) -> None:
    """Anchor the newest checkpoint without waiting for its turn, until it is final.

    Safe beside a running anchorer: the journal lets one of the two go on.
    """
    from vermilion_api.anchor_signer import open_anchor_signer
    from vermilion_api.wiring import open_ledger
    from vermilion_ledger.errors import InputError, NotFoundError

    ledger = open_ledger(home)
    ledger.database.check()
    newest = ledger.reader().newest_checkpoint()
    if newest is None:
        raise NotFoundError("log.no-checkpoint", "the log has published no checkpoint yet")
    if not ledger.settings.online_chains:
        raise InputError("anchor.no-chain", "the settings have no [[chain]] table with a node")
    signer = open_anchor_signer(ledger.home, ledger.settings)
    deadline = time.monotonic() + timeout
    for chain in ledger.settings.online_chains:
        _anchor(ledger, chain, signer, size=newest.size, deadline=deadline)
    ledger.database.close()
    show(
        {"size": newest.size, "chains": [chain.id for chain in ledger.settings.online_chains]},
        f"size {newest.size} is under a final anchor",
        as_json=as_json,
    )


def status(
    *, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False, lang: LangOption = ""
) -> None:
    """Show how anchoring stands on each chain, why it waits and until when, and the newest jobs.

    Asks the ledger, not the chains: each job with all its transactions, what the
    last anchor cost, and when the next one is expected to be final.
    """
    from vermilion_api.cli import choose_language
    from vermilion_api.cli.standing import anchoring_lines
    from vermilion_api.client import Ledger

    with Ledger(url) as ledger:
        found = ledger.get("/v1/anchors", {"limit": "20"})
    lines = anchoring_lines(found, choose_language(["--lang", lang], os.environ))
    show(found, "\n".join(lines), as_json=as_json)


def balance(*, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Show what the anchoring account has on each chain, and what it may have spent in 24 hours.

    Asks the nodes themselves, and tells of each endpoint that is left out or contradicts the
    others. Ends with error `anchor.low-balance` where an account has less than the settings
    want, or `chain.endpoint-trouble`, so that a timer can watch it.
    """
    from vermilion_api.accounts import load_accounts
    from vermilion_api.wiring import open_ledger
    from vermilion_ledger.errors import InputError

    ledger = open_ledger(home)
    ledger.database.check()
    if not ledger.settings.online_chains:
        raise InputError("anchor.no-chain", "the settings have no [[chain]] table with a node")
    accounts = load_accounts(ledger)
    ledger.database.close()
    show(
        {"accounts": [_members(account) for account in accounts]},
        "\n".join(
            f"chain {each.chain_id}  0x{each.address.hex()}  {each.balance} wei,"
            f" at most {each.day_cost} wei in 24 hours"
            + "".join(f"\n  {_describe(endpoint)}" for endpoint in each.endpoints)
            for each in accounts
        ),
        as_json=as_json,
    )
    for account in accounts:
        if account.alarm is not None:
            raise account.alarm


def _members(account: Account) -> dict[str, object]:
    """Return JSON; amounts as text, since wei pass what its numbers hold."""
    return {
        "chainId": account.chain_id,
        "address": "0x" + account.address.hex(),
        "balanceWei": str(account.balance),
        "balanceMinWei": str(account.balance_min),
        "dayCostWei": str(account.day_cost),
        "dayCostMaxWei": str(account.day_cost_max),
        "endpoints": [
            {
                "name": each.name,
                "trouble": None if each.trouble is None else each.trouble.code,
            }
            for each in account.endpoints
        ],
        "alarm": None if account.alarm is None else account.alarm.code,
    }


def _describe(endpoint: EndpointStanding) -> str:
    trouble = endpoint.trouble
    told = "in use" if trouble is None else f"{trouble.code}: {trouble.message}"
    return f"endpoint {endpoint.name}  {told}"


def _anchor(
    ledger: Ledger, chain: ChainSettings, signer: Signer, *, size: int, deadline: float
) -> None:
    from vermilion_api.chains import target_of
    from vermilion_api.cli.anchorer import build_anchorer
    from vermilion_ledger.errors import ConflictError, UnavailableError

    worker, target = build_anchorer(ledger, chain, signer), target_of(chain)
    while True:
        final = ledger.database.anchors.load_final(target)
        if final is not None and final.size >= size:
            return
        if time.monotonic() > deadline:
            raise UnavailableError(
                "anchor.not-final", f"size {size} has no final anchor on chain {chain.id} yet"
            )
        try:
            progress = worker.step(is_urgent=True)
        except ConflictError as exc:
            if exc.code not in {"anchor.job-moved", "anchor.job-open", "chain.reverted"}:
                raise
            time.sleep(_PAUSE_SECONDS)  # the running anchorer was faster
            continue
        if progress.is_waiting:
            time.sleep(_PAUSE_SECONDS)
