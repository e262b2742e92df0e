"""SQLite's locks belong to the process: nothing of ours may drop them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from vermilion_ledger.store.engine import open_engine

_VISIT = """
import sqlite3, sys
visitor = sqlite3.connect(sys.argv[1])
visitor.execute("INSERT INTO entries VALUES ('theirs')")
visitor.commit()
visitor.close()
"""


def test_a_visitor_does_not_take_the_write_ahead_log_away(tmp_path: Path) -> None:
    """It is deleted by the last one to close, and that is not whoever comes by."""
    path = tmp_path / "ledger.db"
    engine = open_engine(f"sqlite:///{path}")
    with engine.connect() as first:
        first.exec_driver_sql("CREATE TABLE entries (name TEXT)")
        first.commit()
        second = engine.connect()  # another of the pool, while the first has its lock
        second.exec_driver_sql("SELECT 1")
        second.commit()
        before = path.with_name("ledger.db-wal").stat().st_ino

        subprocess.run([sys.executable, "-c", _VISIT, str(path)], check=True, timeout=120)

        assert path.with_name("ledger.db-wal").stat().st_ino == before
        first.exec_driver_sql("INSERT INTO entries VALUES ('ours')")
        first.commit()
        found = {row[0] for row in second.exec_driver_sql("SELECT name FROM entries")}
        assert found == {"ours", "theirs"}
        second.close()
    engine.dispose()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (2,)
    connection.close()


def test_a_fresh_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    engine = open_engine(f"sqlite:///{path}")
    with engine.connect():
        assert path.stat().st_mode & 0o777 == 0o600
    engine.dispose()
