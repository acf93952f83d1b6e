"""Worked examples with full numbers: convolution and pooling (G6), losses and optimizers (G8).

Every value is known from outside (derived by hand or computed by other programs).
"""

from __future__ import annotations

import numpy as np
import pytest

from nncore import Network
from nncore.activations.sigmoid import Sigmoid
from nncore.activations.softmax import Softmax
from nncore.activations.tanh import Tanh
from nncore.documents import parse
from nncore.losses.cross_entropy import CrossEntropy
from nncore.losses.mean_squared_error import HalfSumSquaredError
from nncore.optimizers import Optimizer
from tests.nncore.worked_examples import close, dense_network, derivative, single_pass


class TestG6ConvolutionAndPooling:
    def test_a_three_by_three_image(self):
        network = Network.from_spec(
            {
                "input": {"shape": [3, 3, 1]},
                "layers": [{"type": "conv2d", "filters": 1, "kernel_size": 2}],
            }
        )
        (stage,) = network.stages
        params = {"kernel": np.array([[1.0, 2], [3, 4]]).reshape(2, 2, 1, 1), "bias": np.zeros(1)}
        x = np.arange(1.0, 10).reshape(1, 3, 3, 1)
        pass_ = single_pass()
        y, cache = stage.operation.forward(params, x, pass_)
        close(y, [37, 47, 67, 77])
        dy = np.array([0.1, 0.2, 0.3, 0.4]).reshape(1, 2, 2, 1)
        dx, gradients = stage.operation.backward(params, cache, dy, pass_)
        close(gradients["kernel"], [3.7, 4.7, 6.7, 7.7])
        close(gradients["bias"], 1)
        close(dx, [0.1, 0.4, 0.4, 0.6, 2, 1.6, 0.9, 2.4, 1.6])

    def test_eight_filters_with_padding_and_stride(self):
        random = np.random.RandomState(1)
        a, w, b = random.randn(10, 4, 4, 3), random.randn(2, 2, 3, 8), random.randn(1, 1, 1, 8)
        layer = {"type": "conv2d", "filters": 8, "kernel_size": 2, "strides": 2}
        network = Network.from_spec({"input": {"shape": [8, 8, 3]}, "layers": [layer]})
        (stage,) = network.stages
        params, pass_ = {"kernel": w, "bias": b.reshape(8)}, single_pass()
        padded = np.pad(a, ((0, 0), (2, 2), (2, 2), (0, 0)))
        z, cache = stage.operation.forward(params, padded, pass_)
        close(z.mean(), 0.048995203528856)
        dx, gradients = stage.operation.backward(params, cache, z.copy(), pass_)
        close(dx[:, 2:-2, 2:-2].mean(), 1.452437777539)
        close(gradients["kernel"].mean(), 1.726991458314)
        close(gradients["bias"].mean(), 7.839232564617)

    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            (
                "max",
                [
                    1.7448117642, 0.8654076293, 1.1337694423,
                    1.1316293875, 1.5198168164, 2.1855754065,
                ],
            ),
            (
                "avg",
                [
                    0.0210577272, -0.2032880555, -0.4038985516,
                    -0.2215462141, 0.5171652567, 0.4815584414,
                ],
            ),
        ],
    )  # fmt: skip
    def test_pooling(self, kind, values):
        a = np.random.RandomState(1).randn(2, 4, 4, 3)
        layer = {"type": f"{kind}_pool2d", "pool_size": 3, "strides": 2}
        network = Network.from_spec({"input": {"shape": [4, 4, 3]}, "layers": [layer]})
        close(network.predict({"any": a}, a), values)

    def test_max_pooling_backwards(self):
        random = np.random.RandomState(1)
        a, da = random.randn(5, 5, 3, 2), random.randn(5, 4, 2, 2)
        layer = {"type": "max_pool2d", "pool_size": 2, "strides": 1}
        network = Network.from_spec({"input": {"shape": [5, 3, 2]}, "layers": [layer]})
        pass_, operation = single_pass(), network.stages[0].operation
        _, cache = operation.forward({}, a, pass_)
        dx, _ = operation.backward({}, cache, da, pass_)
        close(dx[1, 1], [[0, 0], [5.0584439353, -1.6828270216], [0, 0]])


class TestG8LossesAndOptimizers:
    LOGITS = np.array([[2, 1, 0.1]])

    def test_softmax(self):
        y, _ = Softmax().forward({}, self.LOGITS, single_pass())
        close(y, [0.6590011389, 0.2424329707, 0.0985658904])

    def test_cross_entropy(self):
        value, slope = CrossEntropy().forward(self.LOGITS, np.array([0]), 1)
        close(value, 0.4170300163)
        close(slope, [-0.3409988611, 0.2424329707, 0.0985658904])

    def test_half_sum_of_squares(self):
        loss, targets = HalfSumSquaredError(), np.array([[1, 0, 0]])
        value, _ = loss.forward(np.array([[0.7, 0.2, 0.1]]), targets, loss.terms(targets))
        close(value, 0.07)

    @pytest.mark.parametrize(
        ("optimizer", "weights"),
        [
            ({"type": "sgd"}, [0.95, 0.975, 0.965]),
            ({"type": "sgd", "momentum": 0.9}, [0.95, 0.93, 0.902]),
            ({"type": "adam"}, [0.900000002, 0.8733662987, 0.8418419430]),
        ],
        ids=["sgd", "momentum", "adam"],
    )
    def test_three_steps(self, optimizer, weights):
        optimizer = parse(Optimizer, {**optimizer, "learning_rate": 0.1})
        params = {"w": np.array([1.0])}
        state, found = optimizer.start(params), []
        for step, gradient in enumerate((0.5, -0.25, 0.1), 1):
            optimizer.update(params, {"w": np.array([gradient])}, state, step, 0.1)
            found.append(params["w"].item())
        close(found, weights)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
    def test_huge_logits_stay_finite(self, dtype, loss):
        network = dense_network(1, 2, activation="linear")
        params = {
            "dense_1.kernel": np.array([[1e4, -1e4]], dtype),
            "dense_1.bias": np.zeros(2, dtype),
        }
        y = [0, 1] if loss == "cross_entropy" else [[0, 1], [1, 0]]
        value, gradients = network.loss_and_grads(params, [[1], [-1]], y, loss)
        assert np.isfinite(value)
        assert all(np.isfinite(gradient).all() for gradient in gradients.values())

    def test_the_mean_of_minibatch_gradients_is_the_batch_gradient(self):
        network, random = dense_network(4, 5, 3), np.random.default_rng(0)
        params, x = network.init(0, "float64"), random.normal(size=(12, 4))
        y = random.integers(0, 3, 12)
        _, whole = network.loss_and_grads(params, x, y, "cross_entropy")
        parts = [
            network.loss_and_grads(params, x[i : i + 3], y[i : i + 3], "cross_entropy")[1]
            for i in range(0, 12, 3)
        ]
        for name, gradient in whole.items():
            close(np.mean([part[name] for part in parts], axis=0), gradient, 1e-12)

    def test_derivatives_where_functions_saturate(self):
        close(derivative(Tanh(), 5.0), 1.8158e-4, 5e-9)
        close(derivative(Sigmoid(), 10.0), 4.5396e-5, 5e-10)
