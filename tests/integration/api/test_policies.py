"""Policies by the command, and classes of records by every way in, on a served ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from served import TWO_OWNERS, Served, refused, serving, sha256
from vermilion_api.classes import ClassSettings
from vermilion_api.cli import main
from vermilion_api.keyfiles import load_key_file
from vermilion_ledger.rules import Rule, hash_rules

SEAL = (Rule(event="seal", count=1, within="P30D"),)
POLICY, SEALED = hash_rules(TWO_OWNERS).hex(), hash_rules(SEAL).hex()
CLASSES = (ClassSettings(name="发文", policy=POLICY), ClassSettings(name="收文", policy=SEALED))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger with two classes, of which one has its policy in force."""
    with serving(tmp_path_factory.mktemp("office"), classes=CLASSES) as found:
        found.register_key(found.root)
        found.adopt()
        yield found


def write_rules(folder: Path, rules: tuple[Rule, ...], name: str = "rules.json") -> Path:
    path = folder / name
    path.write_text(json.dumps([rule.to_json() for rule in rules], ensure_ascii=False, indent=1))
    return path


def run(served: Served, *arguments: Any) -> int:
    return main([*map(str, arguments), "--url", served.api.url])


def printed(served: Served, capsys: pytest.CaptureFixture[str], *arguments: Any) -> Any:
    """What a command prints with --json."""
    capsys.readouterr()
    assert run(served, *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out.splitlines()[0])


def root_of(served: Served) -> Path:
    return served.folder / "root.json"


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def record(served: Served, folder: Path, *options: Any) -> int:
    paper = folder / "paper.txt"
    paper.write_text("a paper")
    return run(served, "record", paper, "--journal", folder / "journal", *options)


def registered(served: Served) -> dict[str, Any]:
    """The detail of the record of ``paper.txt``."""
    [found] = served.api.get("/v1/records", {"digest": f"sha256:{sha256('a paper')}"})["records"]
    entries = served.api.get(f"/v1/records/{found['record']}")["entries"]
    detail: dict[str, Any] = entries[0]["detail"]
    return detail


# -- the command


def test_a_policy_is_adopted_listed_shown_and_withdrawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path / "office") as served:
        served.register_key(served.root)
        file, root = write_rules(tmp_path, SEAL, "用印.json"), root_of(served)

        adopted = printed(served, capsys, "policy", "adopt", file, "--key", root)
        listed = printed(served, capsys, "policy", "list")["policies"]
        shown = printed(served, capsys, "policy", "show", "用印")
        withdrawn = printed(served, capsys, "policy", "withdraw", SEALED, "--key", root)
        after = printed(served, capsys, "policy", "show", SEALED)

        assert adopted["policy"] == SEALED
        assert listed == [shown]
        assert shown == {
            "policy": SEALED,
            "name": "用印",
            "inForce": True,
            "index": adopted["index"],
            "rules": [rule.to_json() for rule in SEAL],
        }
        assert withdrawn["index"] > adopted["index"]
        assert after == shown | {"inForce": False, "index": withdrawn["index"]}
        assert refused(lambda: served.register("late", policy=SEALED)) == "policy.not-in-force"
        assert run(served, "policy", "show", "用印") == 2
        assert "policy.unknown" in told(capsys)


def test_roots_in_two_places_adopt_a_policy_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path / "office", quorum=2) as served:
        here, there = (served.folder / name for name in ("root.json", "root-2.json"))
        for root in (here, there):
            served.register_key(load_key_file(root))
        file, one, two = write_rules(tmp_path, SEAL), tmp_path / "one", tmp_path / "two"
        adopt = ("policy", "adopt", file)

        assert run(served, *adopt, "--key", here) == 4
        assert "[key-event.quorum]" in told(capsys)
        assert run(served, *adopt, "--key", here, "--output", one) == 0
        assert run(served, *adopt, "--statement", one) == 4
        assert "[key-event.quorum]" in told(capsys)
        assert run(served, *adopt, "--key", here, "--statement", one) == 2
        assert "[envelope.repeated-signer]" in told(capsys)
        assert run(served, *adopt, "--key", there, "--statement", one, "--output", two) == 0
        assert printed(served, capsys, "policy", "list")["policies"] == []
        assert run(served, *adopt, "--statement", one, "--statement", two) == 0

        assert printed(served, capsys, "policy", "list")["policies"][0]["inForce"]


