"""Trying a server that may be away."""

from __future__ import annotations

import threading

import pytest

from service.store.outage import Outage, StillAwayError


@pytest.fixture
def away():
    outage = Outage()
    with pytest.raises(OSError, match="refused"), outage.trying():
        raise OSError("refused")
    return outage


@pytest.fixture
def being_tried(away):
    """Another thread is at it until the test ends."""
    began, over = threading.Event(), threading.Event()

    def attempt():
        with away.trying():
            began.set()
            over.wait(10)

    thread = threading.Thread(target=attempt)
    thread.start()
    began.wait(10)
    yield over
    over.set()
    thread.join()


def test_a_server_that_answers_is_called_by_everybody_at_once():
    outage = Outage()
    with outage.trying(), outage.trying():
        pass


def test_the_first_failure_is_told_as_it_is(away):
    with pytest.raises(OSError, match="still"), away.trying():
        raise OSError("still refused")


def test_while_one_tries_a_server_that_is_away_the_others_are_told_at_once(away, being_tried):
    with pytest.raises(StillAwayError, match="being tried"), away.trying():
        pytest.fail("this call is not to be made")


def test_a_server_that_is_back_is_called_by_everybody_again(away):
    with away.trying():
        pass
    with away.trying(), away.trying():
        pass
