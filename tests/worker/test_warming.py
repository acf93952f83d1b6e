"""A child that is forked from a warm parent has nothing left to load for its first job."""

from __future__ import annotations

import subprocess
import sys

FIRST_JOB = """
import sys, threading
from worker.warming import warm_up

warm_up()
assert threading.active_count() == 1, "a child would not have the parent's threads"
warm = set(sys.modules)
from nncore import Network, TrainingConfig

layers = [{"type": "conv2d", "filters": 2, "kernel_size": 3}, {"type": "flatten"},
          {"type": "dense", "units": 2, "activation": "gelu", "kernel_initializer": "he_normal"}]
Network.from_spec({"input": {"shape": [8, 8, 1]}, "layers": layers}).to_spec()
TrainingConfig.parse({"optimizer": {"type": "lion"}, "schedule": {"type": "cosine"}})
print(sorted(set(sys.modules) - warm))
"""


def test_whatever_a_spec_may_name_is_loaded_in_the_parent():
    command = [sys.executable, "-c", FIRST_JOB]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
