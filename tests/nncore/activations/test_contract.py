"""What every activation promises, from one table of documents and known values."""

import math

import numpy as np
import pytest

from nncore import registry
from nncore.activations import Activation
from nncore.documents import parse, to_document
from nncore.error_function import erf
from nncore.errors import ArchitectureError
from nncore.gradient_check import numeric_gradient, relative_error
from nncore.passes import Pass, Run
from nncore.workspace import Workspace

E = np.e
NORMAL = [0.5 * (1 + math.erf(x / 2**0.5)) for x in (-1, 0, 2)]
# Document, and what it makes of (-1, 0, 2).
CASES = [
    ({"type": "linear"}, [-1, 0, 2]),
    ({"type": "relu"}, [0, 0, 2]),
    ({"type": "relu", "negative_slope": 0.5}, [-0.5, 0, 2]),
    ({"type": "relu", "negative_slope": 3.0}, [-3, 0, 2]),
    ({"type": "relu", "max_value": 1.5}, [0, 0, 1.5]),
    ({"type": "relu", "threshold": 1.0, "negative_slope": 0.25}, [-0.5, -0.25, 2]),
    ({"type": "relu6"}, [0, 0, 2]),
    ({"type": "leaky_relu"}, [-0.2, 0, 2]),
    ({"type": "leaky_relu", "negative_slope": 2.0}, [-2, 0, 2]),
    ({"type": "prelu", "alpha_initializer": {"type": "constant", "value": 0.3}}, [-0.3, 0, 2]),
    ({"type": "elu"}, [1 / E - 1, 0, 2]),
    ({"type": "elu", "alpha": 0.5}, [0.5 / E - 0.5, 0, 2]),
    ({"type": "selu"}, [1.7580993408473766 * (1 / E - 1), 0, 2 * 1.0507009873554805]),
    ({"type": "gelu"}, [-NORMAL[0], 0, 2 * NORMAL[2]]),
    ({"type": "gelu", "approximate": True}, [-0.15880800939172324, 0, 1.9545976940877752]),
    ({"type": "silu"}, [-1 / (1 + E), 0, 2 / (1 + E**-2)]),
    ({"type": "softplus"}, [np.log(1 + 1 / E), np.log(2), np.log(1 + E**2)]),
    ({"type": "softsign"}, [-0.5, 0, 2 / 3]),
    ({"type": "tanh"}, [np.tanh(-1), 0, np.tanh(2)]),
    ({"type": "sigmoid"}, [1 / (1 + E), 0.5, 1 / (1 + E**-2)]),
    ({"type": "hard_sigmoid"}, [2 / 6, 0.5, 5 / 6]),
    ({"type": "exponential"}, [1 / E, 1, E**2]),
    ({"type": "sin"}, np.sin([-1, 0, 2])),
    ({"type": "softmax"}, np.array([E**-1, 1, E**2]) / (E**-1 + 1 + E**2)),
    ({"type": "softmax", "axis": 1}, np.array([E**-1, 1, E**2]) / (E**-1 + 1 + E**2)),
    ({"type": "log_softmax"}, np.array([-1, 0, 2]) - np.log(E**-1 + 1 + E**2)),
    ({"type": "adaptive"}, np.tanh([-1, 0, 2])),
    ({"type": "adaptive", "base": "softplus", "n": 10, "scope": "neuron"}, None),
    ({"type": "adaptive", "base": "sin", "n": 2, "rowdy_terms": 3}, np.sin([-1, 0, 2])),
    ({"type": "adaptive", "n": 2, "scope": "neuron", "rowdy_terms": 2}, np.tanh([-1, 0, 2])),
    ({"type": "adaptive", "base": "elu", "scope": "network"}, [1 / E - 1, 0, 2]),
    ({"type": "binary"}, [-1, 1, 1]),
    ({"type": "binary", "estimator": "error_decay"}, [-1, 1, 1]),
]
every_case = pytest.mark.parametrize(
    ("document", "values"), CASES, ids=[f"{d['type']}-{i}" for i, (d, _) in enumerate(CASES)]
)


def fresh(document, shape, dtype="float64"):
    """The weights that an activation starts with."""
    rng = np.random.default_rng(1)
    return {
        name: weight.initializer.draw(rng, weight.shape, np.dtype(dtype))
        for name, weight in parse(Activation, document).weights(shape).items()
    }


