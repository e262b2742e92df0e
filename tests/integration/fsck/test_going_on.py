"""Runs that go on where another was interrupted, and runs over a part."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from log_kit import WrittenLog, fill, open_log, subject_of, texts
from office import secret
from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.fsck.resuming import StateFile
from vermilion_ledger.fsck.run import Fsck, Outcome
from vermilion_ledger.fsck.sampling import check_sample
from vermilion_ledger.rows import ObservedHead


def only(outcome: Outcome) -> str:
    """The one finding."""
    (found,) = outcome.findings.kept
    return f"{found.code} {found.place}"


# -- going on


class InterruptedRunError(Exception):
    """Stands for Ctrl-C."""


def interrupt(log: WrittenLog, state: StateFile, after: int) -> None:
    seen: list[int] = []

    def stop(_done: int, _size: int) -> None:
        seen.append(1)
        if len(seen) > after:
            raise InterruptedRunError

    with pytest.raises(InterruptedRunError):
        Fsck(subject_of(log), clock=log.clock, sleep=lambda _s: None, on_progress=stop).run(
            state=state
        )


def resume(log: WrittenLog, state: StateFile) -> Outcome:
    return Fsck(subject_of(log), clock=log.clock, sleep=lambda _s: None).run(
        state=state, resume=True
    )


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vermilion_ledger.fsck.run._CHUNK", 256)


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupted_run_goes_on_and_keeps_what_it_found(
    log: WrittenLog, tmp_path: Path
) -> None:
    path = log.folder / "log/tile/0/000"
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    state = StateFile(tmp_path / "state")
    interrupt(log, state, 1)

    outcome = resume(log, state)

    assert outcome.resumed_from == 256
    assert only(outcome) == "fsck.file-differs tile/0/000 byte 0 (entry 0)"
    assert state.load() is None


@pytest.mark.usefixtures("small_chunks")
def test_a_run_goes_on_at_its_own_horizon_when_the_log_has_grown(
    log: WrittenLog, tmp_path: Path
) -> None:
    state = StateFile(tmp_path / "state")
    interrupt(log, state, 1)
    log.start()
    log.register(500)
    log.publisher.publish()
    log.sequencer.release()

    outcome = resume(log, state)

    assert outcome.resumed_from == 256
    assert texts(outcome) == []


@pytest.mark.usefixtures("small_chunks")
def test_progress_of_another_log_is_not_believed(
    log: WrittenLog, filled: Path, tmp_path: Path
) -> None:
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = open_log(other_folder)
    fill(other, 520)
    other.sequencer.release()
    state = StateFile(tmp_path / "state")
    interrupt(other, state, 1)
    other.database.close()

    outcome = resume(log, state)

    assert outcome.resumed_from == 0
    assert texts(outcome) == []


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("change", ["edge", "done", "size", "root", "nothing", "not json"])
def test_progress_that_does_not_hold_is_not_believed(
    log: WrittenLog, tmp_path: Path, change: str
) -> None:
    state = StateFile(tmp_path / "state")
    interrupt(log, state, 1)
    kept = state.load()
    assert kept is not None
    if change == "nothing":
        (tmp_path / "state").unlink()
    elif change == "not json":
        (tmp_path / "state").write_text("{")
    else:
        other = {
            "edge": (*kept.edge[:-1], bytes(32)),
            "done": 512,
            "size": kept.size - 1,
            "root": secret("other"),
        }[change]
        state.save(replace(kept, **{change: other}))  # type: ignore[arg-type]

    outcome = resume(log, state)

    assert outcome.resumed_from == 0
    assert texts(outcome) == []


def test_a_state_that_cannot_be_kept_ends_the_run(log: WrittenLog, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        Fsck(subject_of(log), clock=log.clock, sleep=lambda _s: None).run(
            state=StateFile(tmp_path / "nothing" / "state")
        )

    assert caught.value.code == "home.unusable"


# -- a part


def test_the_same_seed_chooses_the_same_bundles(log: WrittenLog) -> None:
    first, second = (check_sample(subject_of(log), 0.4, seed=1, clock=log.clock) for _ in range(2))

    assert first == second
    assert (first.bundle_count, first.chosen_count) == (3, 2)
    assert first.findings.kept == []


def test_a_chosen_bundle_is_followed_up_to_the_root(log: WrittenLog) -> None:
    path = log.folder / "log/tile/1/000.p/2"
    path.write_bytes(bytes(32) + path.read_bytes()[32:])

    sample = check_sample(subject_of(log), 1.0, seed=1, clock=log.clock)

    assert sorted(f"{each.code} {each.place}" for each in sample.findings.kept) == [
        "fsck.file-differs tile/1/000.p/2 byte 0 (entry 0)",
        f"fsck.root-differs size={sample.size}",
    ]


def test_a_tree_without_its_edge_has_no_root(log: WrittenLog) -> None:
    shutil.rmtree(log.folder / "log/tile/1")

    sample = check_sample(subject_of(log), 0.01, seed=1, clock=log.clock)

    assert "fsck.root-differs" in {each.code for each in sample.findings.kept}


def test_a_head_of_others_is_compared_in_a_part_too(log: WrittenLog) -> None:
    other = ObservedHead(size=200, root=bytes(32), source="chain 1")

    sample = check_sample(subject_of(log), 0.01, seed=1, clock=log.clock, observed=[other])

    assert [each.place for each in sample.findings.kept] == ["size=200"]
