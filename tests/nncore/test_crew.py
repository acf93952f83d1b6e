"""Members of a crew work together, fail in good order, and can be sent home."""

import os
import threading

import pytest

from nncore.crew import Crew


def whoever(_):
    return threading.current_thread()


def test_each_part_is_done_by_its_member_and_results_come_in_order():
    crew, meeting = Crew(3), threading.Barrier(3)

    def work(place):
        meeting.wait(60)
        return place, threading.get_ident()

    first, second = crew.run(work, 3), crew.run(work, 3)
    assert [place for place, _ in first] == [0, 1, 2]
    assert first == second
    assert first[0][1] == threading.get_ident()
    crew.close()


def test_fewer_parts_than_members_are_fine():
    crew = Crew(4)
    assert crew.run(lambda place: place, 2) == [0, 1]
    assert crew.run(lambda place: place, 1) == [0]
    crew.close()


def test_the_error_is_that_of_the_part_that_failed_by_itself():
    crew = Crew(3)

    def work(place):
        raise ValueError("mine") if place == 2 else threading.BrokenBarrierError

    with pytest.raises(ValueError, match="mine"):
        crew.run(work, 3)
    assert crew.run(lambda place: -place, 3) == [0, -1, -2]
    crew.close()


def test_members_keep_to_processors_of_their_own_while_they_work():
    before = os.sched_getaffinity(0)
    first, second = Crew(2), Crew(2)
    for crew in (first, second, first):
        own, other = crew.run(lambda _: os.sched_getaffinity(0), 2)
        assert own | other == before
        assert len(before) == 1 or not own & other
        assert os.sched_getaffinity(0) == before
    first.close()
    second.close()


def test_a_closed_crew_leaves_no_thread_and_may_start_again():
    crew = Crew(2)
    (_, thread) = crew.run(whoever, 2)
    crew.close()
    thread.join(60)
    assert not thread.is_alive()
    assert crew.run(lambda place: place, 2) == [0, 1]
    crew.close()


def test_a_forgotten_crew_ends_its_threads():
    crew = Crew(2)
    (_, thread) = crew.run(whoever, 2)
    del crew
    thread.join(60)
    assert not thread.is_alive()
