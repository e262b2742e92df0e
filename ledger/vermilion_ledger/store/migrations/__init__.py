"""Alembic's environment and the numbered migrations, shipped with the package."""
