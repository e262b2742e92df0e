"""Writing the trust policy of this ledger (FORMATS section 11).

What is handed over in person, so that a verifier need not take it from the
server it checks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from vermilion_api.home import Secrets
from vermilion_api.settings import ChainSettings, Settings

__all__ = ["render_trust_policy"]


def render_trust_policy(settings: Settings, secrets: Secrets, *, with_rpc: bool = False) -> str:
    """Return the text of ``trust.toml``.

    Files with the roots of authorities are named as lying beside it.

    Args:
        settings: Origin, roots, chains and authorities.
        secrets: Only public parts of keys, and the record keys of the two
            public records, are written.
        with_rpc: Name this ledger's own nodes; a verifier should rather use
            one of their own.
    """
    identity = secrets.identity(settings)
    lines = [
        "# Trust policy of this ledger. Hand it over in person; do not fetch it from the server.",
        "version = 1",
        "",
        "[log]",
        f"origin = {_text(settings.origin)}",
        *_log_keys(settings, secrets),
        *_intake_keys(settings, secrets),
        "",
        "[registry]",
        f"record = {_text(identity.keys_record)}",
        f"key = {_text(secrets.registry.hex())}",
        f"roots = {_list(settings.roots)}",
        f"quorum = {settings.quorum}",
        "",
        "[policies]",
        f"record = {_text(identity.policies_record)}",
        f"key = {_text(secrets.policies.hex())}",
        "",
        "[witnesses]",
        "quorum = 0",
        "keys = []",
        "",
    ]
    for chain in settings.chains:
        lines += _chain(chain, with_rpc=with_rpc)
    lines += [
        "[anchors]",
        f"required = {settings.anchors_required}",
        "timestamps_count = false",
        "",
        "[timestamps]",
        "required = 0",
        f"roots = {_list([Path(each.roots).name for each in settings.tsas])}",
        "",
        *_certificates(settings),
        "[freshness]",
        'max_age = ""',
        "",
        "[approval]",
        "required = []",
    ]
    return "\n".join(lines) + "\n"


def _log_keys(settings: Settings, secrets: Secrets) -> list[str]:
    """Return the lines of ``keys``: of each kind in force there, one must have signed."""
    tables = []
    for each in secrets.log_terms(settings):
        end = "" if each.end is None else f", until = {each.end}"
        tables.append(f"    {{vkey = {_text(each.key.encode())}, from = {each.start}{end}}},")
    return ["keys = [", *tables, "]"]


def _intake_keys(settings: Settings, secrets: Secrets) -> list[str]:
    """Return the lines of ``intake``.

    The present key is in force from 0 on: it also signs closings under
    checkpoints that were published before it came. No entry below its time can
    bear its signature, since each was committed to with another.
    """
    retired = [
        f"    {{key = {_text(each.key)}, from = 0, until = {each.until}}},"
        for each in settings.retired_intakes
    ]
    present = f"    {{key = {_text(secrets.intake_public.hex())}, from = 0}},"
    return ["intake = [", *retired, present, "]"]


def _certificates(settings: Settings) -> list[str]:
    """Return the table of those who certify keys, if any: earlier verifiers do not know it."""
    if not settings.certificate_roots:
        return []
    return [
        "[certificates]",
        f"roots = {_list([Path(each).name for each in settings.certificate_roots])}",
        f"required = {json.dumps(settings.certificates_required)}",
        "",
    ]


def _chain(chain: ChainSettings, *, with_rpc: bool) -> list[str]:
    return [
        "[[chain]]",
        f"id = {chain.id}",
        f"contract = {_text(chain.contract)}",
        f"code_hash = {_text(chain.code_hash)}",
        f"log = {_text(chain.log)}",
        f"finality = {_text(chain.finality)}",
        f"rpc = {_list(chain.endpoints if with_rpc else [])}",
        "headers = []",
        "",
    ]


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML string


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"
