"""A lawful life has no finding; each planted lapse has its own, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from life_kit import SIGNED, FixedTimes, Life, at, codes, sha
from vermilion_ledger.event_details import members_of
from vermilion_ledger.events import RECORD_EVENTS
from vermilion_ledger.findings import find_lapses, load_flow

NAMES = ["财政局", "档案馆", "县政府"]
# What may happen anywhere in a life without a lapse.
HARMLESS: list[tuple[str, dict[str, Any]]] = [
    ("access", {"how": "view"}),
    ("fixity", {"outcome": "pass"}),
    ("countersign", {"step": "会签", "decision": "approved"}),
    ("supervise", {"matter": "督办"}),
]
LAPSES = {
    **dict.fromkeys(("review", "sign-off", "recheck", "number", "issue"), "missing"),
    "changed": "changed-after-sign-off",
    "unchecked": "converted-not-checked",
    "revoked": "used-after-revocation",
    "late": "overdue",
    "unanswered": "overdue",
    "undelivered": "undelivered",
    "damaged": "fixity-failed",
}


class Writer:
    """Writes a 发文 down with what a test draws, and with at most one lapse."""

    def __init__(self, data: st.DataObject, lapse: str = "") -> None:
        self.life = Life()
        self.lapse = lapse
        self.content = "v"
        self._data = data

    def write(self) -> Life:
        self.add("register", flow="outgoing")
        self.step("review", "review")
        self.step("sign-off", "approve", **SIGNED)
        if self.lapse == "changed":
            self.change()
        elif self.lapse != "sign-off" and self.draw(st.booleans()):
            self.change()
            self.add("approve", **SIGNED)
        self.step("recheck", "review", step="recheck")
        self.step("number", "number")
        if self.lapse == "unchecked" or self.draw(st.booleans()):
            self.convert()
        if self.lapse == "revoked":
            self.add("revoke", reason="错发")
        self.step("seal", "seal")
        self.step("issue", "issue")
        self.task()
        self.send()
        if self.lapse == "damaged":
            self.add("archive")
            self.add("fixity", outcome="fail")
        else:
            self.step("archive", "archive")
        return self.life

    def draw(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self._data.draw(strategy)

    def add(self, event: str, **detail: Any) -> int:
        return self.life.add(event, detail, content=self.content).sequence

    def step(self, name: str, event: str, **detail: Any) -> None:
        """Take a step of the flow, unless it is the lapse; then anything harmless."""
        if name != self.lapse:
            self.add(event, **detail)
        for word, members in self.draw(st.lists(st.sampled_from(HARMLESS), max_size=2)):
            self.add(word, **members)

    def change(self) -> None:
        source = [{"sha256": sha(self.content).hex()}]
        self.content += "'"
        self.add("version", derivedFrom=source)

    def convert(self) -> None:
        source = sha(self.content).hex()
        self.content += ".ofd"
        self.add("convert", **{"from": source})
        if self.lapse != "unchecked":
            self.add("review", step="compare")

    def task(self) -> None:
        due = at(0 if self.lapse in {"late", "unanswered"} else 500)
        task = self.add("handle", due=due)
        if self.lapse != "unanswered":
            self.add("handle", of=self.life.of(task), outcome="done")

    def send(self) -> None:
        copies = self.draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
        copies = [sha(name).hex() for name in copies]
        sent = self.add("dispatch", to=copies)
        received = self.draw(st.permutations(copies))
        for copy in received[1:] if self.lapse == "undelivered" else received:
            self.add("receive", of=self.life.of(sent), copy=copy)


@given(st.data())
def test_a_lawful_life_has_no_finding(data: st.DataObject) -> None:
    assert Writer(data).write().find(hour=400) == ()


@given(st.data(), st.sampled_from(sorted(LAPSES)))
def test_a_planted_lapse_has_exactly_its_own_finding(data: st.DataObject, lapse: str) -> None:
    (found,) = Writer(data, lapse).write().find(hour=400)

    assert codes((found,)) == [LAPSES[lapse]]
    assert found.detail.get("step", lapse) == lapse


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | st.sampled_from(["", "approved", "ab" * 32]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sequence", "envelope", "record"]), inner, max_size=3)
    ),
    max_leaves=6,
)
MUST: dict[str, dict[str, Any]] = {
    "approve": SIGNED,
    "countersign": SIGNED,
    "revoke": {"reason": ""},
    "supersede": {"by": "rec_" + "0" * 32},
    "convert": {"from": sha("0").hex()},
}


@given(st.data(), st.booleans())
def test_no_detail_of_any_shape_is_too_much(data: st.DataObject, complete: bool) -> None:
    life = Life()
    for event in data.draw(st.lists(st.sampled_from(sorted(RECORD_EVENTS)), max_size=8)):
        names = [member.name for member in members_of(event)] or ["of"]
        odd = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=4))
        odd.pop("policy", None)
        odd.pop("grade", None)
        content = data.draw(st.sampled_from("012"))
        life.add(event, odd | MUST.get(event, {}), content=content)

    found = find_lapses(
        life.history, FixedTimes(hours={}), flow=load_flow("outgoing"), complete=complete
    )

    assert all(each.code.startswith("finding.") and each.en and each.zh for each in found)
    assert [each.sequence for each in found] == sorted(each.sequence for each in found)
