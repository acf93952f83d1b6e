"""Databases for everything below."""

from tests.service.databases import database, database_url, migrated_sqlite, sqlite, sqlite_url

__all__ = ["database", "database_url", "migrated_sqlite", "sqlite", "sqlite_url"]
