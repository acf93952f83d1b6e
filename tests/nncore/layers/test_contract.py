"""What every layer promises, proven from one table of documents and input shapes.

A row may say more: `mask`, where its sequences are padded ("right", "left", "holes"), and `below`,
that it reads ids below a number. A layer that joins several inputs has a list of their shapes; its
x is all of them side by side.
"""

from __future__ import annotations

import math
import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from nncore import Network, registry
from nncore.documents.hints import fields_of
from nncore.gradient_check import numeric_gradient, relative_error
from nncore.layers import Layer
from nncore.passes import Pass, Run
from nncore.shards import Meeting
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
# Their gradients of kernels and inputs are stand-ins on purpose; test_binary.py proves them.
STAND_INS = ("binary_dense", "binary_conv2d")


class Case(NamedTuple):
    document: dict[str, Any]
    shape: list[int]
    mask: str | None = None
    below: int | None = None


every_case = pytest.mark.parametrize(
    "case",
    [Case(*row) for row in CASES],
    ids=[f"{row[0]['type']}-{i}" for i, row in enumerate(CASES)],
)


def mask_of(kind: str | None, steps: int) -> np.ndarray | None:
    """Where data is: examples of all lengths, one without any."""
    if kind is None:
        return None
    lengths = np.array([steps, 1, 0, steps - 1, 2])
    data = np.arange(steps) < lengths[:, None]
    if kind == "holes":
        data[0, steps // 2] = False
    return data[:, ::-1] if kind == "left" else data


def holds(written: Any, given: Any) -> bool:
    """Whether a written document says what the given one says, short forms spelled out."""
    if isinstance(given, dict):
        return all(holds(written[name], value) for name, value in given.items())
    return written == given or (isinstance(written, dict) and written["type"] == given)


class OneLayer:
    """A network of one layer with inputs for it, run forwards and backwards by hand."""

    def __init__(self, case: Case, dtype: str = "float64") -> None:
        document, shape, mask, below = case
        self.shapes = shape if isinstance(shape[0], list) else None
        if self.shapes:
            inputs = {f"x{place}": {"shape": part} for place, part in enumerate(self.shapes)}
            joining = {**document, "inputs": list(inputs)}
            self.network = Network.from_spec({"inputs": inputs, "layers": [joining]})
            shape = [sum(math.prod(part) for part in self.shapes)]
        else:
            self.network = Network.from_spec({"input": {"shape": shape}, "layers": [document]})
        rng = np.random.default_rng(3)
        self.x = rng.normal(size=(EXAMPLES, *shape)).astype(dtype)
        if below is not None:
            self.x = rng.integers(0, below, self.x.shape)
        self.mask = mask_of(mask, shape[0])
        self.params = {
            name: rng.normal(size=shape).astype(dtype)
            for name, shape in self.network.weight_shapes.items()
        }
        for name in self.params:
            if name.endswith("variance"):
                self.params[name] **= 2
        self.pull = rng.normal(size=self.forward(self.x).shape).astype(dtype)

    def run(self, first_row: int = 0, shard: int = 0, meeting: Meeting | None = None) -> Run:
        return Run(
            Workspace(), True, seed=7, step=2, first_row=first_row, shard=shard, meeting=meeting
        )

    def forward(self, x: np.ndarray, run: Run | None = None) -> np.ndarray:
        return self.pass_forward(x, run or self.run())[0]

    def pass_forward(self, x: np.ndarray, run: Run) -> tuple[np.ndarray, list]:
        caches = []
        mask = None if self.mask is None else self.mask[run.first_row : run.first_row + len(x)]
        x, mask = self.split(x, mask)
        for stage in self.network.stages:
            pass_ = Pass(run, stage.layer, stage.index, mask=mask)
            mask = stage.operation.output_mask(x, mask)
            x, cache = stage.operation.forward(stage.own(self.params), x, pass_)
            caches.append((cache, pass_))
        return x, caches

    def split(self, x: np.ndarray, mask: np.ndarray | None) -> tuple[Any, Any]:
        """What the layer reads, and its mask: tuples if it joins several inputs."""
        if self.shapes is None:
            return x, mask
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])[:-1]
        parts = zip(np.split(x, ends, axis=1), self.shapes, strict=True)
        return tuple(part.reshape(len(x), *shape) for part, shape in parts), (mask,) * len(
            self.shapes
        )

    def gradients(self, x: np.ndarray, pull: np.ndarray, run: Run | None = None) -> dict:
        """The gradients of sum(y * pull), the input's (if any) as `x`, and y itself as `y`."""
        run = run or self.run()
        y, caches = self.pass_forward(x, run)
        found, slope = {}, pull.copy()
        y = y.copy()
        for stage, (cache, pass_) in zip(
            reversed(self.network.stages), reversed(caches), strict=True
        ):
            slope, own = stage.operation.backward(stage.own(self.params), cache, slope, pass_)
            found |= {stage.key(name): gradient for name, gradient in own.items()}
        if self.shapes:
            slope = np.concatenate(
                [part.reshape(len(x), math.prod(part.shape[1:])) for part in slope], axis=1
            )
        return ({} if slope is None else {"x": slope}) | {"y": y, **found}

    def gradients_in_shards(self, *parts: slice) -> list[dict]:
        """The gradients of parts of the batch, each on its own thread."""
        meeting = Meeting(len(parts))

        def shard(place: int) -> dict:
            rows = parts[place]
            run = self.run(rows.start or 0, place, meeting)
            try:
                return self.gradients(self.x[rows], self.pull[rows], run)
            except BaseException:
                meeting.leave()
                raise

        with ThreadPoolExecutor(len(parts)) as pool:
            return list(pool.map(shard, range(len(parts))))


