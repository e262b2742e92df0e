"""Runs migrations on the connection that `vermilion_ledger.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from vermilion_ledger.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite too: a migration happens whole or not at all
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
