"""The history of a record as W3C PROV-JSON (docs/formats/provenance.md).

Follows PROV-DM and the PROV-JSON submission. A version of the document is an
entity, an event an activity, a person, a post and the ledger are agents; the
policy that a decision names is its plan. Times are those that statements claim,
and are told as such: nothing here takes the place of verifying the bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vermilion_ledger.actor import Actor
from vermilion_ledger.bundle import BundleEntry, EvidenceBundle
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.events import DECISION_EVENTS, VERSION_EVENTS, Predicate
from vermilion_ledger.schemes import make_keyid
from vermilion_ledger.statement import Statement

__all__ = ["describe_provenance", "registered_keys"]

_NAMESPACE = "urn:vermilion:provenance:v1:"
_ENDING_EVENTS = frozenset({"revoke", "supersede", "dispose"})
_CURRENT_EVENTS = VERSION_EVENTS - {"convert"}


def describe_provenance(bundle: EvidenceBundle) -> dict[str, Any]:
    """Return the history that a bundle tells as a PROV-JSON document; check nothing."""
    history = _History(bundle)
    for entry in bundle.entries:
        history.add(entry)
    return history.to_json()


def registered_keys(bundle: EvidenceBundle) -> frozenset[str]:
    """Return the key ids that the key events of a bundle register: people's, not the ledger's."""
    statements = [event.envelope.statement for event in bundle.keys]
    return frozenset(
        make_keyid(each.detail["scheme"], bytes.fromhex(each.detail["key"]))
        for each in statements
        if each.predicate is Predicate.KEY and each.event == "register"
    )


class _History:
    """Collects the parts of one document, in the order of the log."""

    def __init__(self, bundle: EvidenceBundle) -> None:
        self._record = bundle.record_id
        self._people_keys = registered_keys(bundle)
        self._parts: dict[str, dict[str, dict[str, Any]]] = {}
        self._agents: dict[Actor, str] = {}
        self._current = ""
        record = {"prov:type": _name("vm:Record"), "vm:id": bundle.record_id}
        self._put("entity", "rec:record", record)

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        prefix = {"vm": _NAMESPACE, "rec": f"urn:vermilion:record:{self._record}:"}
        return {"prefix": prefix, **self._parts}

    def add(self, entry: BundleEntry) -> None:
        """Take in one entry of the record."""
        statement = entry.envelope.statement
        activity = f"rec:entry-{entry.sequence}"
        self._put("activity", activity, _describe(entry))
        version = self._relate_version(activity, statement)
        said = f"rec:statement-{entry.sequence}"
        kind = {"prov:type": _name("vm:Statement"), "vm:sha256": entry.envelope.hash.hex()}
        self._put("entity", said, kind)
        self._relate("wasGeneratedBy", entity=said, activity=activity)
        is_signed = self._associate(activity, entry)
        if is_signed:
            agent = self._person(statement.actor)
            self._relate("wasAttributedTo", entity=said, agent=agent)
        if statement.event in _ENDING_EVENTS:
            self._relate("wasInvalidatedBy", entity=version, activity=activity)

    def _relate_version(self, activity: str, statement: Statement) -> str:
        """Relate the version that an event is about; return its name."""
        subject = statement.subject
        version = f"rec:sha256-{subject.sha256.hex()}"
        is_new = version not in self._parts.get("entity", {})
        if is_new:
            described = {
                "prov:type": _name("vm:DocumentVersion"),
                "prov:label": subject.name,
                "vm:sha256": subject.sha256.hex(),
            }
            if subject.sm3 is not None:
                described["vm:sm3"] = subject.sm3.hex()
            self._put("entity", version, described)
            self._relate("specializationOf", specificEntity=version, generalEntity="rec:record")
        if statement.event not in VERSION_EVENTS or not is_new:
            self._relate("used", activity=activity, entity=version)
            return version
        self._relate("wasGeneratedBy", entity=version, activity=activity)
        source = self._current
        if statement.event == "convert":
            source = f"rec:sha256-{statement.detail['from']}"
        if source and source in self._parts["entity"]:
            self._relate(
                "wasDerivedFrom", generatedEntity=version, usedEntity=source, activity=activity
            )
        if statement.event in _CURRENT_EVENTS:
            self._current = version
        return version

    def _associate(self, activity: str, entry: BundleEntry) -> bool:
        """Name who did it and by which plan; tell whether a registered key signed."""
        statement = entry.envelope.statement
        signers = {key for each in entry.envelope.signatures for key in each.keyids}
        is_signed = bool(signers & self._people_keys)
        more: dict[str, Any] = {"vm:signed": is_signed}
        policy = statement.detail.get("policy")
        if statement.event in DECISION_EVENTS and policy is not None:
            plan = f"rec:policy-{policy}"
            described = {"prov:type": _name("prov:Plan"), "vm:sha256": policy}
            self._put("entity", plan, described)
            more["prov:plan"] = plan
        person = self._person(statement.actor)
        self._relate("wasAssociatedWith", more, activity=activity, agent=person)
        if statement.actor.post or statement.actor.unit:
            post = self._post(statement.actor)
            self._relate("actedOnBehalfOf", delegate=person, responsible=post, activity=activity)
        if not is_signed:  # the actor is as the ledger states it
            described = {"prov:type": _name("prov:SoftwareAgent"), "prov:label": statement.ledger}
            self._put("agent", "rec:ledger", described)
            self._relate("wasAssociatedWith", activity=activity, agent="rec:ledger")
        return is_signed

    def _person(self, actor: Actor) -> str:
        described = {"prov:type": _name("prov:Person"), "vm:id": actor.id}
        if actor.name:
            described["prov:label"] = actor.name
        return self._agent(Actor(id=actor.id, name=actor.name), "person", described)

    def _post(self, actor: Actor) -> str:
        described = {
            "prov:type": _name("prov:Organization"),
            "vm:post": actor.post,
            "vm:unit": actor.unit,
        }
        # No person's id is empty, so that a post is never taken for one.
        return self._agent(Actor(id="", post=actor.post, unit=actor.unit), "post", described)

    def _agent(self, who: Actor, kind: str, described: Mapping[str, Any]) -> str:
        if who not in self._agents:
            self._agents[who] = f"rec:{kind}-{len(self._agents)}"
            self._put("agent", self._agents[who], dict(described))
        return self._agents[who]

    def _relate(self, relation: str, more: Mapping[str, Any] | None = None, **ends: str) -> None:
        known = self._parts.setdefault(relation, {})
        value = {f"prov:{name}": end for name, end in ends.items()} | dict(more or {})
        known[f"_:{relation}-{len(known)}"] = value

    def _put(self, part: str, name: str, value: dict[str, Any]) -> None:
        self._parts.setdefault(part, {}).setdefault(name, value)


def _describe(entry: BundleEntry) -> dict[str, Any]:
    """Return the attributes of an event; its time is a claim, and no PROV time."""
    statement = entry.envelope.statement
    described: dict[str, Any] = {
        "prov:type": _name(f"vm:{statement.event}"),
        "vm:index": entry.index,
        "vm:sequence": entry.sequence,
        "vm:claimedTime": statement.time,
    }
    if statement.detail:
        described["vm:detail"] = encode_json(dict(statement.detail)).decode()
    return described


def _name(text: str) -> dict[str, str]:
    return {"$": text, "type": "prov:QUALIFIED_NAME"}
