"""Evaluation: exact over batches, on what people read."""

import numpy as np
import pytest

from nncore import DocumentError, Network, evaluate

NETWORK = Network.from_spec({"layers": [{"type": "dense", "units": 3}]}, [4])
RNG = np.random.default_rng(0)
X, CLASSES, VALUES = RNG.normal(size=(50, 4)), RNG.integers(0, 3, 50), RNG.normal(size=(50, 3))


@pytest.mark.parametrize("batch_size", [1, 7, 50, 256])
def test_the_batch_size_does_not_matter(batch_size):
    params = NETWORK.init(0, "float64")
    found = evaluate(NETWORK, params, X, CLASSES, "cross_entropy", ["accuracy"], batch_size)
    loss, _ = NETWORK.loss_and_grads(params, X, CLASSES, "cross_entropy")
    accuracy = np.mean(NETWORK.predict(params, X).argmax(axis=1) == CLASSES)
    assert found == {"loss": pytest.approx(loss, rel=1e-13), "accuracy": accuracy}


def test_metrics_see_decoded_values():
    names = ["mean_absolute_error", "r2"]
    params = NETWORK.init(0, "float64")
    plain = evaluate(NETWORK, params, X, VALUES, "mean_squared_error", names)
    found = evaluate(
        NETWORK, params, X, VALUES, "mean_squared_error", names, decode=lambda v: 3 * v + 1
    )
    assert found["mean_absolute_error"] == pytest.approx(3 * plain["mean_absolute_error"])
    assert found["r2"] == pytest.approx(plain["r2"])
    assert found["loss"] == plain["loss"]


def test_dropout_is_off():
    layers = [{"type": "dropout", "rate": 0.9}, {"type": "dense", "units": 3}]
    network = Network.from_spec({"layers": layers}, [4])
    params = network.init()
    one, other = (evaluate(network, params, X, VALUES, "mean_squared_error") for _ in range(2))
    assert one == other


def test_what_cannot_be_evaluated_is_refused():
    params = NETWORK.init()
    with pytest.raises(DocumentError, match='"acuracy" is not a metric; did you mean "accuracy"'):
        evaluate(NETWORK, params, X, CLASSES, "cross_entropy", ["acuracy"])
    with pytest.raises(ValueError, match="there are no examples"):
        evaluate(NETWORK, params, X[:0], CLASSES[:0], "cross_entropy")
