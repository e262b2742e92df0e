"""Bringing a database to the schema of this release.

Alembic runs inside one write transaction, from scripts inside the package; no
ini file, no second connection. Of two processes that migrate at the same time
one does it: on SQLite the other waits for the write lock and finds nothing to
do, on PostgreSQL its transaction fails and it finds what it wanted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from vermilion_ledger.errors import EvidenceError, UnavailableError
from vermilion_ledger.store.engine import reading, writing

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["NEWEST_REVISION", "check_migrated", "migrate", "newest_revision", "stored_revision"]

NEWEST_REVISION = "0006"
"""What this release writes; a test compares it with the scripts.

Every process asks for it at its start, and only one in a release migrates:
Alembic is loaded when it is needed.
"""


def migrate(engine: Engine, revision: str = "head") -> None:
    """Migrate to a revision; returns after the durable commit.

    Raises:
        UnavailableError: ``store.newer-schema``: the database was written by a
            later release, or it is out of reach.
    """
    try:
        _upgrade(engine, revision)
    except EvidenceError:
        if revision != "head" or stored_revision(engine) != NEWEST_REVISION:
            raise


def newest_revision() -> str:
    """Return the revision of the newest script in the package."""
    from alembic.script import ScriptDirectory

    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101 -- the package ships its scripts
    return revision


def stored_revision(engine: Engine) -> str | None:
    """Return the revision of the database; None before the first migration."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def check_migrated(engine: Engine) -> None:
    """Refuse to work on a database of another release.

    Raises:
        UnavailableError: ``store.not-migrated``.
    """
    stored = stored_revision(engine)
    if stored != NEWEST_REVISION:
        raise UnavailableError(
            "store.not-migrated",
            f"the database is at revision {stored}, needed is {NEWEST_REVISION}",
        )


def _upgrade(engine: Engine, revision: str) -> None:
    from alembic import command
    from alembic.util import CommandError

    with writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as exc:
            raise UnavailableError(
                "store.newer-schema", f"the database is not of this release: {exc}"
            ) from exc


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
