"""``vermilion policy``: adopt and withdraw rules, list and show them.

Roots in different places sign one statement: the first with ``--output``, the
others with ``--statement``, and ``--join`` submits what they signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vermilion_api.cli.common import (
    DEFAULT_URL,
    JsonOption,
    KeyOption,
    UrlOption,
    WaitOption,
    load_keys,
    show,
    write_file,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vermilion_api.client import Ledger
    from vermilion_api.rulebook import KnownPolicy
    from vermilion_ledger.rules import Rule

__all__ = ["adopt", "build_app", "list_policies", "show_policy", "withdraw"]

_StatementOption = Annotated[
    Path | None, typer.Option(help="File of --output, whose statement is signed as well.")
]
_JoinOption = Annotated[
    list[Path] | None,
    typer.Option(help="File of --output, to be submitted with others; may be repeated."),
]
_OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write what was signed here, and submit nothing."),
]


def build_app() -> typer.Typer:
    """Return the group."""
    app = typer.Typer(help="Rules that records may be under.", no_args_is_help=True)
    app.command("adopt")(adopt)
    app.command("withdraw")(withdraw)
    app.command("list")(list_policies)
    app.command("show")(show_policy)
    return app


def adopt(  # noqa: PLR0913 - one parameter per option
    file: Annotated[Path, typer.Argument(help="File of rules: a JSON list.")],
    *,
    key: KeyOption = None,
    name: Annotated[str, typer.Option(help="Name; by default the file's, without ending.")] = "",
    statement: _StatementOption = None,
    join: _JoinOption = None,
    output: _OutputOption = None,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Adopt a file of rules as a policy, signed by the roots' quorum."""
    from vermilion_api.client import Ledger
    from vermilion_api.rulebook import load_rules

    rules = load_rules(file)
    asked = _ask("adopt", rules, name or file.stem)
    with Ledger(url) as ledger:
        _run(ledger, asked, key, (statement, join, output), wait=wait, as_json=as_json)


def withdraw(
    policy: Annotated[str, typer.Argument(help="Digest or name of the policy.")],
    *,
    key: KeyOption = None,
    statement: _StatementOption = None,
    join: _JoinOption = None,
    output: _OutputOption = None,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Withdraw a policy: no record is registered under it from then on."""
    from vermilion_api.client import Ledger
    from vermilion_api.rulebook import fetch_policies, find_policy

    with Ledger(url) as ledger:
        found = find_policy(fetch_policies(ledger), policy)
        asked = _ask("withdraw", found.rules, found.name)
        _run(ledger, asked, key, (statement, join, output), wait=wait, as_json=as_json)


def list_policies(*, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List the policies that were ever adopted."""
    from vermilion_api.client import Ledger
    from vermilion_api.rulebook import fetch_policies

    with Ledger(url) as ledger:
        found = fetch_policies(ledger)
    text = "\n".join(f"{each.digest}  {_describe(each)}" for each in found)
    value = {"policies": [_to_json(each) for each in found]}
    show(value, text or "no policy was adopted", as_json=as_json)


def show_policy(
    policy: Annotated[str, typer.Argument(help="Digest or name of the policy.")],
    *,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show a policy with its rules; with --json they are a list that `adopt` reads."""
    from vermilion_api.client import Ledger
    from vermilion_api.rulebook import fetch_policies, find_policy
    from vermilion_ledger.encoding import encode_json

    with Ledger(url) as ledger:
        found = find_policy(fetch_policies(ledger), policy)
    rules = [f"  {encode_json(rule.to_json()).decode()}" for rule in found.rules]
    text = "\n".join([f"{found.digest}  {_describe(found)}", *rules])
    show(_to_json(found), text, as_json=as_json)


def _ask(event: str, rules: Sequence[Rule], name: str) -> dict[str, Any]:
    from vermilion_ledger.rules import hash_rules

    return {
        "event": event,
        "detail": {"rules": [rule.to_json() for rule in rules]},
        "name": name,
        "digest": {"sha256": hash_rules(rules).hex()},
    }


def _run(
    ledger: Ledger,
    asked: dict[str, Any],
    key: list[Path] | None,
    files: tuple[Path | None, list[Path] | None, Path | None],
    *,
    wait: str,
    as_json: bool,
) -> None:
    """Sign or join, and submit or write what came of it."""
    from vermilion_api.joint import join_files, sign_part
    from vermilion_api.signing import submit_envelope
    from vermilion_ledger.errors import InputError

    statement, join, output = files
    keys, record = load_keys(key), ledger.record_id("policies")
    if join:
        if keys or statement is not None:
            raise InputError("join.alone", "--join stands without --key and --statement")
        signed = join_files(ledger, record, asked, join)
    else:
        signed = sign_part(ledger, record, asked, keys, statement)
    digest = asked["digest"]["sha256"]
    if output is not None:
        write_file(output, signed.data)
        text = f"{output}: {asked['event']} {digest}, not submitted"
        show({"file": str(output), "policy": digest}, text, as_json=as_json)
        return
    answer = submit_envelope(ledger, signed, wait=wait)
    show(
        {**answer, "policy": digest},
        f"{asked['event']} {digest}: index {answer['index']}, {answer['state']}",
        as_json=as_json,
    )


def _describe(policy: KnownPolicy) -> str:
    state = "in force" if policy.is_in_force else "withdrawn"
    return f"{policy.name}: {len(policy.rules)} rules, {state} from index {policy.index} on"


def _to_json(policy: KnownPolicy) -> dict[str, Any]:
    return {
        "policy": policy.digest,
        "name": policy.name,
        "inForce": policy.is_in_force,
        "index": policy.index,
        "rules": [rule.to_json() for rule in policy.rules],
    }
