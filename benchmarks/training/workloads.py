"""The workloads that both sides are timed on: networks, losses, batches of random data.

The network documents are nncore's own, so that this side reads them as they stand.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nncore.network import Network
from nncore.program import Stage

_FILE = Path(__file__).with_name("workloads.json")


@dataclass(frozen=True, slots=True)
class Workload:
    """A network and what it is trained on; `document` is its entry in the file, or like one."""

    document: dict[str, Any]

    @property
    def name(self) -> str:
        """What tables call it."""
        return str(self.document["name"])

    @property
    def batch(self) -> int:
        """Examples of a step."""
        return int(self.document["batch"])

    @property
    def loss(self) -> str:
        """The loss, as a training configuration names it."""
        return str(self.document["loss"])

    def but(self, **changes: Any) -> Workload:
        """The same with other entries."""
        return Workload({**self.document, **changes})

    @property
    def network(self) -> Network:
        """The network, without weights."""
        spec = {"input": {"shape": self.document["input"]}, "layers": self.document["layers"]}
        return Network.from_spec(spec)

    def examples(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """`count` random examples and targets, the same ones at each call."""
        rng, document = np.random.default_rng(0), self.document
        shape = tuple(document["input"])
        if "vocabulary" in document:
            x: np.ndarray = rng.integers(0, document["vocabulary"], (count, *shape), np.int64)
        else:
            x = rng.random((count, *shape), np.float32)
        if self.loss == "mean_squared_error":
            return x, rng.random((count, 1), np.float32)
        positions = shape[:2] if len(shape) == 3 else shape
        where = positions if document.get("per_position") else ()
        return x, rng.integers(0, document.get("classes", 10), (count, *where), np.int64)


def workloads(names: Sequence[str] = ()) -> list[Workload]:
    """The named workloads, or all, in the file's order. Raises ValueError for unknown names."""
    entries = json.loads(_FILE.read_text(encoding="utf-8"))["workloads"]
    known = [entry["name"] for entry in entries]
    for name in names:
        if name not in known:
            raise ValueError(f"there is no workload {name!r}; known: {', '.join(known)}")
    return [Workload(entry) for entry in entries if not names or entry["name"] in names]


def inference_flops(network: Network) -> int:
    """Floating-point operations of the matrix products of one example's forward pass."""
    return sum(sum(_products(stage).values()) for stage in network.stages)


def training_flops(network: Network) -> int:
    """The same with the backward pass: twice more, but for gradients that nobody wants."""
    total = 3 * inference_flops(network)
    for stage in network.stages:
        if not stage.needs_dx:
            products = _products(stage).items()
            total -= sum(flops for name, flops in products if "recurrent" not in name)
    return total


def _products(stage: Stage) -> dict[str, int]:
    """The operations that each of a stage's matrices takes for one example."""
    kernels = {name: weight for name, weight in stage.weights.items() if name.endswith("kernel")}
    recurrent = any("recurrent" in name for name in kernels)
    times = stage.input_shape[:1] if recurrent else stage.output_shape[:-1]
    return {
        name: 2 * math.prod(times) * math.prod(weight.shape) for name, weight in kernels.items()
    }
