"""What every activation promises, from one table of documents and known values."""

import numpy as np
import pytest

from nncore import registry
from nncore.activations import Activation
from nncore.documents import parse, to_document
from nncore.gradient_check import numeric_gradient, relative_error
from nncore.passes import Pass, Run
from nncore.workspace import Workspace

E = np.e
# Document, and what it makes of (-1, 0, 2).
CASES = [
    ({"type": "linear"}, [-1, 0, 2]),
    ({"type": "relu"}, [0, 0, 2]),
    ({"type": "tanh"}, [np.tanh(-1), 0, np.tanh(2)]),
    ({"type": "sigmoid"}, [1 / (1 + E), 0.5, 1 / (1 + E**-2)]),
    ({"type": "softmax"}, np.array([E**-1, 1, E**2]) / (E**-1 + 1 + E**2)),
]

every_case = pytest.mark.parametrize(
    ("document", "values"), CASES, ids=[d["type"] for d, _ in CASES]
)


def run(document, x):
    activation = parse(Activation, document)
    pass_ = Pass(Run(Workspace(), training=True), "layer", 0)
    assert activation.weights(x.shape[1:]) == {}
    y, cache = activation.forward({}, x, pass_)
    return y, lambda dy: activation.backward({}, cache, dy.copy(), pass_)[0]


@every_case
def test_it_has_the_known_values(document, values):
    y, _ = run(document, np.array([[-1.0, 0, 2]]))
    assert np.allclose(y, [values], atol=1e-15)


@every_case
def test_its_gradient_is_that_of_finite_differences(document, values):
    rng = np.random.default_rng(0)
    x, pull = rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 2, 4))
    _, back = run(document, x)
    expected = numeric_gradient(lambda: float((run(document, x)[0] * pull).sum()), x)
    assert relative_error(back(pull), expected) < 1e-8


@every_case
def test_it_keeps_the_shape_and_the_precision_and_stays_finite(document, values):
    x = np.array([[[-1e4, 1e4]], [[0, 3]]], "float32")
    y, back = run(document, x)
    assert y.shape == x.shape
    assert y.dtype == back(np.ones_like(x)).dtype == np.float32
    assert np.isfinite(y).all()
    assert np.isfinite(back(np.ones_like(x))).all()


@every_case
def test_an_empty_batch_passes_through(document, values):
    y, back = run(document, np.empty((0, 3)))
    assert y.shape == back(np.empty((0, 3))).shape == (0, 3)


@every_case
def test_its_name_stands_for_its_document(document, values):
    activation = parse(Activation, document)
    assert parse(Activation, document["type"]) == activation
    assert parse(Activation, to_document(activation)) == activation


def test_every_registered_activation_has_a_row():
    assert {document["type"] for document, _ in CASES} == set(registry.units(Activation))
