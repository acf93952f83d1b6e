"""Brings a database to the newest schema with the Alembic scripts in `migrations/`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade(database_url: str) -> None:
    """Create or upgrade the schema; a database that is already there is left as it is."""
    command.upgrade(_config(database_url), "head")


def is_current(session: Session) -> bool:
    """Whether the database has the schema that this code expects."""
    found = MigrationContext.configure(session.connection()).get_current_heads()
    return set(found) == set(ScriptDirectory(str(MIGRATIONS)).get_heads())


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["database_url"] = database_url
    return config