@every_case
def test_the_output_has_the_promised_shape(case):
    layer = OneLayer(case)
    assert layer.forward(layer.x).shape == (EXAMPLES, *layer.network.output_shape)


@every_case
def test_the_document_survives_a_round_trip(case):
    network = OneLayer(case).network
    again = Network.from_spec(network.to_spec())
    assert again.to_spec() == network.to_spec()
    assert again.spec.layers == network.spec.layers
    written = network.to_spec()["layers"][0]
    assert holds(written, case.document)
    assert set(written) - {"inputs"} == {
        "type",
        *(field.name for field in fields_of(type(network.spec.layers[0])) if not field.if_given),
    }


@every_case
def test_gradients_are_those_of_finite_differences(case):
    layer = OneLayer(case)
    found = layer.gradients(layer.x, layer.pull)
    trainable = {name for name, weight in layer.network.weights.items() if weight.trainable}
    expected = {"y", *trainable} | ({"x"} if case.below is None else set())
    assert expected <= set(found) <= {"x", "y", *layer.params}
    del found["y"]
    for name, gradient in found.items():
        if case.document["type"] in STAND_INS and not name.endswith("bias"):
            continue
        array = layer.x if name == "x" else layer.params[name]
        gradient = gradient.copy()
        expected = numeric_gradient(
            lambda: float((layer.forward(layer.x) * layer.pull).sum()), array
        )
        assert gradient.shape == array.shape
        assert relative_error(gradient, expected) < 1e-7, name


@every_case
def test_float32_is_close_to_float64_and_stays_float32(case):
    exact, single = OneLayer(case), OneLayer(case, "float32")
    assert single.forward(single.x).dtype == np.float32
    assert relative_error(single.forward(single.x), exact.forward(exact.x)) < 1e-5
    expected = exact.gradients(exact.x, exact.pull)
    for name, gradient in single.gradients(single.x, single.pull).items():
        assert gradient.dtype == np.float32
        assert relative_error(gradient, expected[name]) < 1e-5, name


@every_case
def test_two_shards_give_what_the_whole_batch_gives(case):
    layer = OneLayer(case)
    whole = layer.gradients(layer.x, layer.pull)
    parts = layer.gradients_in_shards(slice(0, 2), slice(2, None))
    for name, gradient in whole.items():
        join = np.concatenate if name in ("x", "y") else sum
        assert relative_error(join([part[name] for part in parts]), gradient) < 1e-12, name


@every_case
def test_an_empty_batch_passes_through(case):
    layer = OneLayer(case)
    assert layer.forward(layer.x[:0]).shape == (0, *layer.network.output_shape)
    found = layer.gradients(layer.x[:0], layer.pull[:0])
    assert "x" not in found or found.pop("x").shape == (0, *layer.x.shape[1:])
    assert found.pop("y").shape == (0, *layer.network.output_shape)
    assert all(not gradient.any() for gradient in found.values())


@every_case
def test_the_input_is_left_as_it_was(case):
    layer = OneLayer(case)
    before = layer.x.copy()
    layer.gradients(layer.x, layer.pull)
    assert np.array_equal(layer.x, before)


def test_every_registered_layer_has_a_row():
    assert {document["type"] for document, *_ in CASES} == set(registry.units(Layer))
