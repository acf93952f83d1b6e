"""Where the time of a workload goes: looks at every thread's stack again and again.

python -m benchmarks.training.ours_profile --measure DOCUMENT --what train

The running code is not changed: a thread of this process reads `sys._current_frames` (for tiny
steps a signal's handler reads the main thread's) and counts, for each thread at work, the innermost
function of nncore and its line. The time of a NumPy call belongs to the line that makes it.
"""

from __future__ import annotations

import argparse
import json
import linecache
import signal
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
_WAITING = ("threading.py", "thread.py", "_base.py", "queue.py")

Place = tuple[str, str, int]


class Sampler:
    """Counts where the threads are, from `start` to `stop`."""

    def __init__(self) -> None:
        self.places: Counter[Place] = Counter()
        self.looks = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look_often, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        # A thread that runs Python alone gives way this often, so that it is seen too.
        sys.setswitchinterval(_EVERY / 10)
        self._thread.start()

    def stop(self) -> None:
        """Enough."""
        self._done.set()
        self._thread.join()

    def _look_often(self) -> None:
        while not self._done.wait(_EVERY):
            self.looks += 1
            for thread, frame in sys._current_frames().items():
                if thread != self._thread.ident:
                    self.count(frame)

    def count(self, innermost: FrameType | None) -> None:
        """One thread's stack. Those that wait for others, or for work, do not count."""
        if innermost is None or Path(innermost.f_code.co_filename).name in _WAITING:
            return
        place = _place(innermost)
        if place is not None:
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


class Alarm(Sampler):
    """The same for steps of microseconds on the main thread, by a signal.

    There another thread would look only where the first one lets it.
    """

    def start(self) -> None:
        """Begin to look."""
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, _EVERY, _EVERY)

    def stop(self) -> None:
        """Enough."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, _: int, frame: FrameType | None) -> None:
        self.looks += 1
        self.count(frame)


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
    parser.add_argument("--tiny", action="store_true", help="steps take microseconds")
    told = parser.parse_args()
    workload = Workload(json.loads(told.measure))
    network = workload.network
    sampler = Alarm() if told.tiny else Sampler()
    if told.what == "train":
        train(workload, network, Clock(told.seconds, sampler.start), told.shards)
    else:
        params, (x, _) = network.init(seed=0), workload.examples(workload.batch)
        predictor = network.predictor(params, workload.batch, told.shards)
        predictor(x)
        sampler.start()
        repeated(lambda: predictor(x), told.seconds)
    sampler.stop()
    print(json.dumps(sampler.line()))


if __name__ == "__main__":
    main()
