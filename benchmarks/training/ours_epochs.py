"""nncore's side of whole epochs: prints load time, each epoch's time and test accuracy.

python -m benchmarks.training.ours_epochs --folder .../mnist --epochs 3
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.training.idx import examples
from benchmarks.training.processes import Line
from benchmarks.training.workloads import workloads
from nncore import evaluate, fit

WORKLOAD = "lenet"


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--config", type=json.loads, default={}, help="more of the configuration")
    told = parser.parse_args()
    print(json.dumps(epochs(told.folder, told.epochs, told.config)))


def epochs(folder: Path, count: int, more: dict[str, Any]) -> Line:
    """So many epochs; the test rows are looked at outside of the measured time."""
    workload = workloads([WORKLOAD])[0]
    network, start = workload.network, time.perf_counter()
    x, y = examples(folder, "train")
    line: Line = {"load_s": round(time.perf_counter() - start, 3), "epoch_s": [], "accuracy": []}
    test = examples(folder, "t10k")
    params = network.init(seed=0)
    config = {"loss": workload.loss, "batch_size": workload.batch, "epochs": count, **more}
    start = time.perf_counter()
    for _ in fit(network, params, x, y, config):
        line["epoch_s"].append(round(time.perf_counter() - start, 3))
        figures = evaluate(network, params, *test, workload.loss, ["accuracy"])
        line["accuracy"].append(round(figures["accuracy"], 4))
        start = time.perf_counter()
    return line


if __name__ == "__main__":
    main()
