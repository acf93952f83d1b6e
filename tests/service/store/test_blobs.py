"""Large bytes in chunks."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import text

from service.errors import Damaged
from service.store import blobs
from service.store.tenants import DEFAULT_TENANT
from tests.service.rows import count, read, write


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(blobs, "CHUNK_BYTES", 1000)


def stored(database, data):
    return write(database, blobs.write, DEFAULT_TENANT, data).id


def change(database, statement, blob_id):
    with database.writing() as session:
        assert session.execute(text(statement), {"id": blob_id}).rowcount == 1


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 12_345])
def test_bytes_come_back_as_they_were_written(database, size):
    data = secrets.token_bytes(size)
    assert read(database, blobs.read, DEFAULT_TENANT, stored(database, data)) == data


def test_a_chunk_is_never_larger_than_the_limit(database):
    stored(database, b"x" * 2500)
    with database.reading() as session:
        sizes = session.scalars(text("SELECT length(data) FROM blob_chunks ORDER BY number"))
        assert sizes.all() == [1000, 1000, 500]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM blob_chunks WHERE blob_id = :id AND number = 1",
        "UPDATE blob_chunks SET data = CAST('y' AS BLOB) WHERE blob_id = :id AND number = 0",
        "UPDATE blob_chunks SET number = 9 WHERE blob_id = :id AND number = 0",
    ],
    ids=["missing", "changed", "out of order"],
)
def test_damage_is_detected(database, damage):
    blob_id = stored(database, bytes(range(251)) * 10)
    kind = "BYTEA" if database.engine.dialect.name == "postgresql" else "BLOB"
    change(database, damage.replace("BLOB", kind), blob_id)
    with pytest.raises(Damaged, match=f"the bytes of blob {blob_id} do not match their SHA-256"):
        read(database, blobs.read, DEFAULT_TENANT, blob_id)


def test_a_missing_blob_is_damage_too(database):
    with pytest.raises(Damaged, match="blob blob_0 is missing"):
        read(database, blobs.read, DEFAULT_TENANT, "blob_0")


def test_a_removed_blob_leaves_no_chunk(database):
    kept, gone = stored(database, b"k" * 2000), stored(database, b"g" * 2000)
    write(database, blobs.remove, DEFAULT_TENANT, gone)
    assert count(database, "blobs", "blob_chunks") == [1, 2]
    assert read(database, blobs.read, DEFAULT_TENANT, kept) == b"k" * 2000


def test_nothing_of_a_blob_is_seen_when_its_transaction_fails(database):
    def write_and_fail(session):
        blobs.write(session, DEFAULT_TENANT, b"x" * 2500)
        raise KeyError

    with pytest.raises(KeyError):
        write(database, write_and_fail)
    assert count(database, "blobs", "blob_chunks") == [0, 0]
