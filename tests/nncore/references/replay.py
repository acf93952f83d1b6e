"""A layers' case run by nncore: the quantities that the references hold."""

from __future__ import annotations

from collections.abc import Sequence
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

    def forward(self, training: bool, inputs: Sequence[NDArray[Any]] = ()) -> Array:
        """The last stage's output, for the case's inputs or other ones."""
        self.run = Run(Workspace(), training=training)
        self.gradients: dict[str, Array] = {}
        values: list[Any] = list(inputs or self.inputs)
        masks: list[Mask | None] = [None] * len(values)
        self.caches = []
        for stage in self.network.stages:
            x, mask = _gathered(stage, values), _gathered(stage, masks)
            pass_ = Pass(self.run, stage.layer, stage.index, mask=mask)
            y, cache = stage.operation.forward(stage.own(self.params), x, pass_)
            masks.append(stage.operation.output_mask(x, mask))
            values.append(y)
            self.caches.append((cache, pass_))
        return values[-1].copy()

    def backward(self, dy: Array) -> list[Array | None]:
        """dL/dx for each input after `forward`; the weights' gradients go to `gradients`."""
        offset = len(self.inputs)
        slopes: dict[int, Any] = {offset + len(self.caches) - 1: dy.copy()}
        for stage in reversed(self.network.stages):
            cache, pass_ = self.caches[stage.index]
            dx, own = stage.operation.backward(
                stage.own(self.params), cache, slopes[offset + stage.index], pass_
            )
            found = {stage.key(name): value.copy() for name, value in own.items()}
            self.gradients |= found
            dxs = dx if isinstance(dx, tuple) else (dx,)
            slopes |= dict(zip(stage.inputs, dxs, strict=True))
        return [None if slopes[place] is None else slopes[place].copy() for place in range(offset)]

    def quantities(self) -> dict[str, NDArray[Any]]:
        """Everything that a reference may hold, by its name there."""
        found = {"evaluated": self.forward(training=False), "y": self.forward(training=True)}
        lengths = self.case.lengths if found["y"].ndim > 2 else ()
        dxs = self.backward(pull(found["y"].shape, lengths).astype(found["y"].dtype))
        found |= {f"dx{place}": dx for place, dx in enumerate(dxs) if dx is not None}
        found |= {f"d{self.keys[name]}": value for name, value in self.gradients.items()}
        found |= {f"new {self.keys[name]}": value for name, value in self.run.renewed.items()}
        return found


def _gathered(stage: Any, values: list[Any]) -> Any:
    found = [values[index] for index in stage.inputs]
    return tuple(found) if stage.operation.many else found[0]
