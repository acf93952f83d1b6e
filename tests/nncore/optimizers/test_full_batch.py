"""L-BFGS in a training run: all examples in each step, or a clear refusal."""

import numpy as np
import pytest

from nncore import ConfigError, Network, fit

X = np.random.default_rng(0).normal(size=(30, 3))
Y = X @ np.array([[1.0], [-2], [0.5]]) + 0.25
NETWORK = Network.from_spec({"input": {"shape": [3]}, "layers": [{"type": "dense", "units": 1}]})


def test_it_solves_linear_regression_in_a_few_epochs():
    params = NETWORK.init(seed=1, dtype="float64")
    config = {"optimizer": "lbfgs", "batch_size": None, "epochs": 5, "shards": 2}
    *_, last = fit(NETWORK, params, X, Y, config)
    assert last.loss < 1e-10
    assert np.allclose(params["dense_1.kernel"], [[1], [-2], [0.5]], atol=1e-5)


def test_a_part_of_the_examples_is_refused_with_the_mend():
    with pytest.raises(ConfigError, match="all examples in each step, 30; set batch_size") as error:
        fit(NETWORK, NETWORK.init(), X, Y, {"optimizer": "lbfgs", "batch_size": 10})
    assert error.value.pointer == "/batch_size"


def test_a_batch_as_large_as_the_examples_is_all_of_them():
    params = NETWORK.init(dtype="float64")
    (epoch,) = fit(NETWORK, params, X, Y, {"optimizer": "lbfgs", "batch_size": 30, "epochs": 1})
    assert epoch.step == 1
