"""What networks take as x, in which precision they answer, and how they refuse the rest."""

import numpy as np
import pytest

from nncore import DivergedError, Network, evaluate, fit

NETWORK = Network.from_spec({"input": {"shape": [4]}, "layers": [{"type": "dense", "units": 3}]})
PARAMS = NETWORK.init()
X, Y = np.ones((6, 4)), np.zeros((6, 3))


@pytest.mark.parametrize("dtype", ["complex64", "<U3", "S2", "M8[s]", "m8[s]"])
def test_what_holds_no_real_numbers_is_refused(dtype):
    with pytest.raises(ValueError, match="x must hold real numbers, got"):
        NETWORK.predict(PARAMS, np.zeros((2, 4), dtype))


@pytest.mark.parametrize("dtype", ["float16", "bool", "uint8", "int64", ">f4", "longdouble"])
def test_real_numbers_of_any_type_do(dtype):
    assert NETWORK.predict(PARAMS, np.ones((2, 4), dtype)).dtype == np.float32


def test_without_weights_the_precision_is_that_of_x():
    network = Network.from_spec(
        {"input": {"shape": [4]}, "layers": [{"type": "activation", "activation": "tanh"}]}
    )
    x = np.linspace(-1, 1, 8).reshape(2, 4)
    assert network.predict({}, x).dtype == np.float64
    assert (network.predict({}, x) == np.tanh(x)).all()
    assert network.predict({}, x.astype("f4")).dtype == np.float32
    assert network.predict({}, np.ones((2, 4), int)).dtype == np.float32
    slopes = network.input_gradients({}, x, np.zeros((2, 4)))
    assert slopes.dtype == np.float64
    assert network.trace({}, x, np.zeros((2, 4))).values["activation_1"].value.dtype == np.float64


@pytest.mark.parametrize("dtype", ["float16", "int32", "complex64", "longdouble"])
def test_weights_are_single_or_double(dtype):
    with pytest.raises(ValueError, match="dtype must be float32 or float64, got"):
        NETWORK.init(0, dtype)


@pytest.mark.parametrize("count", [0, -1])
def test_batches_and_shards_are_at_least_one(count):
    with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {count}"):
        NETWORK.predict(PARAMS, X, batch_size=count)
    with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {count}"):
        evaluate(NETWORK, PARAMS, X, Y, "mean_squared_error", batch_size=count)
    with pytest.raises(ValueError, match=f"shards must be at least 1, got {count}"):
        NETWORK.loss_and_grads(PARAMS, X, Y, shards=count)


LABELS = np.array([[1, 1, 1], [1, 2, -1]])


def test_ctc_says_that_there_are_too_few_steps():
    network = Network.from_spec(
        {"input": {"shape": [None, 3]}, "layers": [{"type": "dense", "units": 4}]}
    )
    with pytest.raises(ValueError, match="needs at least 5 steps, the outputs have 3"):
        network.loss_and_grads(network.init(), np.ones((2, 3, 3)), LABELS, "ctc")


def test_ctc_says_that_too_few_steps_hold_data():
    layers = [{"type": "masking"}, {"type": "dense", "units": 4}]
    network = Network.from_spec({"input": {"shape": [None, 3]}, "layers": layers})
    x = np.ones((2, 6, 3))
    x[0, 3:] = 0
    with pytest.raises(DivergedError, match="more labels than steps that hold data"):
        list(fit(network, network.init(), x, LABELS, {"loss": "ctc"}))


def test_targets_of_sequences_of_any_length_must_have_the_length_of_x():
    network = Network.from_spec(
        {"input": {"shape": [None, 3]}, "layers": [{"type": "dense", "units": 4}]}
    )
    with pytest.raises(ValueError, match="one class for each position"):
        network.loss_and_grads(
            network.init(), np.ones((2, 3, 3)), np.zeros((2, 5), int), "cross_entropy"
        )
