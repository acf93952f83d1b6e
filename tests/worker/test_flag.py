"""A flag that processes share."""

from __future__ import annotations

import os

from worker.flag import Flag


def test_a_forked_child_sees_it_and_is_seen():
    flag = Flag()
    assert not flag.is_set()
    child = os.fork()
    if child == 0:
        flag.set()
        os._exit(0)
    os.waitpid(child, 0)
    assert flag.is_set()
