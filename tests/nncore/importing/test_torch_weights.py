"""PyTorch's state dicts, against what PyTorch predicts, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import nncore
from nncore import Network
from nncore.gradient_check import relative_error
from tests.nncore.references.import_cases import MAPPINGS, TORCH_SPECS, inputs
from tests.nncore.references.imported import imported, models

every_model = pytest.mark.parametrize("name", models("torch"))


def predictions(network, params, name):
    x = inputs(name)
    y = network.predict(params, x if len(x) > 1 else next(iter(x.values())))
    return list(y.values()) if isinstance(y, dict) else [y]


def as_a_file_has_it(state):
    return dict(sorted(state.items()))


@every_model
@pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-9), ("float32", 1e-5)])
def test_a_network_predicts_what_pytorch_predicts(name, dtype, within):
    state, outputs = imported(f"torch {name}")
    network = Network.from_spec(TORCH_SPECS[name])
    state = {
        key: value.astype(dtype) if value.dtype.kind == "f" else value
        for key, value in state.items()
    }
    params = nncore.weights_from_torch(network, state)
    network.check_weights(params)
    assert {value.dtype for value in params.values()} == {np.dtype(dtype)}
    for y, expected in zip(predictions(network, params, name), outputs, strict=True):
        assert relative_error(y, expected) < within


@every_model
def test_a_mapping_or_numbers_or_equal_names_need_no_order(name):
    state = imported(f"torch {name}").weights
    network = Network.from_spec(TORCH_SPECS[name])
    expected = nncore.weights_from_torch(network, state)
    found = nncore.weights_from_torch(network, as_a_file_has_it(state), MAPPINGS.get(name))
    assert all(np.array_equal(found[key], expected[key]) for key in expected)


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_sorted_file_of_named_modules_needs_a_mapping(name):
    network = Network.from_spec(TORCH_SPECS[name])
    with pytest.raises(ValueError, match="sorted by name.*give a mapping"):
        nncore.weights_from_torch(network, as_a_file_has_it(imported(f"torch {name}").weights))


def network_of(*layers, shape=(4,)):
    return Network.from_spec({"input": {"shape": list(shape)}, "layers": list(layers)})


DENSE = {"type": "dense", "units": 3}
LINEAR = {"fc.weight": np.ones((3, 4)), "fc.bias": np.ones(3)}
CELL = {
    "rnn.weight_ih_l0": np.ones((9, 4)),
    "rnn.weight_hh_l0": np.ones((9, 3)),
    "rnn.bias_ih_l0": np.ones(9),
    "rnn.bias_hh_l0": np.ones(9),
}
STEPS = (5, 4)


@pytest.mark.parametrize(
    ("network", "state", "mapping", "words"),
    [
        (network_of(DENSE), {**LINEAR, "x.weight": np.ones(2)}, None, "2 modules .fc, x.; give a"),
        (network_of(DENSE), LINEAR, {"dense_2": "fc"}, "'dense_2' is no layer of the network"),
        (network_of(DENSE), LINEAR, {"dense_1": "fc2"}, "'fc2' is no module of the state dict"),
        (network_of(DENSE), LINEAR, {}, "leaves out the layers dense_1"),
        (
            network_of(DENSE),
            {**LINEAR, "x.weight": np.ones(2)},
            {"dense_1": "fc"},
            "leaves out the modules x",
        ),
        (
            network_of({**DENSE, "units": 2}),
            LINEAR,
            None,
            r"module 'fc' becomes dense_1.kernel, which has shape \(4, 2\)",
        ),
        (network_of({**DENSE, "use_bias": False}), LINEAR, None, "'fc' has a dense_1.bias"),
        (network_of(DENSE), {"fc.weight": LINEAR["fc.weight"]}, None, "no array for dense_1.bias"),
        (network_of(DENSE), {"fc.bias": LINEAR["fc.bias"]}, None, "has no weight, which dense"),
        (network_of(DENSE), {"fc.running_mean": np.ones(3)}, None, "nothing that dense has"),
        (
            network_of({"type": "gru", "units": 3, "reset_after": False}, shape=STEPS),
            CELL,
            None,
            "set reset_after to true",
        ),
        (
            network_of(
                {"type": "bidirectional", "layer": {"type": "gru", "units": 3}}, shape=STEPS
            ),
            CELL,
            None,
            "has no weight_ih_reverse",
        ),
        (
            network_of(
                {"type": "separable_conv2d", "filters": 1, "kernel_size": 1}, shape=(2, 2, 1)
            ),
            {"conv.weight": np.ones((1, 1, 1, 1))},
            None,
            "separable_conv2d has no counterpart",
        ),
        (
            network_of({**DENSE, "activation": {"type": "adaptive", "scope": "network"}}),
            LINEAR,
            None,
            "all layers share",
        ),
    ],
)
def test_what_does_not_fit_is_named(network, state, mapping, words):
    with pytest.raises(ValueError, match=words):
        nncore.weights_from_torch(network, state, mapping)


CONV = {"type": "conv2d", "filters": 2, "kernel_size": 1}
KERNEL = {"conv.weight": np.ones((2, 2, 1, 1)), "conv.bias": np.ones(2)}


def test_images_made_of_vectors_need_pytorchs_order():
    straight = network_of({"type": "reshape", "target_shape": [3, 3, 2]}, CONV, shape=(18,))
    with pytest.raises(ValueError, match="make them with reshape .* and permute"):
        nncore.weights_from_torch(straight, KERNEL)
    turned = network_of(
        {"type": "reshape", "target_shape": [2, 3, 3]},
        {"type": "permute", "dims": [2, 3, 1]},
        CONV,
        shape=(18,),
    )
    nncore.weights_from_torch(turned, KERNEL)


def test_images_taken_apart_need_pytorchs_order():
    apart = network_of(CONV, {"type": "reshape", "target_shape": [9, 2]}, shape=(3, 3, 2))
    with pytest.raises(ValueError, match="permute them to PyTorch's order first"):
        nncore.weights_from_torch(apart, KERNEL)
    turned = network_of(
        CONV,
        {"type": "permute", "dims": [3, 1, 2]},
        {"type": "reshape", "target_shape": [9, 2]},
        shape=(3, 3, 2),
    )
    nncore.weights_from_torch(turned, KERNEL)


def test_flattened_images_side_by_side_keep_their_orders():
    """A dense layer that reads two flattened maps and a vector, against PyTorch's arithmetic."""
    network = Network.from_spec(
        {
            "inputs": {"image": {"shape": [2, 3, 4]}, "age": {"shape": [2]}},
            "layers": [
                {"type": "flatten", "name": "one", "inputs": ["image"]},
                {"type": "concatenate", "name": "all", "inputs": ["one", "age", "one"]},
                {**DENSE, "use_bias": False},
            ],
        }
    )
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(3, 50))
    image, age = rng.normal(size=(5, 2, 3, 4)), rng.normal(size=(5, 2))
    flat = image.transpose(0, 3, 1, 2).reshape(5, -1)
    params = nncore.weights_from_torch(network, {"fc.weight": weight})
    expected = np.concatenate([flat, age, flat], axis=1) @ weight.T
    found = network.predict(params, {"image": image, "age": age})
    assert relative_error(found, expected) < 1e-12