def test_a_root_does_not_sign_other_rules_than_those_of_its_file(
    office: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part, root = tmp_path / "part", ("--key", root_of(office))
    rules, others = write_rules(tmp_path, SEAL), write_rules(tmp_path, (), "none.json")
    assert run(office, "policy", "adopt", rules, *root, "--output", part) == 0

    assert run(office, "policy", "adopt", others, *root, "--statement", part) == 70
    assert "statement.not-as-asked" in told(capsys)
    assert run(office, "policy", "withdraw", POLICY, *root, "--statement", part) == 70
    assert "statement.not-as-asked" in told(capsys)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{}", "rules.shape"),
        ('[{"event":"approve","count":1,"within":"P1M"}]', "duration.malformed"),
        ('[{"event":"approve","count":1,"within":"PT0S"}]', "rules.within"),
        ('[{"event":"approve","count":1,"count":2}]', "json.duplicate-key"),
    ],
)
def test_a_file_without_rules_is_not_adopted(
    office: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: str
) -> None:
    file = tmp_path / "rules.json"
    file.write_text(text)

    assert run(office, "policy", "adopt", file, "--key", root_of(office)) == 2
    assert f"[{code}]" in told(capsys)
    assert run(office, "policy", "adopt", tmp_path / "none", "--key", root_of(office)) == 2
    assert "[input.missing]" in told(capsys)


# -- records under a rule


def test_rules_that_nobody_adopted_are_told_with_the_command_that_does(
    office: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_rules(tmp_path, SEAL)

    assert record(office, tmp_path, "--rule", file) == 1

    error = told(capsys)
    assert "[policy.not-in-force]" in error
    assert f"`vermilion policy adopt {file} --key ROOT`" in error
    assert not (tmp_path / "journal").exists()


def test_a_rule_is_named_by_file_digest_or_name(office: Served, tmp_path: Path) -> None:
    rules = (Rule(event="seal", count=2),)
    file, policy = write_rules(tmp_path, rules, "用印.json"), hash_rules(rules).hex()
    assert run(office, "policy", "adopt", file, "--key", root_of(office)) == 0
    for place, rule in enumerate((file, policy, "用印")):
        paper = tmp_path / f"{place}.txt"
        paper.write_text(f"paper {place}")

        journal = ("--journal", tmp_path / f"journal {place}")
        assert run(office, "record", paper, "--rule", rule, *journal) == 0

        digest = {"digest": f"sha256:{sha256(f'paper {place}')}"}
        [found] = office.api.get("/v1/records", digest)["records"]
        assert office.api.get(f"/v1/records/{found['record']}")["policy"] == policy


def test_a_name_that_two_policies_have_is_refused(
    office: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for count in (3, 4):
        file = write_rules(tmp_path, (Rule(event="seal", count=count),))
        adopt = ("policy", "adopt", file, "--key", root_of(office), "--name", "same")
        assert run(office, *adopt) == 0

    assert record(office, tmp_path, "--rule", "same") == 1
    assert "[policy.ambiguous]" in told(capsys)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--rule", "nobody's"), "policy.unknown"),
        (("--rule", "ab" * 32), "policy.unknown"),
        (("--rule", POLICY, "--class", "发文"), "class.beside-policy"),
        (("--policy", POLICY, "--class", "发文"), "class.beside-policy"),
    ],
)
def test_a_rule_that_cannot_be_found_is_refused(
    office: Served,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: str,
) -> None:
    assert record(office, tmp_path, *options) == 2
    assert f"[{code}]" in told(capsys)


