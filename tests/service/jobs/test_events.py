"""The stream of a job's events."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.dependencies import Caller
from service.jobs.events import stream_events
from service.store import events, jobs, leases
from service.store.checkpoints import Progress
from service.store.tenants import DEFAULT_TENANT
from tests.service.jobs.leaves import job
from tests.service.problem import mistakes_of
from tests.service.rows import add_job, claim, epoch, succeed, write


@pytest.fixture
def finished(client, leaves, stored):
    """The id of a job that ran to its end: queued, running, two epochs, succeeded."""
    job_id = client.post("/v1/jobs", json=job(leaves)).json()["id"]
    claimed = write(stored, claim)
    write(stored, leases.record_epochs, claimed, [epoch(1), epoch(2)])
    write(stored, succeed, claimed)
    return job_id


def stream(client, job_id, **headers):
    """The events of a stream that has ended: (id, name, data)."""
    response = client.get(f"/v1/jobs/{job_id}/events", headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in response.text.strip().split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines() if not line.startswith(":")]
        fields = {name: value for name, _, value in lines}
        if fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def test_a_stream_tells_everything_from_the_start_and_ends_with_the_job(client, finished):
    assert stream(client, finished) == [
        (1, "status", {"status": "queued"}),
        (2, "status", {"status": "running", "attempt": 1}),
        (3, "epoch", {"epoch": 1, "step": 10, "loss": 0.5, "learning_rate": 0.1}),
        (4, "epoch", {"epoch": 2, "step": 20, "loss": 0.5, "learning_rate": 0.1}),
        (5, "status", {"status": "succeeded"}),
    ]


@pytest.mark.parametrize("last", range(6))
def test_a_stream_resumes_after_the_last_event_that_was_seen(client, finished, last):
    found = stream(client, finished, **{"Last-Event-ID": str(last)})
    assert [number for number, _, _ in found] == list(range(last + 1, 6))


def test_an_event_that_does_not_exist_yet_leaves_nothing_to_send(client, finished):
    assert stream(client, finished, **{"Last-Event-ID": "99"}) == []


@pytest.mark.parametrize("last", ["oak", "-1", "1.5", "9" * 30, "²"])
def test_a_wrong_last_event_is_refused_before_the_stream_begins(client, finished, last):
    headers = {"Last-Event-ID": last.encode("latin-1")}
    response = client.get(f"/v1/jobs/{finished}/events", headers=headers)
    assert mistakes_of(response) == {
        "": "Last-Event-ID must be the id of an event of this job, a whole number"
    }


def test_a_stream_that_is_longer_than_a_page_is_complete(client, stored, finished):
    row = write(stored, add_job)
    numbers = [{"number": number} for number in range(1200)]
    write(stored, events.append, DEFAULT_TENANT, row.id, "log", *numbers)
    client.post(f"/v1/jobs/{row.id}/cancel")
    assert [number for number, _, _ in stream(client, row.id)] == list(range(1, 1203))


def test_a_stream_follows_a_running_job_to_its_end(client, stored):
    row = write(stored, add_job)
    with ThreadPoolExecutor(1) as threads:
        streamed = threads.submit(stream, client, row.id)
        claimed = write(stored, claim)
        write(stored, leases.beat, claimed, 60, Progress(1, 5, 10))
        write(stored, leases.record_epochs, claimed, [epoch(1)])
        write(stored, leases.log, claimed, "nearly there")
        assert not streamed.done()
        write(stored, succeed, claimed)
        found = streamed.result(timeout=30)
    assert [name for _, name, _ in found] == [
        "status",
        "status",
        "progress",
        "epoch",
        "log",
        "status",
    ]
    assert found[2][2] == {"epoch": 1, "epochs": 3, "step": 5, "steps": 30}


def test_a_stream_tells_that_a_job_pauses_and_stays_open_until_it_ends(client, stored):
    row = write(stored, add_job)
    with ThreadPoolExecutor(1) as threads:
        streamed = threads.submit(stream, client, row.id)
        claimed = write(stored, claim)
        assert client.post(f"/v1/jobs/{row.id}/pause").json()["status"] == "running"
        write(stored, leases.checkpoint, claimed, Progress(1, 4, 10), b"state")
        write(stored, leases.release, claimed)
        assert not streamed.done()
        client.post(f"/v1/jobs/{row.id}/resume")
        client.post(f"/v1/jobs/{row.id}/pause")
        client.post(f"/v1/jobs/{row.id}/cancel")
        found = streamed.result(timeout=30)
    assert [data for _, name, data in found if name == "status"] == [
        {"status": "queued"},
        {"status": "running", "attempt": 1},
        {"status": "paused"},
        {"status": "queued"},
        {"status": "paused"},
        {"status": "cancelled"},
    ]
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1))


def test_a_stream_ends_when_the_job_is_deleted(stored):
    row = write(stored, add_job)

    async def follow():
        stream = stream_events(row.id, Caller(DEFAULT_TENANT), stored, 0)
        first = await anext(stream)
        write(stored, jobs.cancel, DEFAULT_TENANT, row.id)
        write(stored, jobs.remove, DEFAULT_TENANT, row.id)
        return [first, *[each async for each in stream]]

    assert [each.data for each in asyncio.run(follow())] == [{"status": "queued"}]
