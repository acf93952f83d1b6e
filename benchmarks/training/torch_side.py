"""Times PyTorch on one workload in one mode and prints a JSON line.

TORCH_PYTHON torch_side.py --workload lenet --mode eager --seconds 3 --threads 2

Runs on its own, in an environment that has PyTorch and neither nncore nor this package. A step is
zero_grad, forward, loss, backward and a fused Adam (1e-3) on one batch of random data; inference is
the forward pass in evaluation mode. Each is called three times beforehand.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

MODES = ("eager", "channels_last", "compile")
RECURRENT = {"simple_rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
Layer = dict[str, Any]
Shape = tuple[int, ...]


class TimeLast(nn.Module):
    """(N, T, C) as (N, C, T), the order that Conv1d wants."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mT


class Recurrent(nn.Module):
    """A recurrent layer on (N, T, I): all steps' outputs, or the last of each direction."""

    def __init__(self, layer: Layer, features: int, both: bool) -> None:
        super().__init__()
        make, self.units = RECURRENT[layer["type"]], layer["units"]
        self.core = make(features, self.units, batch_first=True, bidirectional=both)
        self.every_step, self.both = layer.get("return_sequences", False), both

    def forward(self, x: Tensor) -> Tensor:
        steps = self.core(x)[0]
        if self.every_step:
            return steps
        last = steps[:, -1]
        if not self.both:
            return last
        return torch.cat((last[:, : self.units], steps[:, 0, self.units :]), dim=1)


