"""What is sent of a document: its file name, its digests, and the run's terms.

Owns the body of ``POST /v1/records/bulk`` (FORMATS section 14). A document is
named by its file name alone: the folders it lies in are the archive's business
and would go out with every bundle. Where the grade forbids to tell the name, it
gets one that is made from its digest (docs/formats/grades.md).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from vermilion_ledger.actor import Actor
from vermilion_ledger.digest import FileDigest, show_path
from vermilion_ledger.encoding import Json, JsonObject, check_text, encode_json, parse_json
from vermilion_ledger.errors import InputError
from vermilion_ledger.grades import neutral_name, profile_of
from vermilion_ledger.limits import NAME_SIZE_MAX

__all__ = ["Terms", "encode_chunk", "make_item"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What every registration of a run says beside name and digest.

    Attributes:
        actor: Who registers, as stated by the ledger.
        policy: SHA-256 of the canonical rules asked of the record, in hex.
        record_class: Name of a class, which stands for its policy.
        grade: The documents' grade, below 秘密.
        flow: The steps that are expected of them: ``outgoing`` or ``incoming``.
    """

    actor: Actor | None = None
    policy: str | None = None
    record_class: str | None = None
    grade: str | None = None
    flow: str | None = None


def make_item(path: str, digest: FileDigest, terms: Terms) -> JsonObject:
    """Return the registration of one file.

    Raises:
        InputError: ``name.unusable``: no statement can carry this name.
    """
    profile = None if terms.grade is None else profile_of(terms.grade)
    is_neutral = profile is not None and profile.is_neutral
    item: dict[str, Json] = {
        "name": neutral_name(digest.sha256) if is_neutral else _make_name(path),
        "digest": {"sha256": digest.sha256.hex()},
    }
    if digest.sm3 is not None:
        item["digest"]["sm3"] = digest.sm3.hex()
    if terms.actor is not None:
        item["actor"] = terms.actor.to_json()
    if terms.policy is not None:
        item["policy"] = terms.policy
    if terms.record_class is not None:
        item["class"] = terms.record_class
    if terms.grade is not None:
        item["grade"] = terms.grade
    if terms.flow is not None:
        item["detail"] = {"flow": terms.flow}
    return item


def encode_chunk(items: Sequence[JsonObject]) -> bytes:
    """Return the request for some registrations: canonical, so that it never differs."""
    return encode_json({"records": list(items)})


def _make_name(path: str) -> str:
    name = os.path.basename(path)  # noqa: PTH119 - undecodable bytes must stay as they are
    try:
        check_text(name, size_max=NAME_SIZE_MAX, what="file name")
        parse_json(encode_json([name]), size_max=8 * NAME_SIZE_MAX, what="file name")
    except InputError as exc:
        raise InputError("name.unusable", f"{show_path(path)}: {exc.message}") from exc
    return name
