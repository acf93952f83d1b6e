"""A job's events from the service, in order, none twice, across broken connections."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from service.cli.calls import client, problem, route, unreachable
from service.cli.failure import Refused

RECONNECTS = 10  # in a row, without an event between them
RECONNECT_SECONDS = 1.0


@dataclass(frozen=True)
class Event:
    """One server-sent event; `data` is its JSON."""

    id: str
    kind: str
    data: Any


def follow(url: str, job: str) -> Iterator[Event]:
    """Yield events until the service ends the stream; raises Refused."""
    last = ""
    failures = 0
    while True:
        try:
            for event in _stream(url, job, last):
                last, failures = event.id or last, 0
                yield event
            return
        except httpx.TransportError as error:
            failures += 1
            if failures > RECONNECTS or not last:
                raise unreachable(url, error) from error
            time.sleep(RECONNECT_SECONDS)


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """Server-sent events out of the lines of a stream; comments keep it alive and say nothing."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if line == "":
            if "data" in fields:
                kind = fields.get("event", "message")
                yield Event(fields.get("id", ""), kind, json.loads(fields["data"]))
            fields = {}
        elif name == "data" and "data" in fields:
            fields["data"] += "\n" + value.removeprefix(" ")
        elif name:
            fields[name] = value.removeprefix(" ")


def _stream(url: str, job: str, last: str) -> Iterator[Event]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    path = route("jobs", job, "events")
    with client(url) as connection, connection.stream("GET", path, headers=headers) as response:
        if not response.is_success:
            response.read()
            raise Refused(problem(response))
        yield from parse(response.iter_lines())