class Builder:
    """Translates a workload's layers, keeping the shape of an example, channels first."""

    def __init__(self, shape: Shape, first: str) -> None:
        self.parts: list[nn.Module] = []
        self.shape = shape
        if len(shape) == 3:
            self.shape = (shape[2], shape[0], shape[1])
        elif first == "conv1d":
            self.shape = (shape[1], shape[0])
            self.parts.append(TimeLast())

    def add(self, layer: Layer) -> None:
        """One more layer, with its activation."""
        both = layer["type"] == "bidirectional"
        inner = layer["layer"] if both else layer
        if inner["type"] in RECURRENT:
            self._recurrent(inner, both)
        elif inner["type"] != "activation":
            getattr(self, f"_{inner['type']}")(inner)
        if "activation" in inner:
            self.parts.append(ACTIVATIONS[inner["activation"]]())

    def _recurrent(self, layer: Layer, both: bool) -> None:
        self.parts.append(Recurrent(layer, self.shape[-1], both))
        width = layer["units"] * (1 + both)
        self.shape = (self.shape[0], width) if layer.get("return_sequences") else (width,)

    def _dense(self, layer: Layer) -> None:
        self.parts.append(nn.Linear(self.shape[-1], layer["units"]))
        self.shape = (*self.shape[:-1], layer["units"])

    def _embedding(self, layer: Layer) -> None:
        self.parts.append(nn.Embedding(layer["input_dim"], layer["output_dim"]))
        self.shape = (*self.shape, layer["output_dim"])

    def _conv1d(self, layer: Layer) -> None:
        self._convolution(nn.Conv1d, layer)

    def _conv2d(self, layer: Layer) -> None:
        self._convolution(nn.Conv2d, layer)

    def _convolution(self, make: Any, layer: Layer) -> None:
        size, stride = layer["kernel_size"], layer.get("strides", 1)
        dilation, same = layer.get("dilation_rate", 1), layer.get("padding") == "same"
        padding = "same" if same else 0
        self.parts.append(
            make(self.shape[0], layer["filters"], size, stride, padding, dilation=dilation)
        )
        reach = dilation * (size - 1)
        sides = self.shape[1:] if same else ((n - reach - 1) // stride + 1 for n in self.shape[1:])
        self.shape = (layer["filters"], *sides)

    def _max_pool2d(self, layer: Layer) -> None:
        size = layer["pool_size"]
        stride = layer.get("strides", size)
        self.parts.append(nn.MaxPool2d(size, stride))
        self.shape = (self.shape[0], *((n - size) // stride + 1 for n in self.shape[1:]))

    def _global_avg_pool1d(self, _: Layer) -> None:
        self.parts += [nn.AdaptiveAvgPool1d(1), nn.Flatten()]
        self.shape = self.shape[:1]

    def _batch_norm(self, _: Layer) -> None:
        self.parts.append(nn.BatchNorm1d(self.shape[0]))

    def _dropout(self, layer: Layer) -> None:
        self.parts.append(nn.Dropout(layer["rate"]))

    def _flatten(self, _: Layer) -> None:
        self.parts.append(nn.Flatten())
        self.shape = (torch.Size(self.shape).numel(),)


def network(document: dict[str, Any]) -> nn.Sequential:
    """The workload's network."""
    builder = Builder(tuple(document["input"]), document["layers"][0]["type"])
    for layer in document["layers"]:
        builder.add(layer)
    return nn.Sequential(*builder.parts)


def examples(document: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """A batch of random examples, images channels first, and its targets."""
    count, shape = document["batch"], tuple(document["input"])
    if "vocabulary" in document:
        x = torch.randint(document["vocabulary"], (count, *shape))
    else:
        x = torch.rand(count, *((shape[2], *shape[:2]) if len(shape) == 3 else shape))
    if document["loss"] == "mean_squared_error":
        return x, torch.rand(count, 1)
    positions = shape[:2] if document.get("per_position") else ()
    return x, torch.randint(document.get("classes", 10), (count, *positions))


def criterion(document: dict[str, Any]) -> Callable[[Tensor, Tensor], Tensor]:
    """The workload's loss."""
    if document["loss"] == "mean_squared_error":
        return nn.functional.mse_loss
    if document.get("per_position") and "vocabulary" in document:
        return lambda logits, y: nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
    return nn.functional.cross_entropy


def durations(call: Callable[[], object], seconds: float) -> Iterator[float]:
    """How long each of many calls takes."""
    for _ in range(3):
        call()
    begin, count = time.perf_counter(), 0
    while count < 5 or (time.perf_counter() - begin < seconds and count < 2000):
        start = time.perf_counter()
        call()
        yield time.perf_counter() - start
        count += 1


def figures(what: str, call: Callable[[], object], seconds: float) -> dict[str, float]:
    """The median and the least time of a call, in milliseconds."""
    taken = [duration * 1e3 for duration in durations(call, seconds)]
    median = statistics.median_low(taken)
    return {f"{what}_ms": round(median, 4), f"{what}_min_ms": round(min(taken), 4)}


def peak_memory() -> float:
    """The most resident MiB that this process has had."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def measure(document: dict[str, Any], mode: str, seconds: float) -> dict[str, Any] | None:
    """Times and memory; None where the mode changes nothing."""
    if mode == "channels_last" and len(document["input"]) != 3:
        return None
    torch.manual_seed(0)
    net, loss, (x, y) = network(document), criterion(document), examples(document)
    if mode == "channels_last":
        net = net.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    run = torch.compile(net) if mode == "compile" else net

    def step() -> None:
        adam.zero_grad()
        loss(run(x), y).backward()
        adam.step()

    line: dict[str, Any] = {"name": document["name"], "mode": mode, "torch": torch.__version__}
    line |= figures("train", step, seconds)
    line["peak_rss_mib"] = round(peak_memory(), 1)
    net.eval()
    without_gradients = torch.no_grad() if mode == "compile" else torch.inference_mode()
    with without_gradients:
        line |= figures("infer", lambda: run(x), seconds / 2)
    return line | {"parameters": sum(weight.numel() for weight in net.parameters())}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", required=True)
    parser.add_argument("--mode", choices=MODES, default="eager")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=2)
    told = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(told.threads)
    entries = json.loads(Path(__file__).with_name("workloads.json").read_text(encoding="utf-8"))
    document = next(each for each in entries["workloads"] if each["name"] == told.workload)
    print(json.dumps(measure(document, told.mode, told.seconds)))


if __name__ == "__main__":
    main()
