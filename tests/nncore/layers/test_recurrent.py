"""Recurrent layers: padding changes nothing, dropout is the same at all steps."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import Network
from nncore.gradient_check import relative_error
from nncore.passes import Pass, Run
from nncore.workspace import Workspace

CELLS = [
    {"type": "simple_rnn", "units": 3},
    {"type": "lstm", "units": 3},
    {"type": "gru", "units": 3},
    {"type": "gru", "units": 3, "reset_after": False},
    {"type": "lstm", "units": 3, "activation": "softsign", "recurrent_activation": "hard_sigmoid"},
    {"type": "bidirectional", "layer": {"type": "lstm", "units": 3}},
    {"type": "bidirectional", "layer": {"type": "gru", "units": 3}, "merge_mode": "mul"},
]
LENGTHS = np.array([4, 1, 3, 0])
STEPS, FEATURES = 4, 2

every_cell = pytest.mark.parametrize("cell", CELLS, ids=[str(c) for c in CELLS])
both_sides = pytest.mark.parametrize("side", ["left", "right"])


def with_fields(cell, **fields):
    """A cell's document with more fields, those of the inner layer in a wrapper."""
    if cell["type"] == "bidirectional":
        return {**cell, "layer": {**cell["layer"], **fields}}
    return {**cell, **fields}


class Alone:
    """One layer outside of a network: its outputs and gradients for masked inputs."""

    def __init__(self, document, seed=0, training=False):
        network = Network.from_spec({"input": {"shape": [None, FEATURES]}, "layers": [document]})
        (self.stage,) = network.stages
        self.params = self.stage.own(network.init(seed, "float64"))
        for name, weight in self.params.items():
            self.params[name] = weight + np.random.default_rng(1).normal(size=weight.shape)
        self.training = training

    def __call__(self, x, mask=None, pull=None):
        """y, dx and the weights' gradients of sum(y * pull); pull (N, T, ...) or (N, ...)."""
        run = Run(Workspace(), self.training, seed=5)
        pass_ = Pass(run, "layer", 0, mask=mask)
        y, cache = self.stage.operation.forward(self.params, x, pass_)
        y = y.copy()
        pull = np.broadcast_to(1.0 if pull is None else pull, y.shape).copy()
        dx, gradients = self.stage.operation.backward(self.params, cache, pull, pass_)
        return y, dx.copy(), {name: gradient.copy() for name, gradient in gradients.items()}


def sequences():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(len(LENGTHS), STEPS, FEATURES))
    return x, np.arange(STEPS) < LENGTHS[:, None]


def padded(array, steps, side, value):
    before_and_after = (steps, 0) if side == "left" else (0, steps)
    widths = [(0, 0), before_and_after, *[(0, 0)] * (array.ndim - 2)]
    return np.pad(array, widths, constant_values=value)


def unpadded(array, steps, side):
    return array[:, steps:] if side == "left" else array[:, : array.shape[1] - steps]


@both_sides
@every_cell
@pytest.mark.parametrize("garbage", [0, 1e30, np.nan])
def test_padding_changes_no_bit_of_the_last_output_and_the_gradients(cell, side, garbage):
    layer = Alone(cell)
    x, mask = sequences()
    expected = layer(x, mask)
    found = layer(padded(x, 3, side, garbage), padded(mask, 3, side, False))
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(unpadded(found[1], 3, side), expected[1])
    assert found[1].any(axis=2).sum() == mask.sum()
    for name, gradient in expected[2].items():
        assert np.array_equal(found[2][name], gradient), name


@both_sides
@every_cell
def test_padding_changes_no_bit_of_any_output(cell, side):
    layer = Alone(with_fields(cell, return_sequences=True))
    x, mask = sequences()
    pull = np.random.default_rng(3).normal(size=layer(x)[0].shape)
    pull[~mask] = 0
    expected = layer(x, mask, pull)
    found = layer(
        padded(x, 2, side, np.nan), padded(mask, 2, side, False), padded(pull, 2, side, 0)
    )
    assert np.array_equal(unpadded(found[0], 2, side)[mask], expected[0][mask])
    assert np.array_equal(unpadded(found[1], 2, side), expected[1])
    for name, gradient in expected[2].items():
        assert np.array_equal(found[2][name], gradient), name


@both_sides
@pytest.mark.parametrize("cell", CELLS[:4], ids=[str(c) for c in CELLS[:4]])
def test_padding_changes_no_bit_going_backwards(cell, side):
    layer = Alone({**cell, "go_backwards": True})
    x, mask = sequences()
    expected = layer(x, mask)
    found = layer(padded(x, 3, side, np.nan), padded(mask, 3, side, False))
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(unpadded(found[1], 3, side), expected[1])
    assert all(np.array_equal(found[2][name], expected[2][name]) for name in found[2])


