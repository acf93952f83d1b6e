"""What every regularizer promises, and that training adds it to the loss."""

import numpy as np
import pytest

from nncore import Network, evaluate, fit, registry
from nncore.documents import parse, to_document
from nncore.gradient_check import check_gradients, numeric_gradient, relative_error
from nncore.regularizers import Regularizer

W = np.array([[1.5, -2.0], [0.25, 3.0]])
CASES = [
    ({"type": "l1", "factor": 0.1}, 0.1 * 6.75),
    ({"type": "l2", "factor": 0.1}, 0.1 * (2.25 + 4 + 0.0625 + 9)),
    ({"type": "l1_l2", "l1": 0.1, "l2": 0.1}, 0.1 * 6.75 + 0.1 * (2.25 + 4 + 0.0625 + 9)),
]
every_row = pytest.mark.parametrize(("document", "penalty"), CASES, ids=str)
X = np.random.default_rng(0).normal(size=(6, 3))


def regularized(document, **fields):
    layer = {"type": "dense", "units": 2, "kernel_regularizer": document, **fields}
    return Network.from_spec({"layers": [layer, {"type": "dense", "units": 1}]}, [3])


@every_row
def test_the_penalty_is_that_of_the_formula(document, penalty):
    assert parse(Regularizer, document).penalty(W) == pytest.approx(penalty, rel=1e-15)


@every_row
def test_the_gradient_is_that_of_finite_differences(document, penalty):
    unit, weight = parse(Regularizer, document), W.copy()
    expected = numeric_gradient(lambda: unit.penalty(weight), weight)
    assert relative_error(unit.gradient(weight), expected) < 1e-8
    assert unit.gradient(weight.astype("float32")).dtype == np.float32


@every_row
def test_the_document_reads_back(document, penalty):
    assert to_document(parse(Regularizer, document)) == document


@every_row
def test_training_adds_it_to_the_loss_and_to_the_gradients(document, penalty):
    network, plain = regularized(document), regularized(None)
    params = network.init(0, "float64")
    extra = parse(Regularizer, document).penalty(params["dense_1.kernel"])
    loss, _ = plain.loss_and_grads(params, X, np.ones(6))
    for shards in (1, 2):
        found, _ = network.loss_and_grads(params, X, np.ones(6), shards=shards)
        assert found == pytest.approx(loss + extra, rel=1e-14)
    errors = check_gradients(network, params, X, np.ones(6), "mean_squared_error")
    assert max(errors.values()) < 1e-7


def test_evaluations_and_epochs_hold_it_too():
    network, plain = regularized("l2"), regularized(None)
    params = network.init(0, "float64")
    extra = parse(Regularizer, "l2").penalty(params["dense_1.kernel"])
    loss = evaluate(plain, params, X, np.ones(6), "mean_squared_error")["loss"]
    found = evaluate(network, params, X, np.ones(6), "mean_squared_error")["loss"]
    assert found == pytest.approx(loss + extra, rel=1e-14)
    still = {"optimizer": {"type": "sgd", "learning_rate": 0}, "epochs": 1, "batch_size": 4}
    (epoch,) = fit(network, params, X, np.ones(6), still, validation=(X, np.ones(6)))
    assert epoch.loss == pytest.approx(found, rel=1e-14)
    assert epoch.metrics["val_loss"] == pytest.approx(found, rel=1e-14)


def test_frozen_weights_are_not_penalised():
    network, plain = regularized("l2", trainable=False), regularized(None)
    params = network.init(0, "float64")
    expected = plain.loss_and_grads(params, X, np.ones(6))[0]
    assert network.loss_and_grads(params, X, np.ones(6))[0] == expected


def test_every_registered_regularizer_has_a_row():
    assert {document["type"] for document, _ in CASES} == set(registry.units(Regularizer))
