"""Where the time of a workload goes: looks at every thread's stack again and again.

python -m benchmarks.training.ours_profile --measure DOCUMENT --what train

The running code is not changed: a thread of this process reads `sys._current_frames` and counts,
for each thread at work, the innermost function of nncore and its line. The time of a NumPy call
belongs to the line that makes it.
"""

from __future__ import annotations

import argparse
import json
import linecache
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

import nncore
from benchmarks.training.ours import train
from benchmarks.training.processes import Line
from benchmarks.training.timing import Clock, repeated
from benchmarks.training.workloads import Workload

_PACKAGE = str(Path(nncore.__file__).parent)
_SHOWN = 12
_EVERY = 0.001

Place = tuple[str, str, int]


class Sampler(threading.Thread):
    """Counts where the other threads are; enter it around what is to be looked at."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.places: Counter[Place] = Counter()
        self.waiting = self.looks = 0
        self._done = threading.Event()

    def __enter__(self) -> Sampler:
        # A thread that runs Python alone gives way this often, so that it is seen too.
        sys.setswitchinterval(_EVERY / 10)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        """Look until it is enough."""
        while not self._done.wait(_EVERY):
            self.looks += 1
            for thread, frame in sys._current_frames().items():
                if thread != self.ident:
                    self._count(frame)

    def _count(self, innermost: FrameType) -> None:
        place = _place(innermost)
        if place is None:
            return
        if Path(innermost.f_code.co_filename).name in ("threading.py", "_base.py", "thread.py"):
            self.waiting += 1
        else:
            self.places[place] += 1

    def line(self) -> Line:
        """Shares of the time at work, by function, with the busiest line of each."""
        total = max(1, sum(self.places.values()))
        functions: Counter[tuple[str, str]] = Counter()
        for (file, function, _), count in self.places.items():
            functions[file, function] += count
        shown = [
            {"where": f"{_short(file)} {function}", "share": round(count / total, 4)}
            | self._busiest(file, function)
            for (file, function), count in functions.most_common(_SHOWN)
        ]
        threads = round(total / max(1, self.looks), 2)
        return {"looks": self.looks, "threads_at_work": threads, "functions": shown}

    def _busiest(self, file: str, function: str) -> Line:
        lines = {
            number: count
            for (where, name, number), count in self.places.items()
            if (where, name) == (file, function)
        }
        number = max(lines, key=lines.__getitem__)
        share = lines[number] / sum(lines.values())
        return {"line": linecache.getline(file, number).strip(), "of_it": round(share, 2)}


def _place(frame: FrameType | None) -> Place | None:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_PACKAGE):
            return frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lineno
        frame = frame.f_back
    return None


def _short(file: str) -> str:
    return str(Path(file).relative_to(_PACKAGE))


def main() -> None:
    """Look at one workload's training or inference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", required=True, help="a workload, as in workloads.json")
    parser.add_argument("--what", choices=("train", "infer"), default="train")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--shards", type=int)
    told = parser.parse_args()
    workload = Workload(json.loads(told.measure))
    network = workload.network
    if told.what == "train":
        with Sampler() as sampler:
            train(workload, network, Clock(told.seconds), told.shards)
    else:
        params, (x, _) = network.init(seed=0), workload.examples(workload.batch)
        with Sampler() as sampler:
            repeated(lambda: network.predict(params, x), told.seconds)
    print(json.dumps(sampler.line()))


if __name__ == "__main__":
    main()
