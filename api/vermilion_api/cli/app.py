"""Puts the subcommands together and runs one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from vermilion_api.cli import (
    anchor,
    anchorer,
    approve,
    bundle,
    dispose,
    erase,
    event,
    export,
    findings,
    fsck,
    import_,
    keys,
    migrate,
    number,
    policy,
    record,
    refusals,
    sequencer,
    serve,
    status,
    trust,
    up,
)

__all__ = ["build_app", "run"]

_COMMANDS = (
    ("up", up.up),
    ("record", record.record),
    ("approve", approve.approve),
    ("event", event.event),
    ("dispose", dispose.dispose),
    ("erase", erase.erase),
    ("bundle", bundle.bundle),
    ("status", status.status),
    ("findings", findings.findings),
    ("serve", serve.serve),
    ("sequencer", sequencer.sequencer),
    ("anchorer", anchorer.anchorer),
    ("migrate", migrate.migrate),
    ("fsck", fsck.fsck),
    ("export", export.export),
    ("import", import_.import_),
    ("refusals", refusals.refusals),
)


def build_app() -> typer.Typer:
    """Return the command with all its subcommands."""
    app = typer.Typer(
        name="vermilion",
        help="A blockchain-anchored evidence ledger for official documents.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        epilog="Exit codes: 0 done, 1 refused, 2 usage, 3 pending, 4 not allowed, 5 out of reach,"
        " 6 no record, 7 some of many failed, 70 internal, 130 interrupted.",
    )
    app.callback()(_options)
    for name, function in _COMMANDS:
        app.command(name)(function)
    app.add_typer(anchor.build_app(), name="anchor")
    app.add_typer(keys.build_app(), name="keys")
    app.add_typer(number.build_app(), name="number")
    app.add_typer(policy.build_app(), name="policy")
    app.add_typer(trust.build_app(), name="trust")
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; `EvidenceError` goes up."""
    try:
        code = build_app()(args=list(arguments), prog_name="vermilion", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as exc:
        # A usage error knows how to show itself, though its class is not public.
        getattr(exc, "show", lambda: None)()
        return int(getattr(exc, "exit_code", 2))
    return code if isinstance(code, int) else 0


def _options(
    *,
    lang: Annotated[
        str, typer.Option("--lang", help="zh-CN or en; by default from LANG. Anywhere.")
    ] = "",
) -> None:
    """A blockchain-anchored evidence ledger for official documents."""
