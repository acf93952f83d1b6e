"""Clients that never let go of the API: every answer is timed and judged."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from tests.faults import jobs
from tests.faults.stack import Stack

ANSWER_SECONDS = 5.0  # which no answer may take, whatever is broken
GIVE_UP_SECONDS = 60.0
CLIENTS = 4
JOBS = 6  # of all clients together; what they do besides is reading


class Hammer:
    """Submits jobs with keys, each until it is accepted, and reads, from several threads."""

    def __init__(self, stack: Stack, rng: random.Random) -> None:
        self.accepted: dict[str, str] = {}  # the job of each key
        self.violations: list[str] = []
        self.longest = 0.0
        self.refused = 0
        self._spec = jobs.SPECS["short"] | {"dataset_id": jobs.dataset(stack)}
        self._url = stack.service.client.base_url
        prefix = f"{rng.getrandbits(64):x}"
        self._keys: Iterator[str] = iter([f"{prefix}-{n}" for n in range(JOBS)])
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def jobs(self) -> list[str]:
        """Every job that was answered with 202."""
        return sorted(set(self.accepted.values()))

    def note(self) -> str:
        """How it went, in a few words."""
        return f"{self.refused} times 503, longest answer {self.longest:.2f} s"

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as client:
            for turn in itertools.count():
                key = next(self._keys, None) if turn % 8 == 0 else None
                if key is not None:
                    self._submit(client, key)
                elif self._over.is_set():
                    return
                else:
                    self._ask(client, "GET", "/v1/jobs")
                time.sleep(0.02)

    def _submit(self, client: httpx.Client, key: str) -> None:
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        headers = {"Idempotency-Key": key}
        while time.monotonic() < give_up_at:
            answer = self._ask(
                client, "POST", "/v1/jobs", json=self._spec | {"name": key}, headers=headers
            )
            if answer is not None and answer.status_code == 202:
                self.accepted[key] = answer.json()["id"]
                return
            time.sleep(0.1)
        self.violations.append(f"{key} was not accepted within {GIVE_UP_SECONDS:g} s")

    def _ask(
        self, client: httpx.Client, method: str, path: str, **request: Any
    ) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = client.request(method, path, **request)
        except httpx.TransportError as problem:
            self.violations.append(f"{method} {path}: {problem!r}")
            return None
        seconds = time.monotonic() - began
        self.longest = max(self.longest, seconds)
        what = f"{method} {path}: {answer.status_code} after {seconds:.2f} s"
        if seconds > ANSWER_SECONDS:
            self.violations.append(what)
        if answer.status_code == 503:
            self.refused += 1
            if "Retry-After" not in answer.headers:
                self.violations.append(f"{what}, without Retry-After")
        elif answer.status_code not in (200, 202):
            self.violations.append(f"{what}: {answer.text[:300]}")
        return answer
