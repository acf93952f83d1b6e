"""The limit on what a job may grow by."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading

import numpy as np
import pytest

from nncore.crew import Crew
from worker.memory import limited

MIB = 2**20
# A process of its own: in this one, BLAS has the buffers that earlier tests made it take.
PRODUCTS = """
import sys, threading
import numpy as np
from worker.memory import limited

x = np.ones((512, 512), np.float32)
together = threading.Barrier(2)

def multiply():
    together.wait()
    for _ in range(20):
        x @ x

threads = [threading.Thread(target=multiply) for _ in range(2)]
with limited(28 * 2**20, threads=2):  # the threads' stacks fit, a buffer of BLAS does not
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("done")
"""


def test_more_than_the_limit_is_refused_and_less_is_not():
    with limited(200 * MIB):
        np.zeros(50 * MIB, np.uint8)
        with pytest.raises(MemoryError):
            np.zeros(400 * MIB, np.uint8)


def test_the_limit_ends_with_the_block_however_it_ends():
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), limited(MIB):
        raise MemoryError
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_crew_whose_thread_finds_no_room_lacks_memory():
    usual = threading.stack_size(512 * MIB)
    crew = Crew(2)
    try:
        with limited(64 * MIB), pytest.raises(MemoryError, match="no thread for shard 1"):
            crew.run(lambda place: place, 2)
    finally:
        threading.stack_size(usual)
    assert crew.run(lambda place: place, 2) == [0, 1]
    crew.close()


def test_blas_has_its_buffers_before_the_limit_and_so_never_ends_the_process():
    command = [sys.executable, "-c", PRODUCTS]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr
