"""What a bundle tells in the formats of others, read by public tools of those."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from google.protobuf import json_format  # type: ignore[import-untyped]  # no stubs
from in_toto_attestation.v1 import statement as in_toto  # type: ignore[import-untyped]
from in_toto_attestation.v1 import statement_pb2 as in_toto_schema
from prov.model import ProvDocument
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # no __all__

from conformance.case import convert
from evidence import RULES, WANG, ZHAO, Scene, office
from office import DOCUMENT, Person
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.events import Predicate
from vermilion_ledger.rules import hash_rules
from vermilion_verify.cli import main
from vermilion_verify.cloudevents import describe_events, list_envelopes
from vermilion_verify.provenance import describe_provenance

_ED25519 = "ed25519"


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A life: registered, approved, converted, a new version, revoked, disposed of."""
    made = office()
    made.event("register", detail={"policy": hash_rules(RULES).hex()})
    made.approve(WANG)
    convert(made)
    made.event("version", content=b"second version")
    made.event("revoke", WANG, content=b"second version", detail={"reason": "wrong"})
    made.event("dispose", ZHAO, detail={"reason": "retention rule 7.2"})
    made.anchor()
    return made


def read(value: dict[str, Any]) -> ProvDocument:
    return ProvDocument.deserialize(content=json.dumps(value), format="json")


