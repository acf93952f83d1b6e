"""The API killed while it works on POSTs; each is repeated with its key until it is answered."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from typing import Any

import httpx
import psutil

from tests.faults import invariants, jobs
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.databases import once_each
from tests.faults.rings import LONG_LEASE
from tests.faults.stack import Setup, Stack
from tests.waiting import wait_until

KEYS = 6


def run(stack: Stack, rng: random.Random, _trial: int) -> Trial:
    """Send several POSTs at once, kill the API at a random instant, repeat them all."""
    wanted = jobs.undisturbed(stack, "short")
    spec = jobs.SPECS["short"] | {"dataset_id": jobs.dataset(stack)}
    keys = [f"{rng.getrandbits(64):x}" for _ in range(KEYS)]
    first: dict[str, str] = {}
    after = rng.uniform(0, 0.12)
    posts = [threading.Thread(target=_post, args=(stack, spec, key, first)) for key in keys]
    for post in posts:
        post.start()
    time.sleep(after)
    _kill_api(stack)
    began = time.monotonic()
    for post in posts:
        post.join()
    told = []
    accepted = {}
    for key in keys:
        answer = _repeat(stack, spec, key)
        if answer.status_code != 202:
            told.append(f"{key} repeated: {answer.status_code} {answer.text[:300]}")
            continue
        accepted[key] = answer.json()["id"]
        if first.get(key, accepted[key]) != accepted[key]:
            told.append(f"{key} was answered with {first[key]}, then with {accepted[key]}")
    seconds = time.monotonic() - began
    mine = sorted(accepted.values())
    if mine:
        jobs.finished(stack, mine)
    told += once_each(stack, accepted) + invariants.check(stack, mine, wanted)
    return Trial(told, f"{len(first)} of {KEYS} answered within {after * 1000:.0f} ms", seconds)


def _post(stack: Stack, spec: dict[str, Any], key: str, answers: dict[str, str]) -> None:
    url = stack.service.client.base_url
    with suppress(httpx.TransportError), httpx.Client(base_url=url, trust_env=False) as client:
        answer = client.post("/v1/jobs", json=spec | {"name": key}, headers=_headers(key))
        if answer.status_code == 202:
            answers[key] = answer.json()["id"]


def _repeat(stack: Stack, spec: dict[str, Any], key: str) -> httpx.Response:
    """The answer in the end: the first request may still wait in the socket for the next API."""

    def answer() -> httpx.Response | None:
        found = jobs.patiently(
            stack, "POST", "/v1/jobs", json=spec | {"name": key}, headers=_headers(key)
        )
        in_progress = found.status_code == 409 and "Retry-After" in found.headers
        return None if in_progress else found

    found = wait_until(answer, jobs.FINISH_SECONDS, f"{key} is answered", 0.1)
    assert found is not None
    return found


def _headers(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def _kill_api(stack: Stack) -> None:
    api = stack.api()
    assert api is not None, "the API runs"
    with suppress(psutil.NoSuchProcess):
        api.kill()


register(
    Campaign(
        name="submissions",
        title="API killed (`kill -9`) during POSTs with keys, which are repeated",
        count=200,
        few=1,
        run=run,
        setup=Setup(environment=LONG_LEASE),
    )
)