# -- classes


def test_the_classes_are_told_and_whether_they_can_be_used(office: Served) -> None:
    assert office.api.get("/v1/classes") == {
        "classes": [
            {"name": "发文", "policy": POLICY, "inForce": True},
            {"name": "收文", "policy": SEALED, "inForce": False},
        ],
        "required": False,
    }


def test_a_class_is_named_by_the_command(office: Served, tmp_path: Path) -> None:
    assert record(office, tmp_path, "--class", "发文") == 0

    assert registered(office) == {"class": "发文", "policy": POLICY}


def test_a_class_is_named_by_one_registration_and_by_many(office: Served) -> None:
    one = office.register("one of a class", **{"class": "发文"})["record"]
    item = {"name": "b.pdf", "digest": {"sha256": sha256("b")}, "class": "发文"}
    many = office.api.post("/v1/records/bulk", {"records": [item, item]})["records"]

    for made in (one, *(each["record"] for each in many)):
        found = office.api.get(f"/v1/records/{made}")
        assert found["policy"] == POLICY
        assert found["entries"][0]["detail"]["class"] == "发文"


def test_the_helper_of_bulk_requests_knows_the_classes(office: Served) -> None:
    items = [
        {"name": f"{n}.pdf", "digest": {"sha256": sha256(f"many {n}")}, "class": "发文"}
        for n in range(700)
    ]
    bulk = {"records": items}
    office.api.post("/v1/records/bulk", bulk)  # the helper may still be starting
    found = office.api.post("/v1/records/bulk", bulk)["records"]

    assert office.api.get(f"/v1/records/{found[-1]['record']}")["policy"] == POLICY
    items[300]["class"] = "他文"
    assert refused(lambda: office.api.post("/v1/records/bulk", bulk)) == "class.unknown"


def test_an_unknown_class_is_refused(office: Served) -> None:
    assert refused(lambda: office.register("x", **{"class": "他文"})) == "class.unknown"


def test_a_class_whose_policy_is_not_in_force_is_refused(office: Served) -> None:
    item = {"name": "b.pdf", "digest": {"sha256": sha256("b")}, "class": "收文"}
    bulk = {"records": [item]}

    assert refused(lambda: office.register("x", **{"class": "收文"})) == "policy.not-in-force"
    assert refused(lambda: office.api.post("/v1/records/bulk", bulk)) == "policy.not-in-force"


def test_where_a_class_is_required_nothing_is_registered_without(tmp_path: Path) -> None:
    with serving(tmp_path, classes=CLASSES, class_required=True) as served:
        served.register_key(served.root)
        served.adopt()
        item = {"name": "b.pdf", "digest": {"sha256": sha256("b")}}
        bulk = {"records": [item | {"class": "发文"}, item]}

        assert refused(lambda: served.register("x")) == "class.missing"
        assert refused(lambda: served.api.post("/v1/records/bulk", bulk)) == "class.missing"
        assert served.register("x", policy=POLICY)["sequence"] == 0
        assert served.register("y", **{"class": "发文"})["sequence"] == 0
        assert served.api.get("/v1/classes")["required"] is True


def test_a_term_that_no_anchor_began_is_pending(
    office: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    with_term = (Rule(event="approve", count=1, step="sign-off", within="P1D"),)
    key = office.enrol("in time")
    made = office.register("a term", policy=office.adopt(with_term))["record"]
    office.decide(made, key)

    bundle = json.loads(office.api.fetch(f"/v1/records/{made}/bundle"))
    asked = {"digest": f"sha256:{sha256('a term')}", "bundle": bundle}

    assert office.api.post("/v1/verify", asked)["verdict"] == "pending"
    [rule] = office.api.get(f"/v1/records/{made}")["rules"]
    assert (rule["owners"], rule["undecided"]) == ([], ["in time"])
    assert run(office, "status", made) == 0
    assert "1 missing, 1 in time or not: verify the bundle" in capsys.readouterr().out
