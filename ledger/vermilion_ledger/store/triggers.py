"""Append-only, enforced by the database itself.

Insert-only tables refuse UPDATE and DELETE (PostgreSQL: TRUNCATE too). A row
may leave the queue only once its submission is an entry or a refusal, so that
nothing acknowledged can get lost; head and lease never go back. Whoever owns
the database can take triggers away: that is what the checks at the start of
the sequencer, the chain and the witnesses are for.

These statements belong to migrations and do not change after a release: those of
`append_only_triggers` and `kept_triggers` to each one that makes a table, those about
erasing to 0005, `offered_triggers` to 0006, the others to 0001.

The way around them is narrow. Rows of erasable tables can be deleted while
``erasing.closed`` is 0, and that value cannot be committed: it refers to a head that
is never there. So a deletion happens in a transaction of `vermilion_ledger.store.erasing`
or not at all; in PostgreSQL only the owner may write that row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vermilion_ledger.store.faults import APPEND_ONLY, APPEND_ONLY_STATE

__all__ = [
    "append_only_triggers",
    "erasable_triggers",
    "erasing_triggers",
    "kept_triggers",
    "offered_triggers",
    "postgres_triggers",
    "sqlite_triggers",
]

_REFUSE = f"RAISE EXCEPTION '{APPEND_ONLY}: %', TG_TABLE_NAME USING ERRCODE = '{APPEND_ONLY_STATE}'"
_NEVER_BACK = (
    ("head", "NEW.size < OLD.size OR NEW.epoch < OLD.epoch"),
    ("lease", "NEW.epoch < OLD.epoch"),
)
_EVERYTHING = "UPDATE OR DELETE OR TRUNCATE"
_CLOSED = "NOT EXISTS (SELECT 1 FROM erasing WHERE closed = 0)"
_LOST = (
    "SELECT 1 FROM gone"
    " WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.position = gone.position)"
    " AND NOT EXISTS (SELECT 1 FROM refusals r WHERE r.position = gone.position)"
)


def append_only_triggers(dialect: str, table: str) -> Iterator[str]:
    """Yield the statements that keep the rows of one table as they were inserted.

    On PostgreSQL the function that refuses is there since migration 0001.
    """
    if dialect == "sqlite":
        for action in ("UPDATE", "DELETE"):
            yield _sqlite_trigger(f"{table}_no_{action.lower()}", f"{action} ON {table}", table)
    else:
        yield from _postgres_trigger(table, "append_only", f"BEFORE {_EVERYTHING}", "STATEMENT")


def kept_triggers(dialect: str, table: str) -> Iterator[str]:
    """Yield the statements that let the rows of one table change, but never go away."""
    if dialect == "sqlite":
        yield _sqlite_trigger(f"{table}_no_delete", f"DELETE ON {table}", table)
    else:
        yield from _postgres_trigger(table, "append_only", "BEFORE DELETE OR TRUNCATE", "STATEMENT")


def erasing_triggers(dialect: str) -> Iterator[str]:
    """Yield the statements that keep the row of ``erasing`` where it is, and open the way."""
    yield from kept_triggers(dialect, "erasing")
    if dialect == "sqlite":
        return
    yield _function("vermilion_refuse_closed", f"IF {_CLOSED} THEN {_REFUSE}; END IF; RETURN NULL;")
    gone = "SELECT 1 FROM gone WHERE leaf_index NOT IN (SELECT leaf_index FROM erased)"
    yield _function(
        "vermilion_refuse_gap", f"IF EXISTS ({gone}) THEN {_REFUSE}; END IF; RETURN NULL;"
    )


def erasable_triggers(dialect: str, table: str) -> Iterator[str]:
    """Yield the statements that let rows of an append-only table go while erasing is open.

    A row of ``entries`` goes only if its place is in ``erased`` already, and a
    row of ``erased`` comes only while erasing is open.
    """
    if dialect == "sqlite":
        yield f"DROP TRIGGER {table}_no_delete"
        lost = "leaf_index NOT IN (SELECT leaf_index FROM erased)"
        guard = f"{_CLOSED} OR OLD.{lost}" if table == "entries" else _CLOSED
        yield _sqlite_trigger(f"{table}_no_delete", f"DELETE ON {table} WHEN {guard}", table)
        if table == "erased":
            yield _sqlite_trigger("erased_no_insert", f"INSERT ON erased WHEN {_CLOSED}", table)
        return
    yield f"DROP TRIGGER {table}_append_only ON {table}"
    yield from _postgres_trigger(table, "append_only", "BEFORE UPDATE OR TRUNCATE", "STATEMENT")
    when = "BEFORE INSERT OR DELETE" if table == "erased" else "BEFORE DELETE"
    refuse = "vermilion_refuse_closed"
    yield from _postgres_trigger(table, "closed", when, "STATEMENT", function=refuse)
    if table == "entries":
        yield (
            "CREATE TRIGGER entries_no_gap AFTER DELETE ON entries REFERENCING OLD TABLE AS gone"
            " FOR EACH STATEMENT EXECUTE FUNCTION vermilion_refuse_gap()"
        )
        yield "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_no_gap"


def offered_triggers(dialect: str) -> Iterator[str]:
    """Yield the statements that let ``offered_at`` of a block rise, and nothing else change."""
    fixed = ("chain_id", "hash", "number", "header", "time")
    if dialect == "sqlite":
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in fixed)
        yield "DROP TRIGGER blocks_no_update"
        when = f"UPDATE ON blocks WHEN {changed} OR NEW.offered_at < OLD.offered_at"
        yield _sqlite_trigger("blocks_no_update", when, "blocks")
        return
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in fixed)
    yield "DROP TRIGGER blocks_append_only ON blocks"
    yield from _postgres_trigger("blocks", "append_only", "BEFORE DELETE OR TRUNCATE", "STATEMENT")
    back = f"WHEN ({changed} OR NEW.offered_at < OLD.offered_at)"
    yield from _postgres_trigger("blocks", "never_back", "BEFORE UPDATE", "ROW", back)


def sqlite_triggers(insert_only: Sequence[str]) -> Iterator[str]:
    """Yield the statements that guard a SQLite database."""
    for table in insert_only:
        yield from append_only_triggers("sqlite", table)
    for table, back in _NEVER_BACK:
        yield _sqlite_trigger(f"{table}_no_delete", f"DELETE ON {table}", table)
        yield _sqlite_trigger(f"{table}_never_back", f"UPDATE ON {table} WHEN {back}", table)
    yield _sqlite_trigger("queue_no_update", "UPDATE ON queue", "queue")
    yield _sqlite_trigger(
        "queue_no_loss",
        "DELETE ON queue"
        " WHEN NOT EXISTS (SELECT 1 FROM entries WHERE position = OLD.position)"
        " AND NOT EXISTS (SELECT 1 FROM refusals WHERE position = OLD.position)",
        "queue",
    )


def postgres_triggers(insert_only: Sequence[str]) -> Iterator[str]:
    """Yield the statements that guard a PostgreSQL database.

    ``ENABLE ALWAYS`` keeps a session from passing by as a replication replica.
    """
    yield _function("vermilion_refuse", f"{_REFUSE};")
    yield _function(
        "vermilion_refuse_loss",
        f"IF EXISTS ({_LOST}) THEN {_REFUSE}; END IF; RETURN NULL;",
    )
    for table in insert_only:
        yield from append_only_triggers("postgresql", table)
    for table, back in _NEVER_BACK:
        yield from _postgres_trigger(table, "append_only", "BEFORE DELETE OR TRUNCATE", "STATEMENT")
        yield from _postgres_trigger(table, "never_back", "BEFORE UPDATE", "ROW", f"WHEN ({back})")
    yield from _postgres_trigger("queue", "append_only", "BEFORE UPDATE OR TRUNCATE", "STATEMENT")
    yield (
        "CREATE TRIGGER queue_no_loss AFTER DELETE ON queue REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION vermilion_refuse_loss()"
    )
    yield "ALTER TABLE queue ENABLE ALWAYS TRIGGER queue_no_loss"


def _sqlite_trigger(name: str, when: str, table: str) -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {when}"
        f" BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}: {table}'); END"
    )


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$"


def _postgres_trigger(
    table: str,
    name: str,
    when: str,
    each: str,
    condition: str = "",
    function: str = "vermilion_refuse",
) -> Iterator[str]:
    yield (
        f"CREATE TRIGGER {table}_{name} {when} ON {table} FOR EACH {each} {condition}"
        f" EXECUTE FUNCTION {function}()"
    )
    yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}"
