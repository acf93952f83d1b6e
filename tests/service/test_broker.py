"""Ringing for the workers, with and without a broker that answers."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from service.broker import QUEUE, TASK, Bell


@pytest.fixture
def bell_for():
    bells = []

    def make(url):
        bells.append(Bell(url))
        return bells[-1]

    yield make
    for bell in bells:
        bell.close()


@pytest.fixture
def patient(monkeypatch):
    """A healthy broker may take its time on a busy machine."""
    monkeypatch.setattr("service.broker.TIMEOUT_SECONDS", 30)


@pytest.fixture
def silent_url():
    """A listener that accepts and then says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_a_ring_is_a_message_with_the_job_only(bell_for, redis_url, patient):
    assert bell_for(redis_url).ring("job_1")
    with redis.Redis.from_url(redis_url) as client:
        (message,) = client.lrange(QUEUE, 0, -1)
    assert json.loads(message)["headers"]["task"] == TASK
    assert json.loads(json.loads(message)["headers"]["argsrepr"].replace("'", '"')) == ["job_1"]


def test_a_broker_over_its_unix_socket_is_rung_too(bell_for, redis_server, patient):
    redis_server.flush()
    assert bell_for(f"redis+socket://{redis_server.socket}").ring("job_1")
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.llen(QUEUE) == 1


def test_a_broker_that_answers_is_said_to(bell_for, redis_url, patient):
    assert bell_for(redis_url).answers()


def test_a_broker_that_is_not_there_costs_no_time(bell_for, free_port):
    bell = bell_for(f"redis://127.0.0.1:{free_port}/0")
    began = time.monotonic()
    assert not bell.ring("job_1")
    assert not bell.answers()
    assert time.monotonic() - began < 20


def test_a_broker_that_says_nothing_holds_nobody_for_long(bell_for, silent_url):
    bell = bell_for(silent_url)
    began = time.monotonic()
    assert not bell.ring("job_1")
    assert not bell.answers()
    assert time.monotonic() - began < 15


def test_many_rings_of_a_broker_that_says_nothing_hold_nobody_longer_than_one(bell_for, silent_url):
    bell = bell_for(silent_url)
    began = time.monotonic()
    with ThreadPoolExecutor(40) as callers:
        assert not any(callers.map(bell.ring, ["job_1"] * 40))
        assert not any(callers.map(bell.ring, ["job_1"] * 400))
    assert time.monotonic() - began < 30


def test_a_broker_that_comes_back_is_rung_again(bell_for, redis_url, redis_server, patient):
    bell = bell_for(redis_url)
    assert bell.ring("job_1")
    with redis.Redis.from_url(redis_server.socket_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)
    assert bell.ring("job_2")
