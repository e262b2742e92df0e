"""``vermilion-verify headers``: collect trusted block hashes into a file.

The one subcommand that needs a network, so that all others can do without.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from vermilion_ledger.bundle import parse_bundle
from vermilion_ledger.errors import NotFoundError, UnavailableError
from vermilion_ledger.limits import BUNDLE_SIZE_MAX
from vermilion_verify.blocks import BlockId
from vermilion_verify.collecting import CollectedBlocks, collect_blocks, named_blocks, wish_blocks
from vermilion_verify.files import read_file
from vermilion_verify.listing import append_block_hashes
from vermilion_verify.policy import load_trust_policy
from vermilion_verify.printing import render_warning
from vermilion_verify.texts import TEXTS

__all__ = ["run"]


def run(options: argparse.Namespace, language: str) -> int:
    """Collect, write, and say what was done.

    Raises:
        EvidenceError: See `vermilion_verify.collecting` and `vermilion_verify.listing`.
    """
    wishes = wish_blocks(
        policy=load_trust_policy(options.trust) if options.trust else None,
        named=[block for path in options.bundle for block in _read_named(path)],
        heights=options.block,
        urls=options.rpc,
        chain_id=options.chain,
        confirmations=options.confirmations,
    )
    collected = [
        collect_blocks(wish, now=datetime.now(UTC), first=options.since, is_single=options.single)
        for wish in wishes
    ]
    added = frozenset(append_block_hashes(options.list, [each.section for each in collected]))
    for each in collected:
        _warn(each, language)
        _report(each, added, options, language)
    return 0


def _warn(found: CollectedBlocks, language: str) -> None:
    """Say loudly what a reader of the list should know."""
    warnings = [
        TEXTS["headers-contradicted"]
        .say(language)
        .format(chainId=block.chain_id, number=block.number, hash="0x" + block.hash.hex())
        for block in found.contradicted
    ]
    if len(found.endpoints) == 1:
        warnings.append(TEXTS["headers-single"].say(language).format(name=found.endpoints[0]))
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    for warning in warnings:
        print(render_warning(warning, colour=colour), file=sys.stderr)


def _report(
    found: CollectedBlocks, added: Collection[BlockId], options: argparse.Namespace, language: str
) -> None:
    new = [block for block in found.section.blocks if block in added]
    known = len(found.section.blocks) - len(new)
    text = (
        TEXTS["headers-collected"]
        .say(language)
        .format(
            chainId=found.chain_id,
            names=", ".join(found.endpoints),
            height=found.final_height,
            added=len(new),
            known=known,
        )
    )
    print(text, file=sys.stderr if options.json else sys.stdout)
    if options.json:
        value = {
            "file": str(options.list),
            "chainId": found.chain_id,
            "endpoints": list(found.endpoints),
            "finalHeight": found.final_height,
            "added": [_to_json(block) for block in new],
            "known": known,
            "contradicted": [_to_json(block) for block in found.contradicted],
        }
        print(json.dumps(value, separators=(",", ":")))


def _to_json(block: BlockId) -> dict[str, int | str]:
    return {"number": block.number, "hash": "0x" + block.hash.hex()}


def _read_named(path: Path) -> Sequence[BlockId]:
    """Return the blocks that a bundle names; one byte beyond its bound is enough to refuse it."""
    try:
        data = read_file(path, size_max=BUNDLE_SIZE_MAX)
    except FileNotFoundError as exc:
        raise NotFoundError("bundle.missing", f"no bundle at {path}") from exc
    except OSError as exc:
        raise UnavailableError("bundle.unreadable", f"{path}: {exc.strerror}") from exc
    return tuple(named_blocks(parse_bundle(data)))
