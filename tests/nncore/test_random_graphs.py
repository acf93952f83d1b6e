"""Random graphs: promised shapes are the actual ones, documents survive, gradients are right."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nncore import Network
from nncore.gradient_check import check_gradients, numeric_gradient, relative_error

STEPS, WIDTH = 3, 2
# Layers that keep (STEPS, WIDTH): any of them may follow any other. relu and max have kinks, which
# finite differences may straddle; they are drawn where no gradient is looked at.
SMOOTH = [
    {"type": "dense", "units": WIDTH, "activation": "tanh"},
    {"type": "dense", "units": WIDTH, "kernel_regularizer": {"type": "l2", "factor": 0.1}},
    {"type": "dense", "units": WIDTH, "trainable": False},
    {"type": "conv1d", "filters": WIDTH, "kernel_size": 2, "padding": "same"},
    {"type": "layer_norm"},
    {"type": "activation", "activation": "sigmoid"},
    {"type": "activation", "activation": "linear"},
    {"type": "dropout", "rate": 0.25},
    {"type": "gru", "units": WIDTH, "return_sequences": True},
    {"type": "masking"},
]
KINKED = [
    {"type": "activation", "activation": "relu"},
    {"type": "max_pool1d", "pool_size": 2, "strides": 1, "padding": "same"},
    {"type": "batch_norm"},
]
MERGES = ["add", "subtract", "multiply", "average", "concatenate"]


@st.composite
def specs(draw, extra=(), merges=MERGES):
    """A graph of layers that read any values above them; all that nobody reads are outputs."""
    names = [f"in{number}" for number in range(draw(st.integers(1, 2)))]
    inputs = {name: {"shape": [STEPS, WIDTH]} for name in names}
    layers = []
    for number in range(draw(st.integers(1, 6))):
        # Those after a concatenation, d0, d1, ..., have wider kernels.
        dense = [layer for layer in layers if layer.get("type") == "dense"]
        shared = [layer for layer in dense if layer["name"].startswith("n")]
        layer = draw(joins(names, merges) | st.sampled_from([*SMOOTH, *extra]).map(dict))
        if shared and layer["type"] == "dense" and draw(st.booleans()):
            layer = {"shares": draw(st.sampled_from(shared))["name"]}
        # Reading the newest value first keeps most inputs in use.
        layer.setdefault("inputs", [draw(st.sampled_from(names[::-1]))])
        layers.append({**layer, "name": f"n{number}"})
        if layer.get("type") == "concatenate":
            layers.append(
                {"type": "dense", "units": WIDTH, "inputs": [f"n{number}"], "name": f"d{number}"}
            )
        names.append(layers[-1]["name"])
    read = {name for layer in layers for name in layer["inputs"]}
    used = {name: shape for name, shape in inputs.items() if name in read}
    ends = [layer["name"] for layer in layers if layer["name"] not in read]
    order = draw(st.permutations(layers)) if all("shares" not in x for x in layers) else layers
    return {"inputs": used, "layers": order, "outputs": ends}


def joins(names, merges):
    pairs = st.lists(st.sampled_from(names), min_size=2, max_size=2)
    return st.builds(
        lambda kind, pair: {"type": kind, "inputs": pair}, st.sampled_from(merges), pairs
    )


def examples(network, rows=4):
    rng = np.random.default_rng(0)
    x = {name: rng.normal(size=(rows, *shape)) for name, shape in network.input_shapes.items()}
    y = {name: rng.normal(size=(rows, *shape)) for name, shape in network.output_shapes.items()}
    return x, y


def as_dict(found, network):
    return found if isinstance(found, dict) else dict.fromkeys(network.output_shapes, found)


@given(specs(extra=KINKED, merges=[*MERGES, "maximum", "minimum"]))
@settings(max_examples=60, deadline=None)
def test_promised_shapes_are_the_actual_ones_and_documents_survive(spec):
    network = Network.from_spec(spec)
    x, _ = examples(network)
    params = network.init()
    found = as_dict(network.predict(params, x), network)
    assert {name: y.shape[1:] for name, y in found.items()} == network.output_shapes
    assert [node.name for node in network.nodes] == [layer["name"] for layer in spec["layers"]]
    assert network.parameter_count == sum(weight.size for weight in params.values())
    document = network.to_spec()
    assert Network.from_spec(document).to_spec() == document


@given(specs())
@settings(max_examples=20, deadline=None)
def test_gradients_are_those_of_finite_differences(spec):
    network = Network.from_spec(spec)
    params, (x, y) = network.init(0, "float64"), examples(network, 2)
    assume(params)  # without weights all is float32
    errors = check_gradients(network, params, x, y, "mean_squared_error")
    weights = network.weights
    assert set(errors) == {name for name in weights if weights[name].trainable}
    assert all(error < 1e-5 for error in errors.values()), errors
    for name, gradient in network.input_gradients(params, x, y).items():
        expected = numeric_gradient(lambda: network.loss_and_grads(params, x, y)[0], x[name])
        assert relative_error(gradient, expected) < 1e-5


@given(specs(extra=KINKED), st.permutations(range(5)), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_neither_the_order_nor_the_division_of_a_batch_matters(spec, order, batch_size):
    network = Network.from_spec(spec)
    params, (x, _) = network.init(0, "float64"), examples(network, 5)
    assume(params)
    whole = as_dict(network.predict(params, x), network)
    turned = {name: array[order] for name, array in x.items()}
    found = as_dict(network.predict(params, turned, batch_size), network)
    assert all(np.allclose(found[name], whole[name][order], atol=1e-12) for name in whole)


@given(specs(extra=KINKED), st.integers(2, 6))
@settings(max_examples=20, deadline=None)
def test_the_number_of_shards_does_not_matter(spec, shards):
    network = Network.from_spec(spec)
    params, (x, y) = network.init(0, "float64"), examples(network, 5)
    assume(params)
    loss, gradients = network.loss_and_grads(params, x, y, seed=3)
    found, others = network.loss_and_grads(params, x, y, seed=3, shards=shards)
    assert abs(found - loss) <= 1e-12 * max(1, abs(loss))
    assert all(relative_error(others[name], gradients[name]) < 1e-9 for name in gradients)
