"""Binary layers: what they compute, and gradients with the signs' stand-in derivatives."""

import numpy as np
import pytest

from nncore import Network, fit
from nncore.binarization import BinaryKernel
from nncore.documents import parse
from nncore.estimators import signs, surrogate
from nncore.gradient_check import numeric_gradient
from nncore.layers import Layer
from nncore.passes import Pass, Run
from nncore.workspace import Workspace

ESTIMATORS = ("straight_through", "error_decay")


def layer(**fields):
    document = {"type": "binary_dense", "units": 3, **fields}
    return Network.from_spec({"input": {"shape": [5]}, "layers": [document]})


def test_signs_are_multiplied():
    network = layer(use_bias=False)
    kernel = np.array([[0.5, -0.1, 0.0]] * 5)
    x = np.array([[0.2, -0.3, 0.0, 4.0, -5.0]])
    assert np.array_equal(network.predict({"binary_dense_1.kernel": kernel}, x), [[1, -1, 1]])


def test_error_decay_standardises_and_scales_by_powers_of_two():
    weight = np.random.default_rng(0).normal(2, 3, size=(50, 4))
    kernel = BinaryKernel.of(weight, "error_decay")
    assert np.array_equal(np.sign(kernel.value), signs(weight - weight.mean(axis=0)))
    assert np.array_equal(np.unique(np.abs(kernel.value)), [1])  # mean |v| of a normal is .8
    rare = np.zeros((50, 1))
    rare[0] = 1
    size = np.abs((rare - 0.02) / rare.std()).mean()
    assert np.abs(BinaryKernel.of(rare, "error_decay").value).max() == 2.0 ** np.round(
        np.log2(size)
    )


@pytest.mark.parametrize("progress", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_kernels_gradient_goes_through_the_stand_in(estimator, progress):
    rng = np.random.default_rng(0)
    weight, pull = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    kernel = BinaryKernel.of(weight, estimator)
    scale = 1.0 if kernel.scale is None else kernel.scale
    # Around this weight the stand-in for pull . value is pull scale sign'(v) . v.
    slope = pull * scale * surrogate(kernel.latent, estimator, progress)
    expected = numeric_gradient(
        lambda: float((slope * BinaryKernel.of(weight, estimator).latent).sum()), weight
    )
    assert np.allclose(kernel.back(pull, estimator, progress), expected, atol=1e-8)


@pytest.mark.parametrize("kind", ["binary_dense", "binary_conv2d"])
def test_the_inputs_gradient_goes_through_the_stand_in(kind):
    size = {"units": 2} if kind == "binary_dense" else {"filters": 2, "kernel_size": 2}
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3, 3, 2))
    seen = {kind: x, kind.removeprefix("binary_"): signs(x)}
    found = {}
    for type_name, inputs in seen.items():
        operation = parse(Layer, {"type": type_name, **size})
        shapes = {name: w.shape for name, w in operation.weights((3, 3, 2)).items()}
        params = {
            name: signs(np.cos(np.arange(np.prod(s)))).reshape(s) for name, s in shapes.items()
        }
        pass_ = Pass(Run(Workspace(), training=True, progress=0.5), "it", 0)
        y, cache = operation.forward(params, inputs, pass_)
        pull = np.sin(np.arange(y.size)).reshape(y.shape)
        found[type_name] = y.copy(), operation.backward(params, cache, pull, pass_)[0].copy()
    (y, dx), (plain_y, plain_dx) = found.values()
    assert np.array_equal(y, plain_y)
    assert np.array_equal(dx, plain_dx * surrogate(x, "straight_through", 0.5))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_binary_hidden_layer_learns(estimator):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    y = (x[:, 0] + np.abs(x[:, 1]) > 0.8).astype(int)
    network = Network.from_spec(
        {
            "input": {"shape": [4]},
            "layers": [
                {"type": "dense", "units": 32, "activation": "tanh"},
                {"type": "binary_dense", "units": 32, "estimator": estimator},
                {"type": "dense", "units": 2},
            ],
        }
    )
    config = {"epochs": 60, "batch_size": 50, "metrics": ["accuracy"]}
    config["optimizer"] = {"type": "adam", "learning_rate": 0.01}
    *_, last = fit(network, network.init(seed=1), x, y, config)
    assert last.metrics["accuracy"] > 0.9


def test_error_decay_sharpens_over_a_run():
    x = np.ones((4, 1), "float32")
    document = {"type": "activation", "activation": {"type": "binary", "estimator": "error_decay"}}
    dense = {"type": "dense", "units": 1, "use_bias": False}
    network = Network.from_spec({"input": {"shape": [1]}, "layers": [dense, document]})
    params = {"dense_1.kernel": np.full((1, 1), 0.5)}
    config = {"epochs": 5, "batch_size": None, "optimizer": {"type": "sgd"}}
    config["optimizer"]["learning_rate"] = 1e-12
    # y = 1, target 0: dL/dw = 2 k t (1 - tanh^2(t / 2)) with t = .001 * 10^(4 step / 5).
    norms = [epoch.gradient_norm for epoch in fit(network, params, x, 0 * x, config)]
    slopes = [surrogate(np.array([0.5]), "error_decay", step / 5).item() for step in range(5)]
    assert norms == pytest.approx([2 * slope for slope in slopes], rel=1e-9)
