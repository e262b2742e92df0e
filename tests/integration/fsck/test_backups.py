"""A restored backup is correct or refused, never a fork; `make restore` does it 100 times."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from postgres import PostgresServer, find_postgres
from restore_kit import Case, PostgresDatabases, SqliteDatabases, collect, run_case

MIXTURES = [
    Case(is_head_separate=separate, is_log_old=log, are_tiles_old=tiles, is_head_old=head)
    for separate, log, tiles, head in itertools.product((False, True), repeat=4)
    if separate or not head
]


@pytest.mark.parametrize("case", MIXTURES, ids=str)
def test_no_mixture_of_old_and_new_parts_forks_the_log(case: Case, tmp_path: Path) -> None:
    outcome, fork = run_case(case, tmp_path, SqliteDatabases(), seed=7)

    assert fork == ""
    assert outcome != "forked"


def test_what_survived_whole_goes_on(tmp_path: Path) -> None:
    case = Case(is_head_separate=True, is_log_old=False, are_tiles_old=False, is_head_old=False)

    assert run_case(case, tmp_path, SqliteDatabases(), seed=1) == ("correct", "")


def test_an_old_database_beside_the_head_that_survived_signs_nothing(tmp_path: Path) -> None:
    case = Case(is_head_separate=True, is_log_old=True, are_tiles_old=True, is_head_old=False)

    outcome, fork = run_case(case, tmp_path, SqliteDatabases(), seed=2)

    assert (outcome, fork) == ("refused: log.behind-head", "")


def test_random_restores_of_postgresql_do_not_fork(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    programs = find_postgres()
    if programs is None or not (programs / "pg_dump").exists():
        pytest.skip("pg_dump is not installed")

    found = collect(
        4, tmp_path, lambda: PostgresDatabases(postgres_server, programs), seed=20261121
    )

    assert found.forks == []
    assert sum(found.outcomes.values()) == 4
