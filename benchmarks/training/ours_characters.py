"""nncore's side of tinyshakespeare: the char_lstm workload's network, trained to predict text.

python -m benchmarks.training.ours_characters --file .../input.txt --epochs 4
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training.processes import Line
from benchmarks.training.workloads import Workload, workloads
from nncore import Network, evaluate, fit

WORKLOAD = "char_lstm"
STRIDE = 16
TESTED = 512


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--config", type=json.loads, default={}, help="more of the configuration")
    told = parser.parse_args()
    print(json.dumps(learn(told.file, told.epochs, told.config)))


def learn(file: Path, epochs: int, more: dict[str, Any]) -> Line:
    """Train on the first 90 %, windows that begin every STRIDE symbols; nats on the last 10 %."""
    workload = workloads([WORKLOAD])[0]
    symbols = np.frombuffer(file.read_bytes(), np.uint8)
    alphabet, codes = np.unique(symbols, return_inverse=True)
    assert len(alphabet) == workload.document["vocabulary"]
    border = len(codes) * 9 // 10
    length = workload.document["input"][0]
    x, y = windows(codes[:border], length, STRIDE)
    tested = windows(codes[border:], TESTED, TESTED)
    long = _any_length(workload)
    network, params = workload.network, workload.network.init(seed=0)
    config = {"loss": workload.loss, "batch_size": workload.batch, "epochs": epochs, **more}
    line: Line = {"windows": len(x), "epoch_s": [], "loss": [], "nats": []}
    start = time.perf_counter()
    for epoch in fit(network, params, x, y, config):
        line["epoch_s"].append(round(time.perf_counter() - start, 2))
        line["loss"].append(round(epoch.loss, 4))
        figures = evaluate(long, params, *tested, workload.loss, batch_size=64)
        line["nats"].append(round(figures["loss"], 4))
        start = time.perf_counter()
    return line


def windows(codes: Any, length: int, stride: int) -> tuple[Any, Any]:
    """Windows of the text and the symbols that follow each of theirs, (N, length) both."""
    views = np.lib.stride_tricks.sliding_window_view(codes, length + 1)[::stride]
    return np.ascontiguousarray(views[:, :-1]), np.ascontiguousarray(views[:, 1:])


def _any_length(workload: Workload) -> Network:
    """The same network for text of any length."""
    return workload.but(input=[None]).network


if __name__ == "__main__":
    main()
