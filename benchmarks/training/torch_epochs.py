"""PyTorch's side of whole epochs, a plain loop over the same arrays; prints what nncore's does.

TORCH_PYTHON torch_epochs.py --folder .../mnist --epochs 3 --mode channels_last --threads 2
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from idx import examples
from torch import Tensor, nn
from torch_side import MODES, network

WORKLOAD = "lenet"


def tensors(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images (N, 1, 28, 28) and labels; one channel first or last lies the same in memory."""
    images, labels = examples(folder, part)
    return torch.from_numpy(images).view(-1, 1, 28, 28), torch.from_numpy(labels)


def epochs(folder: Path, count: int, mode: str) -> dict[str, Any]:
    """So many epochs; compiling and looking at the test rows are outside of the measured time."""
    torch.manual_seed(0)
    entries = json.loads(Path(__file__).with_name("workloads.json").read_text(encoding="utf-8"))
    document = next(each for each in entries["workloads"] if each["name"] == WORKLOAD)
    size, start = document["batch"], time.perf_counter()
    x, y = tensors(folder, "train")
    line: dict[str, Any] = {"load_s": round(time.perf_counter() - start, 3)}
    line |= {"epoch_s": [], "accuracy": []}
    test_x, test_y = tensors(folder, "t10k")
    net = network(document)
    if mode == "channels_last":
        net = net.to(memory_format=torch.channels_last)
    run = torch.compile(net) if mode == "compile" else net
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

    def step(rows: Tensor) -> None:
        adam.zero_grad()
        nn.functional.cross_entropy(run(x[rows]), y[rows]).backward()
        adam.step()

    if mode == "compile":
        for rows in (torch.arange(size), torch.arange(len(x) % size or size)):
            step(rows)
    for _ in range(count):
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(size):
            step(rows)
        line["epoch_s"].append(round(time.perf_counter() - start, 3))
        with torch.inference_mode():
            found = [net(part).argmax(1) for part in test_x.split(1000)]
        line["accuracy"].append(round((torch.cat(found) == test_y).float().mean().item(), 4))
    return line


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--mode", choices=MODES, default="eager")
    parser.add_argument("--threads", type=int, default=2)
    told = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(told.threads)
    print(json.dumps(epochs(told.folder, told.epochs, told.mode)))


if __name__ == "__main__":
    main()
