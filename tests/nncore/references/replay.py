"""A layers' case run by nncore: the quantities that the references hold."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nncore import Network
from nncore.arrays import Array
from nncore.passes import Mask, Pass, Run
from nncore.workspace import Workspace
from tests.nncore.references.filling import numbers, pull, tokens, weight
from tests.nncore.references.layer_cases import LayerCase


def network_of(case: LayerCase) -> Network:
    """The case as a network; with several inputs, as a graph."""
    if len(case.shapes) == 1:
        declared = {"shape": list(case.shapes[0])} | ({"dtype": "int32"} if case.below else {})
        return Network.from_spec({"input": declared, "layers": list(case.layers)})
    inputs = {f"in{place}": {"shape": list(shape)} for place, shape in enumerate(case.shapes)}
    (layer,) = case.layers
    return Network.from_spec(
        {"inputs": inputs, "layers": [{"name": "only", "inputs": [*inputs], **layer}]}
    )


def examples_of(case: LayerCase, dtype: str) -> list[NDArray[Any]]:
    """One array for each input; ids stay integers."""
    if case.below:
        return [tokens(case.shapes[0], case.below, case.lengths)]
    return [
        (case.scale * numbers(shape, place, case.lengths)).astype(dtype)
        for place, shape in enumerate(case.shapes)
    ]


class Replay:
    """One case in one precision."""

    def __init__(self, case: LayerCase, dtype: str) -> None:
        self.case = case
        self.network = network_of(case)
        self.inputs = examples_of(case, dtype)
        names = [node.name for node in self.network.nodes]
        self.params = {}
        self.keys = {}
        for full, shape in self.network.weight_shapes.items():
            layer, _, short = full.partition(".")
            self.keys[full] = f"{names.index(layer)}.{short}"
            self.params[full] = weight(short, shape, names.index(layer)).astype(dtype)

    def forward(self, training: bool) -> Array:
        """The last stage's output."""
        self.run = Run(Workspace(), training=training)
        self.values: list[Any] = list(self.inputs)
        masks: list[Mask | None] = [None] * len(self.values)
        self.caches = []
        for stage in self.network.stages:
            x, mask = self._gathered(stage, self.values), self._gathered(stage, masks)
            pass_ = Pass(self.run, stage.layer, stage.index, mask=mask)
            y, cache = stage.operation.forward(stage.own(self.params), x, pass_)
            masks.append(stage.operation.output_mask(x, mask))
            self.values.append(y)
            self.caches.append((cache, pass_))
        return self.values[-1]

    def _gathered(self, stage: Any, values: list[Any]) -> Any:
        found = [values[index] for index in stage.inputs]
        return found[0] if len(found) == 1 else tuple(found)

    def quantities(self) -> dict[str, NDArray[Any]]:
        """Everything that a reference may hold, by its name there."""
        found = {"evaluated": self.forward(training=False).copy()}
        y = self.forward(training=True)
        found["y"] = y.copy()
        lengths = self.case.lengths if y.ndim > 2 else ()
        slopes: dict[int, Any] = {len(self.values) - 1: pull(y.shape, lengths).astype(y.dtype)}
        offset = len(self.inputs)
        for stage in reversed(self.network.stages):
            cache, pass_ = self.caches[stage.index]
            dx, own = stage.operation.backward(
                stage.own(self.params), cache, slopes[offset + stage.index], pass_
            )
            found |= {f"d{self.keys[stage.key(name)]}": value.copy() for name, value in own.items()}
            dxs = dx if isinstance(dx, tuple) else (dx,)
            slopes |= dict(zip(stage.inputs, dxs, strict=True))
        for place in range(offset):
            if slopes.get(place) is not None:
                found[f"dx{place}"] = slopes[place]
        for full, value in self.run.renewed.items():
            found[f"new {self.keys[full]}"] = value
        return found
