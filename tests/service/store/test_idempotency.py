"""Remembered answers."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from service.store import idempotency
from service.store.idempotency import IdempotencyRow
from service.store.tenants import DEFAULT_TENANT
from tests.service.rows import read, write


def answer(location="/v1/jobs/job_1"):
    return IdempotencyRow(
        tenant=DEFAULT_TENANT,
        key="k",
        request_sha256="0" * 64,
        status=202,
        location=location,
        body={"id": "job_1", "metrics": {"loss": 0.5}},
    )


def test_an_answer_is_found_again(database):
    assert read(database, idempotency.find, DEFAULT_TENANT, "k") is None
    write(database, idempotency.record, answer())
    found = read(database, idempotency.find, DEFAULT_TENANT, "k")
    assert (found.status, found.location) == (202, "/v1/jobs/job_1")
    assert found.body == {"id": "job_1", "metrics": {"loss": 0.5}}


def test_a_key_is_answered_once(database):
    write(database, idempotency.record, answer())
    with pytest.raises(IntegrityError):
        write(database, idempotency.record, answer("/v1/jobs/job_2"))
    assert read(database, idempotency.find, DEFAULT_TENANT, "k").location == "/v1/jobs/job_1"
