"""A layers' case run by nncore: the quantities that the references hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from nncore import Network
from nncore.arrays import Array
from nncore.execution import backward, forward
from nncore.passes import Run
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
        (case.scale * numbers(shape, place, case.lengths, case.pad)).astype(dtype)
        for place, shape in enumerate(case.shapes)
    ]


class Replay:
    """One case in one precision."""

    def __init__(self, case: LayerCase, dtype: str) -> None:
        self.case = case
        self.network = network_of(case)
        self.program = self.network.program.with_input_gradients()
        self.inputs = examples_of(case, dtype)
        names = [node.name for node in self.network.nodes]
        self.params = {}
        self.keys = {}
        for full, shape in self.network.weight_shapes.items():
            layer, _, short = full.partition(".")
            self.keys[full] = f"{names.index(layer)}.{short}"
            self.params[full] = weight(short, shape, names.index(layer)).astype(dtype)

    def forward(self, training: bool, inputs: Sequence[NDArray[Any]] = ()) -> Array:
        """The output for the case's inputs, or for other ones."""
        self.run = Run(Workspace(), training=training)
        self.flow = forward(self.program, self.params, inputs or self.inputs, self.run)
        return self.flow.values[self.program.outputs[0]].copy()

    def backward(self, dy: Array) -> dict[int, Array]:
        """dL/dx by the input's place, after `forward`; the weights' are left in `gradients`."""
        slopes = {self.program.outputs[0]: dy.copy()}
        found = backward(self.program, self.params, self.flow, slopes, self.run)
        self.gradients = {name: gradient.copy() for name, gradient in found.items()}
        return {place: slope.copy() for place, slope in slopes.items()}

    def quantities(self) -> dict[str, NDArray[Any]]:
        """Everything that a reference may hold, by its name there."""
        found = {"evaluated": self.forward(training=False), "y": self.forward(training=True)}
        lengths = self.case.lengths if found["y"].ndim > 2 else ()
        dxs = self.backward(pull(found["y"].shape, lengths).astype(found["y"].dtype))
        found |= {f"dx{place}": dx for place, dx in dxs.items()}
        found |= {f"d{self.keys[name]}": value for name, value in self.gradients.items()}
        found |= {f"new {self.keys[name]}": value for name, value in self.run.renewed.items()}
        return found