def run(document, x, params):
    activation = parse(Activation, document)
    assert activation.output_shape(x.shape[1:]) == x.shape[1:]
    pass_ = Pass(Run(Workspace(), training=True), "layer", 0)
    y, cache = activation.forward(params, x, pass_)
    return y, lambda dy: activation.backward(params, cache, dy.copy(), pass_)


@every_case
def test_it_has_the_known_values(document, values):
    x = np.array([[-1.0, 0, 2]])
    y, _ = run(document, x, fresh(document, (3,)))
    if values is not None:
        assert np.allclose(y, [values], atol=1e-15)


@every_case
def test_its_gradients_are_those_of_finite_differences(document, values):
    if document["type"] == "binary":
        return  # a stand-in on purpose
    rng = np.random.default_rng(0)
    x, pull = rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 2, 4))
    params = fresh(document, (2, 4))
    for weight in params.values():
        weight += 0.3 * rng.normal(size=weight.shape)
    _, back = run(document, x, params)
    dx, found = back(pull)
    assert set(found) == set(params)
    for gradient, array in ((dx, x), *((found[name], params[name]) for name in params)):
        expected = numeric_gradient(
            lambda: float((run(document, x, params)[0] * pull).sum()), array
        )
        assert gradient.shape == array.shape
        assert relative_error(gradient, expected) < 1e-7


@every_case
def test_it_keeps_the_shape_and_the_precision_and_stays_finite(document, values):
    if document["type"] == "exponential":
        return
    x = np.array([[[-1e4, 1e4]], [[0, 3]]], "float32")
    y, back = run(document, x, fresh(document, (1, 2), "float32"))
    dx, found = back(np.ones_like(x))
    assert y.shape == x.shape
    assert {y.dtype, dx.dtype, *(gradient.dtype for gradient in found.values())} == {x.dtype}
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@every_case
def test_an_empty_batch_passes_through(document, values):
    y, back = run(document, np.empty((0, 3)), fresh(document, (3,)))
    dx, found = back(np.empty((0, 3)))
    assert y.shape == dx.shape == (0, 3)
    assert not any(gradient.any() for gradient in found.values())


@every_case
def test_the_input_is_left_as_it_was(document, values):
    x = np.random.default_rng(0).normal(size=(2, 3))
    before = x.copy()
    run(document, x, fresh(document, (3,)))[1](np.ones_like(x))
    assert np.array_equal(x, before)


@every_case
def test_its_name_stands_for_its_document(document, values):
    assert parse(Activation, to_document(parse(Activation, document))) == parse(
        Activation, document
    )
    assert parse(Activation, document["type"]).type_name == document["type"]


def test_every_registered_activation_has_a_row():
    assert {document["type"] for document, _ in CASES} == set(registry.units(Activation))


def test_the_error_function_is_exact_to_the_last_digits():
    x = np.concatenate([np.linspace(-7, 7, 20_001), [0.46875, 4.0, 1e-300, 0.0, 1e10]])
    expected = np.array([math.erf(value) for value in x])
    assert np.abs(erf(x) - expected).max() < 3e-16
    assert np.isnan(erf(np.array([np.nan])))[0]
    assert erf(np.array([-0.5], "float32")).dtype == np.float32


@pytest.mark.parametrize(
    ("document", "shape", "pointer", "words"),
    [
        ({"type": "softmax", "axis": 3}, (3, 4), "/axis", "no axis of an example"),
        ({"type": "prelu"}, (None, 4), "/shared_axes", "axes whose size varies"),
        ({"type": "prelu", "shared_axes": [3]}, (2, 4), "/shared_axes/0", "3 is no axis"),
        ({"type": "adaptive", "base": "prelu"}, (4,), "/base", "weights of its own"),
        ({"type": "adaptive", "scope": "neuron"}, (None,), "/scope", "last axis of known size"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(document, shape, pointer, words):
    with pytest.raises(ArchitectureError, match=words) as caught:
        parse(Activation, document).output_shape(shape)
    assert caught.value.pointer == pointer


def test_prelu_shares_its_slope_along_axes():
    weights = parse(Activation, {"type": "prelu", "shared_axes": [1, 2]}).weights((None, 5, 3))
    assert weights["alpha"].shape == (1, 1, 3)
    document, x = {"type": "prelu", "shared_axes": [1]}, -np.ones((2, 3, 2))
    params = {"alpha": np.array([[0.5, 2]])}
    y, back = run(document, x, params)
    assert np.array_equal(y[0], [[-0.5, -2]] * 3)
    assert np.array_equal(back(np.ones_like(x))[1]["alpha"], [[-6, -6]])
