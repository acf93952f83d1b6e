"""Every layer and activation in ONNX Runtime: the same outputs as here, and valid files.

Rows are those of the layers' and of the activations' contract. Where a row's sequences or images
may vary in size, so does the exported model's, and it is run with two of them.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from nncore import ArchitectureError, Network, registry
from nncore.activations import Activation
from nncore.layers import Layer
from tests.nncore.onnx.runtime import check, draw

_LAYERS = Path(__file__).parents[1] / "layers"
ROWS = [
    row for path in [_LAYERS / "test_contract.py"] for row in runpy.run_path(str(path))["CASES"]
]
ACTIVATIONS = [
    document
    for document, _ in runpy.run_path(str(_LAYERS.parent / "activations" / "test_contract.py"))[
        "CASES"
    ]
]


def named(rows):
    return [f"{row[0]['type']}-{number}" for number, row in enumerate(rows)]


def spec_of(document, shape, mask=None, below=None):
    """The network of a row; a mask comes from a layer that finds zeros."""
    if isinstance(shape[0], list | tuple):
        inputs = {f"x{place}": {"shape": part} for place, part in enumerate(shape)}
        return {"inputs": inputs, "layers": [{**document, "inputs": list(inputs)}]}
    before = [{"type": "masking"}] if mask else []
    return {"input": {"shape": shape}, "layers": [*before, document]}


def varying(shape, document):
    """The shape with all sizes open that may be, but for the last; None if there are none."""
    open_shape = [None] * (len(shape) - 1) + shape[-1:]
    if document["type"] == "embedding":
        open_shape = [None] * len(shape)
    for candidate in (open_shape, [None, *shape[1:]]):
        try:
            if None in candidate:
                return Network.from_spec(spec_of(document, candidate)) and candidate
        except ArchitectureError:
            continue
    return None


def lengths(mask, rows, steps):
    """Which steps hold data: all, some on one side, or with holes; one example has none."""
    rng = np.random.default_rng(1)
    data = np.arange(steps) < rng.integers(0, steps + 1, rows)[:, None]
    data[0], data[-1] = True, False
    if mask == "holes":
        data[0, steps // 2] = False
    return data[:, ::-1] if mask == "left" else data


def inputs_of(network, row, rows, more):
    _, shape, mask, below = (*row, None, None)[:4]
    x = {}
    for number, (name, pattern) in enumerate(network.input_shapes.items()):
        given = shape[number] if isinstance(shape[0], list | tuple) else shape
        sizes = [
            size + more if wanted is None else size
            for size, wanted in zip(given, pattern, strict=True)
        ]
        x[name] = draw(rows, sizes, number, below)
        if mask:
            x[name][~lengths(mask, rows, sizes[0])] = 0
    return x


def takes(network, batch):
    """A fixed target shape, say, does not suit every size."""
    try:
        network.check_inputs(batch)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("row", ROWS, ids=named(ROWS))
def test_a_layer_gives_the_same(row):
    network = Network.from_spec(spec_of(*row))
    check(network, [inputs_of(network, row, rows, 0) for rows in (5, 2)])


OPEN = [
    (row[0], open_shape, *row)
    for row in ROWS
    if not isinstance(row[1][0], list | tuple)
    and (open_shape := varying(list(row[1]), row[0])) is not None
]


@pytest.mark.parametrize("case", OPEN, ids=named(OPEN))
def test_a_layer_gives_the_same_for_sizes_that_vary(case):
    _, open_shape, *row = case
    network = Network.from_spec(spec_of(row[0], open_shape, *row[2:]))
    batches = [inputs_of(network, row, rows, more) for rows, more in ((5, 0), (2, 1), (1, 4))]
    check(network, [batch for batch in batches if takes(network, batch)])


@pytest.mark.parametrize("document", ACTIVATIONS, ids=named([(d,) for d in ACTIVATIONS]))
def test_an_activation_gives_the_same(document):
    layer = {"type": "activation", "activation": document}
    network = Network.from_spec({"input": {"shape": [3, 4]}, "layers": [layer]})
    check(network, [{"input": draw(rows, [3, 4], 0) * 3} for rows in (5, 2)])


@pytest.mark.parametrize(
    "layer",
    [
        {"type": "max_pool1d", "pool_size": 2, "strides": 3, "padding": "same"},
        {"type": "avg_pool1d", "pool_size": 2, "strides": 3, "padding": "same"},
        {"type": "avg_pool1d", "pool_size": 3, "strides": 2, "padding": "same"},
        {
            "type": "conv1d",
            "filters": 2,
            "kernel_size": 3,
            "strides": 2,
            "dilation_rate": 2,
            "padding": "same",
        },
        {"type": "conv1d", "filters": 2, "kernel_size": 4, "strides": 3, "padding": "same"},
    ],
)
def test_margins_fit_every_length(layer):
    network = Network.from_spec({"input": {"shape": [None, 2]}, "layers": [layer]})
    check(network, [{"input": draw(2, [steps, 2], 0)} for steps in range(5, 12)])


def test_every_unit_has_a_form_in_onnx():
    exported = {row[0]["type"] for row in ROWS}
    assert set(registry.units(Layer)) == exported
    assert set(registry.units(Activation)) == {document["type"] for document in ACTIVATIONS}
