"""record.completeness and key.validity with the log's entries and the registry file at hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence import (
    LI,
    RULES,
    WANG,
    ZHAO,
    Scene,
    approved,
    codes,
    office,
)
from office import (
    POLICIES,
    POLICIES_KEY,
    RECORD_KEY,
    REGISTRY_KEY,
    ROOT,
    ROOT_TWO,
    Person,
    secret,
)
from vermilion_ledger.commitment import encode_entry, make_tag
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import EvidenceError, InputError, NotFoundError, UnavailableError
from vermilion_ledger.merkle import hash_leaf
from vermilion_verify.registry import MEDIA_TYPE, load_registry_file, parse_registry_file
from vermilion_verify.report import CheckStatus, Report, Verdict

STRANGER = Person(name="stranger")

# -- the walk


def walk(scene: Scene, folder: Path, entries: bytes | None = None, **question: Any) -> Report:
    path = folder / "entries"
    path.write_bytes(b"".join(scene.log.entries) if entries is None else entries)
    return scene.verify(log_entries=path, **question)


def test_a_walk_of_the_whole_log_proves_that_nothing_was_left_out(tmp_path: Path) -> None:
    scene = approved()

    report = walk(scene, tmp_path)

    assert report.verdict is Verdict.PROVEN
    found = report.check("record.completeness")
    assert found is not None
    assert found.detail["walk"] == "checked"
    assert "that the ledger itself left out no entry of this record" not in report.not_proven


def test_later_entries_of_the_log_are_ignored(tmp_path: Path) -> None:
    scene = approved()
    bundle = scene.bundle()
    scene.event("revoke", ZHAO)

    assert walk(scene, tmp_path, bundle=bundle).verdict is Verdict.PROVEN


@pytest.mark.parametrize("cut", [0, 65, 65 * 9])
def test_a_log_that_ends_before_the_checkpoint_is_refuted(tmp_path: Path, cut: int) -> None:
    scene = approved()

    report = walk(scene, tmp_path, b"".join(scene.log.entries)[:cut])

    assert codes(report) == {"record.completeness": "walk.other-log"}


@pytest.mark.parametrize("place", [0, 6 * 65 + 40, 10 * 65 - 1])
def test_a_log_with_another_byte_is_refuted(tmp_path: Path, place: int) -> None:
    scene = approved()
    data = bytearray(b"".join(scene.log.entries))
    data[place] ^= 1

    assert codes(walk(scene, tmp_path, bytes(data))) == {"record.completeness": "walk.other-log"}


def hidden_entry(scene: Scene, sequence: int) -> None:
    """The log has an entry of the record that the ledger keeps to itself."""
    key = secret("hidden")
    scene.event("review", record_key=key)
    *rest, (place, salt, _) = scene.log.items
    entry = encode_entry(secret("any commitment"), make_tag(RECORD_KEY, sequence))
    grow(scene, entry)
    scene.log.items = [*rest, (place, salt, key)]


def grow(scene: Scene, entry: bytes) -> None:
    scene.log.entries.append(entry)
    scene.log._nodes.update(scene.log._frontier.append(hash_leaf(entry)))


@pytest.mark.parametrize(
    ("sequence", "code"),
    [
        (3, "walk.entry-left-out"),
        (0, "walk.tag-place"),
        (1, "walk.tag-place"),
        (2, "walk.tag-place"),
    ],
)
def test_an_entry_that_the_ledger_hides_is_found(tmp_path: Path, sequence: int, code: str) -> None:
    scene = approved(anchored=False)
    hidden_entry(scene, sequence)
    scene.anchor()

    without, found = scene.verify(), walk(scene, tmp_path)

    assert without.verdict is Verdict.PROVEN  # which is why the report names what it does not prove
    assert "that the ledger itself left out no entry of this record" in without.not_proven
    assert codes(found) == {"record.completeness": code}


def test_a_walk_without_the_record_key_says_so(tmp_path: Path) -> None:
    scene = approved()

    report = walk(scene, tmp_path, bundle=scene.bundle(withhold=True))

    found = report.check("record.completeness")
    assert found is not None
    assert found.detail["walk"] == "record key withheld"
    assert "that the ledger itself left out no entry of this record" in report.not_proven


def test_log_entries_that_cannot_be_read_are_an_error_of_the_call(tmp_path: Path) -> None:
    scene = approved()

    with pytest.raises(NotFoundError) as missing:
        scene.verify(log_entries=tmp_path / "none")
    with pytest.raises(UnavailableError) as folder:
        scene.verify(log_entries=tmp_path)
    with pytest.raises(InputError) as torn:
        walk(scene, tmp_path, b"\x01" * 66)

    assert missing.value.code == "log-entries.missing"
    assert folder.value.code == "log-entries.unreadable"
    assert torn.value.code == "log-entries.size"


def test_a_log_without_an_end_is_read_to_the_checkpoint_only() -> None:
    report = approved().verify(log_entries=Path("/dev/zero"))

    assert codes(report) == {"record.completeness": "walk.other-log"}


# -- the registry file


def audit(scene: Scene, folder: Path, registry: bytes | None = None, **question: Any) -> Report:
    data = scene.registry_file() if registry is None else registry
    return walk(scene, folder, registry_file=parse_registry_file(data), **question)


def test_with_registry_and_log_nothing_but_the_content_and_the_future_is_open(
    tmp_path: Path,
) -> None:
    report = audit(approved(), tmp_path)

    assert report.verdict is Verdict.PROVEN
    assert len(report.not_proven) == 2


def test_the_theft_of_a_strangers_key_is_no_doubt_about_this_record(tmp_path: Path) -> None:
    scene = approved(anchored=False)
    place = scene.register_key(STRANGER, ROOT)
    scene.revoke_key(STRANGER, STRANGER)
    scene.revoke_key(STRANGER, ROOT, compromisedSince=place.index)
    scene.anchor()

    report = audit(scene, tmp_path)

    assert codes(report, CheckStatus.UNKNOWN) == {}
    assert report.verdict is Verdict.PROVEN


def test_what_a_root_in_doubt_did_for_strangers_is_no_doubt_about_the_rest(
    tmp_path: Path,
) -> None:
    scene = approved(anchored=False)
    place = scene.register_key(STRANGER, ROOT)
    scene.policy((replace(RULES[0], count=3),))
    scene.register_key(ROOT_TWO)
    scene.revoke_key(ROOT, ROOT_TWO, compromisedSince=place.index)
    scene.anchor()
    roots = scene.trust(roots=f'["{ROOT.keyid}", "{ROOT_TWO.keyid}"]')

    assert audit(scene, tmp_path, policy=roots).verdict is Verdict.PROVEN


def test_the_theft_of_a_signers_key_is_a_doubt_with_the_registry_file_too(tmp_path: Path) -> None:
    scene = approved(anchored=False)
    scene.revoke_key(LI, ROOT, compromisedSince=scene.last[RECORD_KEY].index)
    scene.anchor()

    report = audit(scene, tmp_path)

    assert codes(report, CheckStatus.UNKNOWN) == {"key.validity": "key.in-doubt"}


def test_a_registry_file_without_the_log_is_an_error_of_the_call() -> None:
    scene = approved()

    with pytest.raises(InputError) as error:
        scene.verify(registry_file=parse_registry_file(scene.registry_file()))

    assert error.value.code == "registry.without-log"


def test_a_revocation_that_the_bundle_hides_is_found(tmp_path: Path) -> None:
    scene = office()
    scene.event("register", detail={"policy": scene.policy(RULES)})
    scene.revoke_key(WANG, ROOT)
    scene.approve(WANG)
    scene.approve(ZHAO)
    scene.anchor()
    bundle = scene.bundle()
    hiding = scene.bundle(keys=tuple(bundle.keys[:-1]))

    assert scene.verify(hiding).verdict is Verdict.PROVEN
    assert codes(audit(scene, tmp_path, bundle=hiding))["key.validity"] == "registry.held-back"


def test_an_event_held_back_is_a_difference_though_it_changes_nothing(tmp_path: Path) -> None:
    scene = approved(anchored=False)
    scene.revoke_key(WANG, ROOT)
    scene.anchor()

    report = audit(scene, tmp_path, bundle=scene.bundle(keys=scene.bundle().keys[:-1]))

    assert codes(report) == {"key.validity": "registry.held-back"}


def test_a_bundle_needs_no_keys_that_it_does_not_use(tmp_path: Path) -> None:
    scene = approved()
    keys = [each for each in scene.bundle().keys if each.index != 3]  # Zhao signed nothing

    assert audit(scene, tmp_path, bundle=scene.bundle(keys=tuple(keys))).verdict is Verdict.PROVEN


def test_a_revocation_that_the_registry_hides_is_found(tmp_path: Path) -> None:
    scene = approved(anchored=False)
    scene.revoke_key(WANG, ROOT)
    scene.anchor()
    short = registry_without(scene, "keys", -1)

    report = audit(scene, tmp_path, short, bundle=scene.bundle(keys=scene.bundle().keys[:-1]))

    assert codes(report) == {"key.validity": "walk.entry-left-out"}


def registry_without(scene: Scene, what: str, place: int) -> bytes:
    value = json.loads(scene.registry_file())
    del value[what][place]
    return encode_json(value)


def test_a_registry_with_a_gap_is_refuted(tmp_path: Path) -> None:
    scene = approved()

    report = audit(scene, tmp_path, registry_without(scene, "keys", 1))

    assert codes(report)["key.validity"] == "registry.gap"


def test_a_policy_that_the_registry_hides_is_found(tmp_path: Path) -> None:
    scene = approved()

    report = audit(scene, tmp_path, registry_without(scene, "policies", 0))

    assert codes(report)["key.validity"] == "walk.entry-left-out"


@pytest.mark.parametrize("member", ["salt", "index", "envelope"])
def test_a_registry_of_another_log_is_refuted(tmp_path: Path, member: str) -> None:
    scene = approved()
    value = json.loads(scene.registry_file())
    first, last = value["keys"][0], value["keys"][-1]
    if member == "index":
        last["index"] = 9
    else:
        last[member] = first[member]

    report = audit(scene, tmp_path, encode_json(value))

    assert codes(report)["key.validity"] == "registry.not-in-log"


def test_a_bundle_that_differs_from_the_registry_is_refuted(tmp_path: Path) -> None:
    scene = approved()
    first, *rest = scene.bundle().keys

    report = audit(
        scene, tmp_path, bundle=scene.bundle(keys=(replace(first, salt=bytes(32)), *rest))
    )

    assert codes(report)["key.validity"] == "registry.differs"


def test_registry_events_beyond_the_checkpoint_are_ignored(tmp_path: Path) -> None:
    scene = approved()
    bundle = scene.bundle()
    scene.revoke_key(WANG, ROOT)

    assert audit(scene, tmp_path, bundle=bundle).verdict is Verdict.PROVEN


def test_a_document_event_in_the_registry_is_refuted_not_a_crash(tmp_path: Path) -> None:
    scene = approved(anchored=False)
    scene.event("review", record_key=REGISTRY_KEY)
    scene.event("review", record_key=POLICIES_KEY)
    scene.anchor()

    report = audit(scene, tmp_path)

    assert codes(report)["statement.binding"] == "statement.other-family"
    assert codes(report)["key.validity"] == "statement.other-family"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json.malformed"),
        (b"[]", "json.shape"),
        (b'{"mediaType":1,"keys":[],"policies":[]}', "registry.media-type"),
        (
            b'{"mediaType":"%b","keys":{},"policies":[]}' % MEDIA_TYPE.encode(),
            "registry.shape",
        ),
        (
            b'{"mediaType":"%b","keys":[1],"policies":[]}' % MEDIA_TYPE.encode(),
            "json.shape",
        ),
    ],
)
def test_a_malformed_registry_file_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(EvidenceError) as error:
        parse_registry_file(data)

    assert error.value.code == code


def test_registry_events_out_of_order_are_refused() -> None:
    value = json.loads(approved().registry_file())
    value["keys"].reverse()

    with pytest.raises(InputError, match="not sorted"):
        parse_registry_file(encode_json(value))


def test_a_registry_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none", "registry.missing"), (tmp_path, "registry.unreadable")):
        with pytest.raises(EvidenceError) as error:
            load_registry_file(path)
        assert error.value.code == code


def test_the_policies_of_these_tests_have_a_record_of_their_own() -> None:
    assert POLICIES.startswith("rec_")
