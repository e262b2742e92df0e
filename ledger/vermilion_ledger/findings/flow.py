"""The flow that a document is expected to follow: a template, as data.

A flow lists steps. A step is recognised by its event and, where it says so, by
members of the detail; it *needs* steps that must have come before its first
occurrence, and *follows* steps that must come before it if they come at all.
The templates for 发文 and 收文 lie in ``flows/``; they are part of this release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vermilion_ledger.encoding import Json, check_members, check_text, parse_json
from vermilion_ledger.errors import InputError
from vermilion_ledger.events import RECORD_EVENTS
from vermilion_ledger.findings.reading import names_own_entry
from vermilion_ledger.limits import TEXT_SIZE_MAX
from vermilion_ledger.statement import Statement

__all__ = ["FLOW_NAMES", "Flow", "FlowStep", "load_flow", "load_flows", "parse_flow"]

FLOW_NAMES = ("incoming", "outgoing")
_SIZE_MAX = 64 * 1024  # bytes of a template
_STEP_COUNT_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One step of a flow.

    Attributes:
        id: Its name within the flow.
        en: What people call it.
        zh: The same in Chinese.
        event: Event word of the entries that are this step.
        answers: Whether ``of`` names an entry of the same record; None where
            that does not matter.
        where: For members of the detail, which texts are meant; None stands for
            a member that is not there.
        needs: Steps that must come before its first occurrence.
        follows: Steps that must not come after its first occurrence alone.
        critical: Whether it is critical that this step is missing.
    """

    id: str
    en: str
    zh: str
    event: str
    answers: bool | None
    where: Mapping[str, tuple[str | None, ...]]
    needs: tuple[str, ...]
    follows: tuple[str, ...]
    critical: bool

    def matches(self, statement: Statement) -> bool:
        """Tell whether a statement is this step."""
        if statement.event != self.event:
            return False
        if self.answers is not None and names_own_entry(statement) is not self.answers:
            return False
        return all(
            _is_text(found := statement.detail.get(name)) and found in options
            for name, options in self.where.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A template: steps in their usual order."""

    name: str
    steps: tuple[FlowStep, ...]


def load_flow(name: str) -> Flow:
    """Read a template of this release.

    Raises:
        InputError: ``flow.unknown``.
    """
    from importlib.resources import files  # costs more than all else here

    if name not in FLOW_NAMES:
        raise InputError("flow.unknown", f"{name[:40]!a} is no flow of this release")
    return parse_flow(files(__package__).joinpath("flows", f"{name}.json").read_bytes())


def load_flows() -> Mapping[str, Flow]:
    """Read every template of this release, by name."""
    return {name: load_flow(name) for name in FLOW_NAMES}


def parse_flow(data: bytes) -> Flow:
    """Read a template.

    Raises:
        InputError: ``flow.malformed``: a step is named twice, or needs or
            follows one that is not there; or not of this shape.
    """
    value = parse_json(data, size_max=_SIZE_MAX, what="flow")
    members = check_members(value, required=("flow", "steps"), what="flow")
    listed = members["steps"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= _STEP_COUNT_MAX:
        raise InputError("flow.malformed", f"a flow has 1 to {_STEP_COUNT_MAX} steps")
    steps = tuple(_parse_step(item) for item in listed)
    known = {step.id for step in steps}
    if len(known) != len(steps):
        raise InputError("flow.malformed", "a step is named twice")
    for step in steps:
        if strange := {*step.needs, *step.follows} - known:
            raise InputError("flow.malformed", f"{step.id} names {min(strange)!a}, which is none")
    return Flow(name=_text(members["flow"], "flow"), steps=steps)


def _parse_step(value: Json) -> FlowStep:
    members = check_members(
        value,
        required=("id", "en", "zh", "event"),
        optional=("answers", "where", "needs", "follows", "critical"),
        what="step",
    )
    event, critical = members["event"], members.get("critical", False)
    if not isinstance(event, str) or event not in RECORD_EVENTS:
        raise InputError("flow.malformed", "a step has an event word")
    if not isinstance(critical, bool) or not isinstance(members.get("answers", True), bool):
        raise InputError("flow.malformed", "critical and answers are true or false")
    where = members.get("where", {})
    if not isinstance(where, dict):
        raise InputError("flow.malformed", "where is not an object")
    return FlowStep(
        id=_text(members["id"], "id"),
        en=_text(members["en"], "en"),
        zh=_text(members["zh"], "zh"),
        event=event,
        answers=members.get("answers"),
        where={name: _options(options) for name, options in where.items()},
        needs=_names(members.get("needs", []), "needs"),
        follows=_names(members.get("follows", []), "follows"),
        critical=critical,
    )


def _options(value: Json) -> tuple[str | None, ...]:
    if not isinstance(value, list) or not value or not all(_is_text(item) for item in value):
        raise InputError("flow.malformed", "where lists texts, or null for a member not there")
    return tuple(value)


def _names(value: Json, what: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InputError("flow.malformed", f"{what} is not a list")
    return tuple(_text(item, what) for item in value)


def _text(value: Json, what: str) -> str:
    return check_text(value, size_max=TEXT_SIZE_MAX, what=what)


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)