def relations(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [
        {key.removeprefix("prov:"): end for key, end in each.items()}
        for each in value[name].values()
    ]


# -- PROV


def test_the_prov_package_reads_the_history_and_writes_the_same(scene: Scene) -> None:
    value = describe_provenance(scene.bundle())

    document = read(value)
    again = ProvDocument.deserialize(content=document.serialize(format="json"), format="json")

    assert document == again
    assert len(list(document.get_records())) == sum(
        len(part) for name, part in value.items() if name != "prefix"
    )


def test_versions_are_entities_with_their_digests(scene: Scene) -> None:
    entities = describe_provenance(scene.bundle())["entity"]

    versions = {name for name in entities if "sha256-" in name}

    assert len(versions) == 3
    assert entities[f"rec:sha256-{DOCUMENT.hex()}"]["vm:sha256"] == DOCUMENT.hex()


def test_a_conversion_and_a_new_version_are_derived_from_what_was_there(scene: Scene) -> None:
    derived = relations(describe_provenance(scene.bundle()), "wasDerivedFrom")

    assert [each["usedEntity"] for each in derived] == [f"rec:sha256-{DOCUMENT.hex()}"] * 2
    assert [each["activity"] for each in derived] == ["rec:entry-2", "rec:entry-3"]


def test_each_version_is_generated_once(scene: Scene) -> None:
    generated = relations(describe_provenance(scene.bundle()), "wasGeneratedBy")

    versions = [each["entity"] for each in generated if "sha256-" in each["entity"]]

    assert len(versions) == len(set(versions)) == 3


def test_what_ends_a_version_invalidates_it(scene: Scene) -> None:
    ended = relations(describe_provenance(scene.bundle()), "wasInvalidatedBy")

    assert [each["activity"] for each in ended] == ["rec:entry-4", "rec:entry-5"]


def test_a_decision_has_the_policy_as_its_plan(scene: Scene) -> None:
    value = describe_provenance(scene.bundle())

    plans = [each for each in relations(value, "wasAssociatedWith") if "plan" in each]

    assert [each["activity"] for each in plans] == ["rec:entry-1"]
    assert plans[0]["plan"] == f"rec:policy-{hash_rules(RULES).hex()}"
    assert value["entity"][plans[0]["plan"]]["prov:type"]["$"] == "prov:Plan"


def test_who_signed_acts_and_who_did_not_is_as_the_ledger_states(scene: Scene) -> None:
    value = describe_provenance(scene.bundle())
    associated = relations(value, "wasAssociatedWith")

    by_ledger = {each["activity"] for each in associated if each["agent"] == "rec:ledger"}
    signed = {each["activity"] for each in associated if each.get("vm:signed")}

    assert by_ledger == {"rec:entry-0", "rec:entry-2", "rec:entry-3"}
    assert signed == {"rec:entry-1", "rec:entry-4", "rec:entry-5"}
    assert len(relations(value, "wasAttributedTo")) == len(signed)


def test_people_act_on_behalf_of_their_posts(scene: Scene) -> None:
    value = describe_provenance(scene.bundle())

    acted = relations(value, "actedOnBehalfOf")

    for each in acted:
        assert value["agent"][each["delegate"]]["prov:type"]["$"] == "prov:Person"
        assert value["agent"][each["responsible"]]["prov:type"]["$"] == "prov:Organization"
    assert len(acted) == 6


def test_a_claimed_time_is_no_time_of_prov(scene: Scene) -> None:
    value = describe_provenance(scene.bundle())

    text = json.dumps(value)

    assert all("vm:claimedTime" in each for each in value["activity"].values())
    assert "prov:time" not in text
    assert "prov:startTime" not in text


def test_a_conversion_from_what_was_left_out_names_no_source(scene: Scene) -> None:
    cut = scene.bundle(withhold=True, without=[1])

    value = describe_provenance(cut)

    assert len(value["activity"]) == 5
    assert read(value).get_records()


# -- CloudEvents


def test_the_cloudevents_package_reads_every_line(scene: Scene) -> None:
    bundle = scene.bundle()

    for value, entry in zip(describe_events(bundle), bundle.entries, strict=True):
        event = JSONFormat().read(CloudEvent, json.dumps(value))

        assert event.get_id() == entry.envelope.hash.hex()
        assert event.get_subject() == bundle.record_id
        assert event.get_type() == f"urn:vermilion:record-event:v1:{entry.envelope.statement.event}"
        assert event.get_source() == f"//{entry.envelope.statement.ledger}"
        assert event.get_time() == datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
        assert event.get_extension("timebasis") == "claimed"
        said = event.get_data()
        assert isinstance(said, dict)
        assert encode_json(said["statement"]) == entry.envelope.payload


def test_ids_of_events_are_unique(scene: Scene) -> None:
    ids = [each["id"] for each in describe_events(scene.bundle())]

    assert len(set(ids)) == len(ids) == 6


# -- in-toto


def key_of(person: Person) -> SSlibKey:
    return SSlibKey(person.keyid, _ED25519, _ED25519, {"public": person.public_key.hex()})


def test_another_tool_verifies_the_signatures_of_the_envelopes(scene: Scene) -> None:
    envelopes = list_envelopes(scene.bundle())

    for place, person in ((1, WANG), (4, WANG), (5, ZHAO)):
        envelope = Envelope.from_dict(json.loads(envelopes[place]))
        assert envelope.payload_type == "application/vnd.in-toto+json"
        assert set(envelope.verify([key_of(person)], 1)) == {person.keyid}
        statement = json.loads(envelope.payload)
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert statement["subject"][0]["digest"].keys() == {"sha256"}


def test_another_tool_refuses_a_statement_of_somebody_else(scene: Scene) -> None:
    envelopes = list_envelopes(scene.bundle())
    approval, disposal = (Envelope.from_dict(json.loads(envelopes[at])) for at in (1, 5))

    with pytest.raises(VerificationError):
        approval.verify([key_of(ZHAO)], 1)
    approval.payload = disposal.payload
    with pytest.raises(VerificationError):
        approval.verify([key_of(WANG)], 1)


def attested(payload: bytes) -> Any:
    """The statement as in-toto's own package reads it by its schema, and finds it valid."""
    made = in_toto.Statement.copy_from_pb(json_format.Parse(payload, in_toto_schema.Statement()))
    made.validate()
    return made.pb


@pytest.mark.parametrize("family", Predicate)
def test_the_in_toto_package_reads_the_statements_of_a_family(
    scene: Scene, family: Predicate
) -> None:
    bundle = scene.bundle()
    entries = {
        Predicate.RECORD: bundle.entries,
        Predicate.KEY: bundle.keys,
        Predicate.POLICY: bundle.policies,
    }[family]

    assert entries
    for entry in entries:
        statement = entry.envelope.statement
        found = attested(entry.envelope.payload)
        (subject,) = found.subject
        assert found.predicate_type == family == statement.predicate
        assert subject.name == statement.subject.name
        assert dict(subject.digest) == {"sha256": statement.subject.sha256.hex()}
        # Its numbers are doubles; of ours all are whole and below 2^53, so that nothing is lost.
        assert json_format.MessageToDict(found) == json.loads(entry.envelope.payload)


@pytest.mark.parametrize(
    ("member", "value", "refusal"),
    [
        ("_type", "https://in-toto.io/Statement/v0.1", "statement type"),
        ("subject", [], "one subject"),
        ("subject", [{"name": "contract.pdf"}], "one digest"),
        ("predicateType", "", "Predicate type"),
        ("predicate", {}, "Predicate object"),
        ("subject", {"name": "contract.pdf"}, "subject"),
        ("verdict", "proven", "verdict"),
    ],
)
def test_the_in_toto_package_refuses_what_is_no_statement(
    scene: Scene, member: str, value: Any, refusal: str
) -> None:
    statement = json.loads(scene.bundle().entries[1].envelope.payload)

    with pytest.raises((ValueError, json_format.ParseError), match=refusal):
        attested(json.dumps(statement | {member: value}).encode())


# -- the command


def history(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main(["history", *map(str, words)])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize(("form", "lines"), [("prov", 1), ("cloudevents", 6), ("statements", 6)])
def test_the_command_prints_or_writes_one_form(
    capsys: pytest.CaptureFixture[str], scene: Scene, tmp_path: Path, form: str, lines: int
) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(encode_json(scene.bundle().to_json()))

    code, out, err = history(capsys, "--bundle", path, "--as", form)
    written = history(capsys, "--bundle", path, "--as", form, "-o", tmp_path / "out")

    assert (code, len(out.splitlines()), "checked" in err) == (0, lines, True)
    assert (written[0], written[1]) == (0, "")
    assert (tmp_path / "out").read_text() == out
    if form == "statements":
        assert out.encode() == b"".join(each + b"\n" for each in list_envelopes(scene.bundle()))


def test_what_is_no_bundle_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"{}")

    assert "bundle.missing" in history(capsys, "--bundle", tmp_path / "none")[2]
    assert "bundle.unreadable" in history(capsys, "--bundle", tmp_path)[2]
    assert history(capsys, "--bundle", tmp_path / "bad")[0] == 2
    with pytest.raises(SystemExit):
        history(capsys, "--bundle", tmp_path / "bad", "--as", "other")


def test_a_file_that_cannot_be_written_is_told(
    capsys: pytest.CaptureFixture[str], scene: Scene, tmp_path: Path
) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(encode_json(scene.bundle().to_json()))

    code, _, err = history(capsys, "--bundle", path, "-o", tmp_path / "none" / "out")

    assert (code, "history.unwritable" in err) == (5, True)
