"""``vermilion policy``: adopt and withdraw rules, list and show them.

Roots in different places sign one statement: each writes it with ``--output``
and signs what others wrote with ``--statement``, until it is submitted.
"""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vermilion_api.client import Ledger
    from vermilion_api.rulebook import KnownPolicy
    from vermilion_ledger.envelope import Envelope
    from vermilion_ledger.rules import Rule

__all__ = ["adopt", "build_app", "list_policies", "show_policy", "withdraw"]


def build_app() -> typer.Typer:
    """Return the group."""
    app = typer.Typer(help="Rules that records may be under.", no_args_is_help=True)
    app.command("adopt")(adopt)
    app.command("withdraw")(withdraw)
    app.command("list")(list_policies)
    app.command("show")(show_policy)
    return app


def adopt(
    file: Annotated[Path, typer.Argument(help="File of rules: a JSON list.")],
    *,
    key: KeyOption = None,
    name: Annotated[str, typer.Option(help="Name; by default the file's, without ending.")] = "",
    statement: StatementOption = None,
    output: OutputOption = None,
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
        signed = _sign(ledger, asked, key, statement)
        _finish(ledger, asked, signed, output, wait=wait, as_json=as_json)


def withdraw(
    policy: Annotated[str, typer.Argument(help="Digest or name of the policy.")],
    *,
    key: KeyOption = None,
    statement: StatementOption = None,
    output: OutputOption = None,
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
        signed = _sign(ledger, asked, key, statement)
        _finish(ledger, asked, signed, output, wait=wait, as_json=as_json)


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


def _sign(
    ledger: Ledger, asked: dict[str, Any], key: list[Path] | None, statement: list[Path] | None
) -> Envelope:
    """Sign a new statement, or add to what others signed on one."""
    from vermilion_api.joint import load_part, merge_parts
    from vermilion_api.signing import check_statement, prepare_event, sign_envelope
    from vermilion_ledger.errors import InputError

    keys, record = load_keys(key), ledger.record_id("policies")
    if statement:
        parts = [load_part(path) for path in statement]
        for part in parts:
            check_statement(part.statement, record, asked, ())
        return sign_envelope(merge_parts(parts), keys)
    if not keys:
        raise InputError("key.none", "no --key was given")
    return sign_envelope(prepare_event(ledger, record, asked, keys), keys)


def _finish(
    ledger: Ledger,
    asked: dict[str, Any],
    signed: Envelope,
    output: Path | None,
    *,
    wait: str,
    as_json: bool,
) -> None:
    """Write what was signed, or submit it."""
    from vermilion_api.signing import submit_envelope

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
