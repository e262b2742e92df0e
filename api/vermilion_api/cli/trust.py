"""``vermilion trust export``: the trust policy, to be handed over in person."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, say, write_file

__all__ = ["build_app", "export"]


def build_app() -> typer.Typer:
    """Return the group."""
    app = typer.Typer(help="The trust policy of this ledger.", no_args_is_help=True)
    app.command("export")(export)
    app.callback()(_group)
    return app


def export(
    *,
    home: HomeOption = DEFAULT_HOME,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File; by default standard output.")
    ] = None,
    with_rpc: Annotated[
        bool, typer.Option("--with-rpc", help="Name this ledger's own nodes; better not.")
    ] = False,
) -> None:
    """Write trust.toml: what a verifier believes, never to be fetched from a server."""
    from vermilion_api.home import Home, load_secrets
    from vermilion_api.settings import load_settings
    from vermilion_api.trust import render_trust_policy
    from vermilion_verify.timestamps import load_authorities, load_issuers

    settings = load_settings(home)
    text = render_trust_policy(settings, load_secrets(Home(path=home)), with_rpc=with_rpc)
    roots = [home / each.roots for each in settings.tsas]
    issuers = [home / each for each in settings.certificate_roots]
    load_authorities(roots)  # what cannot be read is not handed over
    load_issuers(issuers)
    if output is None:
        sys.stdout.write(text)
        return
    write_file(output, text.encode())
    beside = list(dict.fromkeys([*roots, *issuers]))
    for source in beside:  # the policy names them as lying beside it
        write_file(output.with_name(source.name), source.read_bytes())
    names = ", ".join([str(output), *(source.name for source in beside)])
    say(f"{names} written; hand over in person")


def _group() -> None:
    """Keep `export` a subcommand though it stands alone."""
