"""nncore's side of data larger than memory: a memory-mapped array streamed through `fit`.

python -m benchmarks.training.ours_streaming --gib 4
"""

from __future__ import annotations

import argparse
import json
import mmap
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training.processes import Line
from benchmarks.training.timing import memory
from nncore import Network, fit

FEATURES = 4096
LOOKED_AT = 8
SPEC = {
    "input": {"shape": [FEATURES]},
    "layers": [{"type": "dense", "units": 32, "activation": "relu"}, {"type": "dense", "units": 1}],
}


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=4)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where the file lies")
    parser.add_argument("--shards", type=int, default=1)
    told = parser.parse_args()
    print(json.dumps(stream(told.gib, told.folder, told.shards)))


def stream(gib: float, folder: Path, shards: int) -> Line:
    """One shuffled epoch over a file of zeros that takes no room on the disk."""
    rows = int(gib * 2**30) // (4 * FEATURES)
    network = Network.from_spec(SPEC)
    params, targets = network.init(seed=0), np.zeros((rows, 1), np.float32)
    config = {"loss": "mean_squared_error", "batch_size": 256, "epochs": 1, "shards": shards}
    with tempfile.TemporaryFile(dir=folder) as file:
        file.truncate(rows * 4 * FEATURES)
        x = np.memmap(file, np.float32, "r", shape=(rows, FEATURES))
        pages: Any = x.base  # the mmap itself
        pages.madvise(mmap.MADV_RANDOM)
        seen: dict[str, list[float]] = {"RssAnon": [], "VmRSS": []}
        line: Line = {"gib": gib, "rows": rows, "before_mib": round(memory("VmRSS"), 1)}

        def look(step: Any) -> None:
            if step.step % LOOKED_AT == 0:
                for field, values in seen.items():
                    values.append(memory(field))
                # Pages that were read count as resident until somebody wants the room.
                pages.madvise(mmap.MADV_DONTNEED)
                line["steps"] = step.step

        start = time.perf_counter()
        for _ in fit(network, params, x, targets, config, on_step=look):
            line["seconds"] = round(time.perf_counter() - start, 1)
    line["most_anonymous_mib"] = round(max(seen["RssAnon"]), 1)
    line["most_resident_mib"] = round(max(seen["VmRSS"]), 1)
    return line


if __name__ == "__main__":
    main()
