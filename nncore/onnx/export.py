"""From a network and its weights to an ONNX model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from nncore.arrays import Array
from nncore.errors import ArchitectureError
from nncore.network import Network
from nncore.onnx import model
from nncore.onnx.graph import Graph, Value
from nncore.onnx.masks import may_fit
from nncore.onnx.model import Size
from nncore.onnx.protobuf import Message
from nncore.program import Port, Stage

BATCH = "batch"
"""The name of the number of examples, which varies."""


def to_onnx(
    network: Network,
    params: Mapping[str, Array],
    dtype: Literal["float32", "float64"] = "float32",
) -> bytes:
    """The network in evaluation mode as the bytes of an ONNX file.

    Inputs and outputs have the network's names and shapes with the batch in front; token ids are
    int32, all else is of `dtype` (ONNX Runtime knows convolutions in float32 only). Sizes that vary
    are `<input>_<axis>`. Raises ArchitectureError at a layer that has no form in ONNX, ValueError
    for weights that do not fit or a model beyond 2 GiB.
    """
    network.check_weights(dict(params))
    real = np.dtype(dtype)
    cast = {name: np.asarray(weight, real) for name, weight in params.items()}
    graph, program = Graph(real), network.program
    values = {
        number: Value(port.name, port.shape, None, port.integers)
        for number, port in enumerate(program.ports)
    }
    layers = [layer.name for layer in network.spec.layers]
    for stage in program.stages:
        try:
            _write(graph, stage, cast, values)
        except ArchitectureError as error:
            raise error.under(f"/layers/{layers.index(stage.layer)}") from None
    outputs = _outputs(graph, network, values)
    inputs = [_input(port, real) for port in program.ports]
    return model.model(graph.message("network", inputs, outputs, network.wiring.outputs))


def _write(graph: Graph, stage: Stage, params: Mapping[str, Any], values: dict[int, Value]) -> None:
    graph.scope, graph.owner = stage.layer, stage.owner
    operation = stage.operation
    reads = tuple(values[number] for number in stage.inputs)
    if not operation.wants_integers():
        reads = tuple(_floating(graph, value) for value in reads)
    x = reads if operation.many else reads[0]
    name = operation.to_onnx(stage.own(params), x, graph)
    mask = operation.onnx_mask(x, graph)
    shape = stage.output_shape
    if mask is not None and not may_fit(mask, shape):
        mask = None
    values[stage.output] = Value(name, shape, mask)


def _floating(graph: Graph, value: Value) -> Value:
    if not value.integers:
        return value
    return Value(graph.real(value.name), value.shape, value.mask)


def _outputs(graph: Graph, network: Network, values: Mapping[int, Value]) -> list[Message]:
    graph.scope = "outputs"
    for name, number in zip(network.wiring.outputs, network.program.outputs, strict=True):
        graph.give(values[number].name, name)
    return [
        model.value_info(name, graph.dtype, (BATCH, *shape))
        for name, shape in network.output_shapes.items()
    ]


def _input(port: Port, real: np.dtype[Any]) -> Message:
    sizes: list[Size] = [BATCH]
    for axis, size in enumerate(port.shape, start=1):
        sizes.append(f"{port.name}_{axis}" if size is None else size)
    return model.value_info(port.name, np.dtype(np.int32) if port.integers else real, sizes)
