"""`vermilion keys`: rotate, compromised, delegate, and roots in different places."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from served import CHAIN_ID, Served, make_block, prepare, refused, send, serving
from vermilion_api.cli import main
from vermilion_api.client import Ledger as Api
from vermilion_api.joint import fetch_key_events
from vermilion_api.key_changes import rotate_key
from vermilion_api.keyfiles import KeyFile, create_key_file, load_key_file
from vermilion_api.signing import describe_key
from vermilion_api.wiring import now
from vermilion_ledger.actor import Actor
from vermilion_ledger.admission import LedgerAdmission
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.envelope import parse_envelope
from vermilion_ledger.keys import check_key_events, collect_keys

NOWHERE = ("--url", "http://127.0.0.1:9")  # who signs a file asks nobody
SOON, PAST = "2099-01-01T00:00:00Z", "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("office")) as served:
        served.register_key(served.root)
        yield served


def run(served: Served, *words: str) -> int:
    return main(["keys", *words, "--url", served.api.url])


def file_of(served: Served, name: str) -> str:
    return str(served.folder / f"{name}.json")


def listed(served: Served, key: KeyFile) -> dict[str, Any]:
    keys: list[dict[str, Any]] = served.api.get("/v1/keys")["keys"]
    return next(each for each in keys if each["keyid"] == key.keyid)


def successor(served: Served, name: str, owner: KeyFile) -> KeyFile:
    path = served.folder / f"{name}.json"
    return create_key_file(path, scheme="ed25519", owner=owner.owner)


# -- rotate


def test_a_new_key_takes_over_all_that_the_old_one_had(office: Served) -> None:
    old = office.enrol("wang", may=("approve", "seal"))
    new = successor(office, "wang-2", old)
    root = ("--root", file_of(office, "root"))

    assert run(office, "rotate", old.keyid, "--key", file_of(office, "wang-2"), *root) == 0

    before, after = listed(office, old), listed(office, new)
    assert (after["owner"], after["may"]) == (before["owner"], before["may"])
    assert after["registered"] < before["revoked"]  # never a place where neither is valid
    assert after["revoked"] is None
    record = office.register("after a rotation")["record"]
    assert refused(lambda: office.decide(record, old)) == "key.after-revocation"
    office.decide(record, new)


def test_a_rotation_that_was_stopped_in_between_goes_on(office: Served) -> None:
    old = office.enrol("chen", may=("approve",))
    new = successor(office, "chen-2", old)
    registered = office.register_key(new, office.root, may=("approve",))["index"]

    done = rotate_key(office.api, old.keyid, new, [office.root])
    again = rotate_key(office.api, old.keyid, new, [office.root])

    assert done == again
    assert done.registered == registered < done.revoked


def test_what_cannot_be_rotated_is_refused(office: Served) -> None:
    old = office.enrol("sun", may=("approve",))
    stranger, other_root = office.person("stranger"), office.person("other root")
    new, spoilt = successor(office, "sun-2", old), successor(office, "sun-3", old)
    office.register_key(spoilt, office.root, may=("approve", "seal"))

    def rotate(keyid: str, key: KeyFile, *roots: KeyFile) -> str:
        return refused(lambda: rotate_key(office.api, keyid, key, roots or [office.root]))

    assert rotate("00" * 32, new) == "key.unknown"
    assert rotate(office.root.keyid, new) == "key.rotate-root"
    assert rotate(old.keyid, stranger) == "key.rotate-owner"
    assert rotate(old.keyid, spoilt) == "key.rotate-other"
    assert rotate(old.keyid, new, other_root) == "key.rotate-unverified"
    assert run(office, "revoke", old.keyid, "--key", file_of(office, "sun")) == 0
    assert rotate(old.keyid, new) == "key.rotate-revoked"


def test_a_rotation_without_a_root_is_refused(office: Served) -> None:
    assert run(office, "rotate", "00" * 32, "--key", file_of(office, "root")) == 2


# -- what an officer may do


def test_an_officer_is_told_what_may_be_done_with_any_record_and_no_more(
    office: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ("--root", file_of(office, "root"))
    for name, may, registered, shown in (
        ("idle officer", "approve", "may not dispose, regrade, revoke, supersede", "nothing"),
        ("archivist", "approve,dispose", "it may dispose anywhere", "dispose"),
    ):
        key = office.person(name)
        powers = ("--officer", "--may", may)
        capsys.readouterr()
        assert run(office, "register", "--key", file_of(office, name), *powers, *root) == 0
        assert registered in capsys.readouterr().out

        assert main(["keys", "list", "--url", office.api.url]) == 0
        (line,) = [each for each in capsys.readouterr().out.splitlines() if key.keyid in each]
        assert line.endswith(f"as an officer anywhere: {shown}")


# -- what is said of a key that nobody registered


def test_a_revocation_of_a_key_that_nobody_registered_says_so(
    office: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(office, "revoke", "3f0c", "--key", file_of(office, "root")) == 4

    assert "error[key.unknown]: key '3f0c' is not registered" in capsys.readouterr().err


# -- roots in different places


def test_roots_that_signed_before_they_were_registered_are_told_why_it_does_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path, quorum=2) as served:
        served.person("ling")
        roots = [each for name in ("root", "root-2") for each in ("--root", file_of(served, name))]

        assert run(served, "register", "--key", file_of(served, "ling"), *roots) == 4

        told = "0 of 2 roots signed entry 0; not registered and valid there: 2 that did"
        assert told in capsys.readouterr().err


def test_two_roots_in_different_places_register_and_revoke(tmp_path: Path) -> None:
    with serving(tmp_path, quorum=2) as served:
        for root in (served.root, load_key_file(tmp_path / "root-2.json")):
            served.register_key(root)
        new = served.person("ling")
        paths = {name: str(tmp_path / f"{name}.part") for name in ("first", "second", "third")}
        signing = ["--root", file_of(served, "root")]
        elsewhere = ["--root", file_of(served, "root-2")]
        about = ["--keyid", new.keyid]

        start = ["register", "--key", file_of(served, "ling"), "--may", "approve"]
        assert run(served, *start, *signing) == 4  # one root is no quorum
        assert run(served, *start, *signing, "-o", paths["first"]) == 0
        passed = ["keys", "register", "--statement", paths["first"], *elsewhere, *NOWHERE]
        for wrong in ([], ["--keyid", "00" * 32], [*about, "--may", "seal"], [*about, "--officer"]):
            assert main([*passed, *wrong, "-o", paths["second"]]) != 0
        assert main([*passed, *about, "-o", paths["second"]]) == 0
        assert len(parse_envelope(Path(paths["second"]).read_bytes()).signatures) == 3
        join = ["--statement", paths["first"], "--statement", paths["second"]]
        assert run(served, "register", *about, *join) == 0
        assert listed(served, new)["may"] == ["approve"]

        leaf = str(listed(served, new)["registered"])
        revoking = ["compromised", new.keyid, "--since", leaf]
        assert run(served, *revoking, *signing, "-o", paths["third"]) == 0
        other = ["compromised", new.keyid, "--since", "0", "--statement", paths["third"]]
        assert main(["keys", *other, *elsewhere, *NOWHERE]) != 0
        assert run(served, *revoking, *elsewhere, "--statement", paths["third"]) == 0
        assert listed(served, new)["compromisedSince"] == int(leaf)


def test_files_about_different_statements_are_not_joined(office: Served) -> None:
    key = office.enrol("zhou")
    paths = [str(office.folder / f"{number}.part") for number in (1, 2)]
    for path in paths:
        options = ["--key", file_of(office, "zhou"), "-o", path]
        assert run(office, "revoke", key.keyid, *options) == 0

    join = [word for path in paths for word in ("--statement", path)]

    assert run(office, "revoke", key.keyid, *join) == 2
    assert run(office, "register", "--keyid", key.keyid, "--statement", paths[0]) != 0
    assert listed(office, key)["revoked"] is None


def test_a_holder_starts_and_names_the_root_that_signs_later(office: Served) -> None:
    office.person("far")
    path = str(office.folder / "far.part")
    start = ["register", "--key", file_of(office, "far"), "-o", path]

    assert run(office, *start) == 2  # nobody who signs is named
    assert run(office, *start, "--actor", "root") == 0
    key = parse_envelope(Path(path).read_bytes()).signatures[0].keyids[0]
    finish = ["--keyid", key, "--statement", path, "--root", file_of(office, "root")]
    assert run(office, "register", *finish) == 0


# -- compromised


@pytest.mark.parametrize("since", ["2020-01-01", "2020-01-01T00:00:00Z"])
def test_a_date_before_every_anchor_doubts_all_that_a_key_signed(
    office: Served, since: str
) -> None:
    key = office.enrol(f"stolen {since}")

    assert run(office, "compromised", key.keyid, "--since", since, "--root", root_of(office)) == 0

    assert listed(office, key)["compromisedSince"] == listed(office, key)["registered"]


def root_of(served: Served) -> str:
    return file_of(served, "root")


@pytest.mark.parametrize("since", ["yesterday", "-1", "2026-13-01", "٣"])
def test_what_is_no_place_and_no_date_is_refused(office: Served, since: str) -> None:
    root = ("--root", root_of(office))

    assert main(["keys", "compromised", "00" * 32, f"--since={since}", *root, *NOWHERE]) == 2


def test_a_key_does_not_disown_its_own_past(office: Served) -> None:
    key = office.enrol("regretful")
    own, since = file_of(office, "regretful"), str(listed(office, key)["registered"])

    assert run(office, "compromised", key.keyid, "--since", since, "--root", own) == 4
    assert listed(office, key)["revoked"] is None


# -- delegations


def delegate(served: Served, name: str, until: str, *, of: str = "hu") -> KeyFile:
    """A key of a delegate, registered with its end."""
    key = served.person(name, post="deputy")
    detail = describe_key(key, ("approve",)) | {"until": until, "onBehalfOf": of}
    asked = {"event": "register", "detail": detail, "actor": served.root.owner.to_json()}
    served.event("keys", asked, served.root, key)
    return key


def test_a_delegate_decides_for_the_delegator(office: Served) -> None:
    office.enrol("hu")
    office.person("deputy")
    options = ["--until", SOON, "--on-behalf-of", "hu", "--may", "approve"]
    start = ["register", "--key", file_of(office, "deputy"), "--root", root_of(office)]
    record = office.register("delegated", policy=office.adopt())["record"]

    assert run(office, *start, *options, "--officer") == 2
    assert run(office, *start, *options) == 0
    assert (
        main(["approve", record, "--key", file_of(office, "deputy"), "--url", office.api.url]) == 0
    )

    found = office.api.get(f"/v1/records/{record}")
    assert found["approvals"][0]["owners"] == ["hu"]
    assert found["rules"][0]["missing"] == 1
    assert found["entries"][-1]["actor"]["id"] == "deputy"


def test_an_ended_delegation_is_refused_at_intake(office: Served) -> None:
    if not any(key["owner"]["id"] == "hu" for key in office.api.get("/v1/keys")["keys"]):
        office.enrol("hu")

    assert refused(lambda: delegate(office, "late", PAST)) == "key.expired"
    assert refused(lambda: delegate(office, "orphan", SOON, of="nobody")) == "key-event.delegator"


def test_a_quoted_block_from_after_the_end_is_refused_at_intake(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.register_key(served.root)
        served.enrol("hu")
        end = now() + timedelta(hours=1)
        key = delegate(served, "short", encode_time(end))
        record = served.register("short")["record"]
        made = prepare(served, record, key)
        ahead = make_block(60, time=int(end.timestamp()) + 1)
        served.ledger.database.blocks.save(ahead, offered_at=now())
        assert made.seen is not None
        late = replace(made, seen=replace(made.seen, number=60, hash=ahead.hash))

        assert made.seen.chain_id == CHAIN_ID
        assert refused(lambda: send(served, record, late, key)) == "key.expired"
        assert send(served, record, made, key)["sequence"] == 1


# -- list


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("valid after leaf", "then revoked", "in doubt from leaf", "on behalf of hu until")),
        ("zh-CN", ("之后有效", "已吊销", "签名存疑", "代 hu 签署")),
    ],
)
def test_the_list_says_what_each_key_is_good_for(
    office: Served, capsys: pytest.CaptureFixture[str], language: str, words: Sequence[str]
) -> None:
    people = {key["owner"]["id"] for key in office.api.get("/v1/keys")["keys"]}
    if "hu" not in people:
        office.enrol("hu")
    delegate(office, f"for hu {language}", SOON)
    gone = office.enrol(f"gone {language}")
    revoking = ["compromised", gone.keyid, "--since", "1000000", "--root", root_of(office)]
    assert run(office, *revoking) != 0  # a leaf that is not there yet
    assert run(office, *revoking[:3], str(listed(office, gone)["registered"]), *revoking[4:]) == 0
    capsys.readouterr()

    assert run(office, "list", "--lang", language) == 0
    text = capsys.readouterr().out
    assert run(office, "list", "--json") == 0
    found = json.loads(capsys.readouterr().out)["keys"]

    assert all(word in text for word in words)
    assert {"until", "onBehalfOf", "compromisedSince"} <= found[0].keys()


def test_the_key_record_stands_by_its_own_rules(office: Served) -> None:
    with Api(office.api.url) as api:
        told = collect_keys(fetch_key_events(api))
    admission = LedgerAdmission(office.ledger.identity)
    rows = office.ledger.reader().record_entries(office.ledger.identity.keys_record)

    check_key_events([admission.place(row) for row in rows], office.ledger.identity.roots)
    assert Actor(id="root") in {key.owner for key in told.keys.values()}
