"""Alembic scripts: the history of the schema, the same on SQLite and PostgreSQL."""
