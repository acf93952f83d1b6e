"""Maximum pooling: margins and ties."""

import numpy as np
import pytest

from nncore import ArchitectureError, Network


def network(shape, **fields):
    return Network.from_spec(
        {"input": {"shape": shape}, "layers": [{"type": "max_pool2d", **fields}]}
    )


def test_margins_never_win_against_negative_values():
    x = -np.ones((1, 3, 3, 1))
    y = network([3, 3, 1], padding="same").predict({}, x)
    assert np.array_equal(y, -np.ones((1, 2, 2, 1)))


def test_the_first_of_equal_values_gets_the_whole_gradient():
    net = Network.from_spec(
        {
            "input": {"shape": [2, 2, 1]},
            "layers": [
                {"type": "conv2d", "filters": 1, "kernel_size": 1, "use_bias": False},
                {"type": "max_pool2d"},
            ],
        }
    )
    params = {"conv2d_1.kernel": np.ones((1, 1, 1, 1))}
    # y = w * 1 = 1 and t = 0, so dL/dw is 2 if one of the four equal values gets it.
    _, gradients = net.loss_and_grads(params, np.ones((1, 2, 2, 1)), np.zeros((1, 1, 1, 1)))
    assert gradients["conv2d_1.kernel"].item() == 2


def test_a_window_larger_than_the_image_is_refused_with_its_mend():
    with pytest.raises(ArchitectureError) as error:
        network([1, 4, 1])
    assert str(error.value) == (
        "layers[0].pool_size: 2 is larger than the input's height 1; "
        'use padding "same" or a smaller pool'
    )
