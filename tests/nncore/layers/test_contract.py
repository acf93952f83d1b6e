"""What every layer promises, proven from one table of documents and input shapes."""

from __future__ import annotations

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest

from nncore import Network, registry
from nncore.gradient_check import numeric_gradient, relative_error
from nncore.layers import Layer
from nncore.passes import Pass, Run
from nncore.workspace import Workspace

CASES = [
    ({"type": "dense", "units": 3}, [4]),
    ({"type": "dense", "units": 1, "use_bias": False}, [1]),
    ({"type": "dense", "units": 3, "activation": "tanh"}, [2, 4]),
    ({"type": "dense", "units": 2, "kernel_initializer": "he_normal"}, [2, 3, 4]),
    ({"type": "conv2d", "filters": 3, "kernel_size": 2}, [4, 5, 2]),
    ({"type": "conv2d", "filters": 2, "kernel_size": 1}, [3, 3, 4]),
    ({"type": "conv2d", "filters": 2, "kernel_size": 3, "padding": "same"}, [4, 5, 1]),
    ({"type": "conv2d", "filters": 2, "kernel_size": [3, 2], "strides": [2, 3]}, [7, 6, 2]),
    (
        {"type": "conv2d", "filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        [6, 5, 2],
    ),
    ({"type": "conv2d", "filters": 2, "kernel_size": 2, "dilation_rate": [2, 1]}, [5, 4, 2]),
    (
        {"type": "conv2d", "filters": 4, "kernel_size": 2, "groups": 2, "padding": "same"},
        [3, 4, 6],
    ),
    (
        {"type": "conv2d", "filters": 3, "kernel_size": 3, "groups": 3, "use_bias": False},
        [4, 4, 3],
    ),
    ({"type": "conv2d", "filters": 2, "kernel_size": 1, "strides": 2}, [5, 4, 2]),
    ({"type": "conv2d", "filters": 2, "kernel_size": 2, "activation": "sigmoid"}, [3, 3, 1]),
    ({"type": "max_pool2d"}, [4, 4, 2]),
    ({"type": "max_pool2d", "pool_size": [2, 3], "strides": 1}, [4, 5, 2]),
    ({"type": "max_pool2d", "pool_size": 3, "strides": 2, "padding": "same"}, [5, 6, 2]),
    ({"type": "max_pool2d", "pool_size": 2, "strides": 3}, [6, 7, 1]),
    ({"type": "flatten"}, [2, 3, 2]),
    ({"type": "flatten"}, [5]),
    ({"type": "dropout", "rate": 0.4}, [3, 5]),
    ({"type": "dropout", "rate": 0}, [4]),
    ({"type": "activation", "activation": "sigmoid"}, [2, 3]),
]
for _path in sorted(Path(__file__).parent.glob("cases_*.py")):
    CASES += runpy.run_path(str(_path))["CASES"]
EXAMPLES = 5

every_case = pytest.mark.parametrize(
    ("document", "shape"), CASES, ids=[f"{d['type']}-{i}" for i, (d, _) in enumerate(CASES)]
)


class OneLayer:
    """A network of one layer with inputs for it, run forwards and backwards by hand."""

    def __init__(self, document: dict, shape: list[int], dtype: str = "float64") -> None:
        self.network = Network.from_spec({"input": {"shape": shape}, "layers": [document]})
        rng = np.random.default_rng(3)
        self.x = rng.normal(size=(EXAMPLES, *shape)).astype(dtype)
        self.params = {
            name: rng.normal(size=shape).astype(dtype)
            for name, shape in self.network.weight_shapes.items()
        }
        self.pull = rng.normal(size=self.forward(self.x).shape).astype(dtype)

    def forward(self, x: np.ndarray, first_row: int = 0) -> np.ndarray:
        self.run = Run(Workspace(), training=True, seed=7, step=2, first_row=first_row)
        self.caches = []
        for stage in self.network.stages:
            pass_ = Pass(self.run, stage.layer, stage.index)
            x, cache = stage.operation.forward(stage.own(self.params), x, pass_)
            self.caches.append(cache)
        return x

    def gradients(self, x: np.ndarray, pull: np.ndarray, first_row: int = 0) -> dict:
        """The gradients of sum(y * pull), the input's under the name `x`."""
        self.forward(x, first_row)
        found, slope = {}, pull.copy()
        for stage, cache in zip(reversed(self.network.stages), reversed(self.caches), strict=True):
            pass_ = Pass(self.run, stage.layer, stage.index)
            slope, own = stage.operation.backward(stage.own(self.params), cache, slope, pass_)
            found |= {stage.key(name): gradient for name, gradient in own.items()}
        return {"x": slope, **found}


@every_case
def test_the_output_has_the_promised_shape(document, shape):
    layer = OneLayer(document, shape)
    assert layer.forward(layer.x).shape == (EXAMPLES, *layer.network.output_shape)


@every_case
def test_the_document_survives_a_round_trip(document, shape):
    network = Network.from_spec({"input": {"shape": shape}, "layers": [document]})
    again = Network.from_spec(network.to_spec())
    assert again.spec == network.spec
    written = network.to_spec()["layers"][0]
    assert document.items() <= written.items()
    assert set(written) == {
        "type",
        *(field.name for field in dataclasses.fields(network.spec.layers[0])),
    }


@every_case
def test_gradients_are_those_of_finite_differences(document, shape):
    layer = OneLayer(document, shape)
    found = layer.gradients(layer.x, layer.pull)
    assert set(found) == {"x", *layer.params}
    for name, gradient in found.items():
        array = layer.x if name == "x" else layer.params[name]
        gradient = gradient.copy()
        expected = numeric_gradient(
            lambda: float((layer.forward(layer.x) * layer.pull).sum()), array
        )
        assert gradient.shape == array.shape
        assert relative_error(gradient, expected) < 1e-7, name


@every_case
def test_float32_is_close_to_float64_and_stays_float32(document, shape):
    exact, single = OneLayer(document, shape), OneLayer(document, shape, "float32")
    assert single.forward(single.x).dtype == np.float32
    assert relative_error(single.forward(single.x), exact.forward(exact.x)) < 1e-5
    expected = exact.gradients(exact.x, exact.pull)
    for name, gradient in single.gradients(single.x, single.pull).items():
        assert gradient.dtype == np.float32
        assert relative_error(gradient, expected[name]) < 1e-5, name


@every_case
def test_two_shards_give_what_the_whole_batch_gives(document, shape):
    layer = OneLayer(document, shape)
    outputs = layer.forward(layer.x).copy()
    whole = {name: value.copy() for name, value in layer.gradients(layer.x, layer.pull).items()}
    first, second = slice(0, 2), slice(2, None)
    for rows in (first, second):
        assert np.allclose(layer.forward(layer.x[rows], rows.start), outputs[rows], atol=1e-12)
    parts = []
    for rows in (first, second):
        found = layer.gradients(layer.x[rows], layer.pull[rows], rows.start)
        parts.append({name: value.copy() for name, value in found.items()})
    for name, gradient in whole.items():
        join = np.concatenate if name == "x" else sum
        assert relative_error(join([part[name] for part in parts]), gradient) < 1e-12


@every_case
def test_an_empty_batch_passes_through(document, shape):
    layer = OneLayer(document, shape)
    assert layer.forward(layer.x[:0]).shape == (0, *layer.network.output_shape)
    found = layer.gradients(layer.x[:0], layer.pull[:0])
    assert found.pop("x").shape == (0, *shape)
    assert all(not gradient.any() for gradient in found.values())


@every_case
def test_the_input_is_left_as_it_was(document, shape):
    layer = OneLayer(document, shape)
    before = layer.x.copy()
    layer.gradients(layer.x, layer.pull)
    assert np.array_equal(layer.x, before)


def test_every_registered_layer_has_a_row():
    assert {document["type"] for document, _ in CASES} == set(registry.units(Layer))
