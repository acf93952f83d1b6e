"""Stored models."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from service.errors import NotFound
from service.store import blobs, models
from service.store.tenants import DEFAULT_TENANT
from tests.service.rows import add_model, count, read, write


def test_a_model_comes_back_with_its_weights_and_their_hash(database):
    model_id = write(database, add_model, weights=b"abc", lineage={"seed": 7}).id
    with database.reading() as session:
        row = models.get(session, DEFAULT_TENANT, model_id)
        assert blobs.read(session, DEFAULT_TENANT, row.weights_id) == b"abc"
        assert row.lineage == {
            "seed": 7,
            "weights_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        }


def test_an_unknown_model_is_not_found(database):
    for look_up in (models.get, models.remove):
        with pytest.raises(NotFound, match="There is no model 'model_0'. List them with GET"):
            write(database, look_up, DEFAULT_TENANT, "model_0")


def test_a_removed_model_takes_its_weights_along(database):
    model_id = write(database, add_model).id
    write(database, models.remove, DEFAULT_TENANT, model_id)
    assert count(database, "models", "blobs", "blob_chunks") == [0, 0, 0]


def test_imported_models_have_no_job_and_there_may_be_many(database):
    ids = {write(database, add_model).id for _ in range(2)}
    assert {row.id for row in read(database, models.page, DEFAULT_TENANT, None, 9).items} == ids


def test_weights_that_a_model_needs_cannot_be_removed(database):
    model = write(database, add_model)
    with pytest.raises(IntegrityError):
        write(database, blobs.remove, DEFAULT_TENANT, model.weights_id)