@both_sides
@every_cell
@pytest.mark.parametrize("whole", [False, True])
def test_a_masked_batch_is_its_examples_one_by_one(cell, side, whole):
    layer = Alone(with_fields(cell, return_sequences=whole))
    x, mask = sequences()
    mask = mask[:, ::-1] if side == "left" else mask
    y, dx, gradients = layer(x, mask, mask[..., None] if whole else None)
    total = {name: np.zeros_like(gradient) for name, gradient in gradients.items()}
    for example, data in enumerate(mask):
        if not data.any():
            assert not dx[example].any()
            continue
        alone = layer(x[example : example + 1, data])
        found = y[example : example + 1, data] if whole else y[example : example + 1]
        assert relative_error(found, alone[0]) < 1e-14
        assert relative_error(dx[example : example + 1, data], alone[1]) < 1e-13
        for name, gradient in alone[2].items():
            total[name] += gradient
    for name, gradient in gradients.items():
        assert relative_error(gradient, total[name]) < 1e-13, name


@every_cell
def test_one_masked_example_is_bit_for_bit_the_unmasked_one(cell):
    layer = Alone(cell)
    x, _ = sequences()
    data = np.array([[False, True, True, False]])
    y, dx, gradients = layer(x[:1], data)
    expected = layer(x[:1, 1:3])
    assert np.array_equal(y, expected[0])
    assert np.array_equal(dx[:, 1:3], expected[1])
    assert not dx[:, [0, 3]].any()
    assert all(np.array_equal(gradients[name], expected[2][name]) for name in gradients)


@pytest.mark.parametrize("cell", CELLS[:4], ids=lambda cell: cell["type"])
def test_a_step_without_data_repeats_the_output_or_gives_zero(cell):
    x, mask = sequences()
    mask = mask[:, [3, 0, 1, 2]]
    repeating = Alone(with_fields(cell, return_sequences=True))(x, mask)[0]
    zero = Alone(with_fields(cell, return_sequences=True, zero_output_for_mask=True))(x, mask)[0]
    assert np.array_equal(repeating[mask], zero[mask])
    assert not zero[~mask].any()
    before = np.concatenate([np.zeros_like(repeating[:, :1]), repeating[:, :-1]], axis=1)
    assert np.array_equal(repeating[~mask], before[~mask])


def test_outputs_of_a_backward_layer_come_in_its_order_with_their_mask():
    layer = Alone(with_fields(CELLS[1], go_backwards=True, return_sequences=True))
    x, mask = sequences()
    forward = Alone(with_fields(CELLS[1], return_sequences=True))
    expected = forward(x[:, ::-1], mask[:, ::-1])[0]
    assert np.array_equal(layer(x, mask)[0], expected)
    assert np.array_equal(layer.stage.operation.output_mask(x, mask), mask[:, ::-1])


@every_cell
def test_a_sequence_without_data_gives_zero(cell):
    x, mask = sequences()
    y, dx, gradients = Alone(cell)(x, np.zeros_like(mask))
    assert not y.any()
    assert not dx.any()
    assert not any(gradient.any() for gradient in gradients.values())


@pytest.mark.parametrize("cell", CELLS[:4], ids=lambda cell: cell["type"])
def test_dropout_is_the_same_at_all_steps_and_other_in_each_example(cell):
    layer = Alone(with_fields(cell, dropout=0.5, return_sequences=True), training=True)
    x = np.ones((40, STEPS, FEATURES))
    _, dx, _ = layer(x)
    dropped = dx == 0
    assert np.array_equal(dropped, np.repeat(dropped[:, :1], STEPS, axis=1))
    assert 0.3 < dropped.mean() < 0.7
    assert len(np.unique(dropped[:, 0], axis=0)) == 4


def test_input_and_recurrent_dropout_draw_numbers_of_their_own():
    pass_ = Pass(Run(Workspace(), True, seed=1), "lstm_1", 0)
    draws = [pass_.uniform((5, 4), name) for name in ("", "dropout", "recurrent_dropout")]
    draws.append(pass_.inner("forward").uniform((5, 4), "dropout"))
    for one, first in enumerate(draws):
        assert all(not np.array_equal(first, other) for other in draws[one + 1 :])
    assert np.array_equal(draws[1], pass_.uniform((5, 4), "dropout"))


def test_evaluation_drops_nothing():
    cell = with_fields(CELLS[1], dropout=0.5, recurrent_dropout=0.5)
    x, _ = sequences()
    assert np.array_equal(Alone(cell)(x)[0], Alone(CELLS[1])(x)[0])


def test_padding_changes_nothing_in_a_whole_network():
    layers = [
        {"type": "embedding", "input_dim": 9, "output_dim": 3, "mask_zero": True},
        {"type": "bidirectional", "layer": {"type": "lstm", "units": 3, "return_sequences": True}},
        {"type": "gru", "units": 4},
        {"type": "dense", "units": 2},
    ]
    network = Network.from_spec({"input": {"shape": [None]}, "layers": layers})
    params = network.init(0, "float64")
    ids = np.array([[3, 1, 8], [2, 0, 0], [7, 7, 0]])
    expected = network.loss_and_grads(params, ids, [0, 1, 0], "cross_entropy", shards=2)
    for widths in ((0, 5), (5, 0), (2, 3)):
        wider = np.pad(ids, [(0, 0), widths])
        assert np.array_equal(network.predict(params, wider), network.predict(params, ids))
        found = network.loss_and_grads(params, wider, [0, 1, 0], "cross_entropy", shards=2)
        assert found[0] == expected[0]
        for name, gradient in expected[1].items():
            assert np.array_equal(found[1][name], gradient), name
    assert not expected[1]["embedding_1.embeddings"][0].any()
