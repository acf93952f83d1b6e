"""Worked examples with full numbers: single neurons, small networks, convolution, optimizers.

Every value is known from outside (derived by hand or computed by other programs). Where an example
uses E = half the sum of squared errors, the mean squared error stands in with a scaled learning
rate: for n squared errors E = n / 2 times the mean.
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
from nncore.losses.mean_squared_error import MeanSquaredError
from nncore.optimizers import Optimizer
from nncore.passes import Pass, Run
from nncore.workspace import Workspace


def close(found, expected, within=1e-10):
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), rtol=0, atol=within)


def dense_network(inputs, *units, activation="sigmoid"):
    layers = [{"type": "dense", "units": n, "activation": activation} for n in units]
    return Network.from_spec({"input": {"shape": [inputs]}, "layers": layers})


def double(**arrays):
    """Weights in float64, `kernel_1` for `dense_1.kernel`."""
    return {
        f"dense_{name[-1]}.{name[:-2]}": np.array(array, dtype=np.float64)
        for name, array in arrays.items()
    }


def descend(params, gradients, rate, but=()):
    for name, gradient in gradients.items():
        if not name.endswith(tuple(but) or " "):
            params[name] -= rate * gradient


def single_pass():
    return Pass(Run(Workspace()), "layer", 0)


def derivative(activation, x):
    x = np.array([[x]], dtype=np.float64)
    pass_ = single_pass()
    _, cache = activation.forward({}, x, pass_)
    return activation.backward({}, cache, np.ones_like(x), pass_)[0].item()


class TestG1OneNeuron:
    def test_its_net_input_output_and_derivative(self):
        network = dense_network(2, 1)
        linear = dense_network(2, 1, activation="linear")
        params = double(kernel_1=[[0.3], [1]], bias_1=[0])
        close(linear.predict(params, [[1.1, 2.6]]), 2.93)
        close(network.predict(params, [[1.1, 2.6]]), 0.9493096750687)
        close(derivative(Sigmoid(), 2.93), 0.0481208158896)


class TestG2SigmoidNetwork:
    X, T = [[0.05, 0.10]], [[0.01, 0.99]]
    NETWORK = dense_network(2, 2, 2)
    # One example and two outputs: E is the mean squared error itself.
    RATE = 0.5

    def params(self):
        return double(
            kernel_1=np.transpose([[0.15, 0.20], [0.25, 0.30]]),
            bias_1=[0.35, 0.35],
            kernel_2=np.transpose([[0.40, 0.45], [0.50, 0.55]]),
            bias_2=[0.60, 0.60],
        )

    def test_forward(self):
        params = self.params()
        hidden = dense_network(2, 2)
        close(hidden.predict(params, self.X), [0.593269992107, 0.59688437826])
        net = np.array(self.X) @ params["dense_1.kernel"] + params["dense_1.bias"]
        close(net, [0.3775, 0.3925])
        outputs = self.NETWORK.predict(params, self.X)
        close(outputs, [0.751365069552, 0.772928465321])
        close(np.log(outputs / (1 - outputs)), [1.10590596706, 1.224921404096])

    def test_backward(self):
        loss, gradients = self.NETWORK.loss_and_grads(self.params(), self.X, self.T)
        close(loss, 0.298371108760)
        close(gradients["dense_2.bias"], [0.138498561629, -0.038098236517])
        close(gradients["dense_1.bias"], [0.008771354689, 0.009954254705])
        close(
            gradients["dense_2.kernel"].T,
            [0.082167040564, 0.082667627848, -0.022602540477, -0.022740242216],
        )
        close(
            gradients["dense_1.kernel"].T,
            [0.000438567734, 0.000877135469, 0.000497712735, 0.000995425471],
        )

    def test_one_update_with_frozen_biases(self):
        params = self.params()
        _, gradients = self.NETWORK.loss_and_grads(params, self.X, self.T)
        descend(params, gradients, self.RATE, but=["bias"])
        close(
            params["dense_2.kernel"].T,
            [0.358916479718, 0.408666186076, 0.511301270239, 0.561370121108],
        )
        close(
            params["dense_1.kernel"].T,
            [0.149780716133, 0.199561432266, 0.249751143632, 0.299502287265],
        )
        close(self.NETWORK.loss_and_grads(params, self.X, self.T)[0], 0.291027773694)

    def test_one_update_of_biases_too(self):
        params = self.params()
        _, gradients = self.NETWORK.loss_and_grads(params, self.X, self.T)
        descend(params, gradients, self.RATE)
        close(params["dense_1.bias"], [0.345614322655, 0.345022872647])
        close(params["dense_2.bias"], [0.530750719186, 0.619049118258])
        close(self.NETWORK.loss_and_grads(params, self.X, self.T)[0], 0.280471446791)

    def test_ten_thousand_updates_with_frozen_biases(self):
        params = self.params()
        for _ in range(10_000):
            _, gradients = self.NETWORK.loss_and_grads(params, self.X, self.T)
            descend(params, gradients, self.RATE, but=["bias"])
        close(self.NETWORK.loss_and_grads(params, self.X, self.T)[0], 3.510188e-5, 1e-7)
        close(self.NETWORK.predict(params, self.X), [0.0159136, 0.9840643], 1e-7)


class TestG4ReluNetwork:
    NETWORK = Network.from_spec(
        {
            "input": {"shape": [1]},
            "layers": [
                {"type": "dense", "units": 2, "activation": "relu"},
                {"type": "dense", "units": 2, "activation": "relu"},
                {"type": "dense", "units": 1},
            ],
        }
    )
    X, Y = [[2.0]], [[1.0]]

    def params(self, kernel=(0.5, -0.3), bias=(0.1, 0.9)):
        return double(
            kernel_1=[kernel],
            bias_1=bias,
            kernel_2=np.transpose([[0.4, -0.2], [0.7, 0.6]]),
            bias_2=[0.05, -0.15],
            kernel_3=np.transpose([[0.8, -0.5]]),
            bias_3=[0.2],
        )

    def hidden(self, layers):
        layers = [{"type": "dense", "units": 2, "activation": "relu"}] * layers
        return Network.from_spec({"input": {"shape": [1]}, "layers": layers})

    def test_forward(self):
        params = self.params()
        close(self.hidden(1).predict(params, self.X), [1.1, 0.3])
        close(self.hidden(2).predict(params, self.X), [0.43, 0.8])
        close(self.NETWORK.predict(params, self.X), 0.144)

    def test_backward(self):
        loss, gradients = self.NETWORK.loss_and_grads(self.params(), self.X, self.Y)
        close(loss, 0.732736)
        close(gradients["dense_1.kernel"], [0.10272, 1.57504])
        close(gradients["dense_1.bias"], [0.05136, 0.78752])
        close(gradients["dense_2.kernel"].T, [-1.50656, -0.41088, 0.9416, 0.2568])
        close(gradients["dense_2.bias"], [-1.3696, 0.856])
        close(gradients["dense_3.kernel"], [-0.73616, -1.3696])
        close(gradients["dense_3.bias"], -1.712)

    def test_one_update(self):
        params = self.params()
        descend(params, self.NETWORK.loss_and_grads(params, self.X, self.Y)[1], 0.1)
        close(params["dense_1.kernel"], [0.489728, -0.457504])
        close(params["dense_1.bias"], [0.094864, 0.821248])
        close(params["dense_2.kernel"].T, [0.550656, -0.158912, 0.60584, 0.57432])
        close(params["dense_2.bias"], [0.18696, -0.2356])
        close(params["dense_3.kernel"], [0.873616, -0.36304])
        close(params["dense_3.bias"], 0.3712)
        close(self.NETWORK.predict(params, self.X), 0.900587480181)
        close(self.NETWORK.loss_and_grads(params, self.X, self.Y)[0], 0.009882849097)

    def test_dead_units_pass_no_gradient(self):
        params = self.params((-0.5, -0.3), (0.1, 0.2))
        close(self.NETWORK.predict(params, self.X), 0.24)
        loss, gradients = self.NETWORK.loss_and_grads(params, self.X, self.Y)
        close(loss, 0.5776)
        close(gradients["dense_2.bias"], [-1.216, 0])
        close(gradients["dense_3.kernel"], [-0.076, 0])
        close(gradients["dense_3.bias"], -1.52)
        for name in ("dense_1.kernel", "dense_1.bias", "dense_2.kernel"):
            assert not gradients[name].any()
        descend(params, gradients, 0.1)
        close(self.NETWORK.loss_and_grads(params, self.X, self.Y)[0], 0.259504498043)


class TestG5Xor:
    A = np.array([[0.1, 0.2, -0.3], [-0.2, 0.4, 0.5], [0.3, -0.1, 0.6]])
    B = np.array([-0.1, 0.3, -0.4, 0.2])
    X, T = [[0.0, 0.0]], [[0.0]]
    # One squared error: E is half the mean, and the learning rate 1 for E is 1/2 for the mean.
    HALF = 0.5

    def params(self):
        return double(
            kernel_1=self.A[:, 1:].T, bias_1=self.A[:, 0], kernel_2=self.B[1:, None], bias_2=[-0.1]
        )

    def test_one_sample(self):
        network, params = dense_network(2, 3, 1), self.params()
        hidden = dense_network(2, 3).predict(params, self.X)
        close(hidden, [0.524979187479, 0.450166002688, 0.574442516812])
        close(network.predict(params, self.X), 0.498078974085)
        loss, gradients = network.loss_and_grads(params, self.X, self.T)
        close(self.HALF * loss, 0.124041332213)
        close(self.HALF * gradients["dense_2.bias"], 0.124517905440)
        close(
            self.HALF * gradients["dense_2.kernel"],
            [0.065369308825, 0.056053727755, 0.071528378989],
        )
        close(
            self.HALF * gradients["dense_1.bias"], [0.009315534658, -0.012328098078, 0.006087887388]
        )
        assert not gradients["dense_1.kernel"].any()
        descend(params, gradients, self.HALF)
        close(params["dense_2.bias"], -0.22451790544)
        close(params["dense_2.kernel"], [0.234630691175, -0.456053727755, 0.128471621011])
        close(params["dense_1.bias"], [0.090684465342, -0.187671901922, 0.293912112612])
        close(network.predict(params, self.X), 0.441526060348)
        close(self.HALF * network.loss_and_grads(params, self.X, self.T)[0], 0.097472630983)

    def test_one_sample_without_activations(self):
        network, params = dense_network(2, 3, 1, activation="linear"), self.params()
        close(network.predict(params, self.X), 0.07)
        loss, gradients = network.loss_and_grads(params, self.X, self.T)
        close(self.HALF * loss, 0.00245)
        close(self.HALF * gradients["dense_2.bias"], 0.07)
        close(self.HALF * gradients["dense_2.kernel"], [0.007, -0.014, 0.021])
        close(self.HALF * gradients["dense_1.bias"], [0.021, -0.028, 0.014])
        descend(params, gradients, self.HALF)
        close(network.predict(params, self.X), -0.029267)

    def test_full_batch(self):
        network, params = dense_network(2, 3, 1), self.params()
        x, t = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
        # Four squared errors, summed: E is twice the mean.
        found = {}
        for step in range(5_001):
            loss, gradients = network.loss_and_grads(params, x, t)
            found[step] = 2 * loss
            descend(params, gradients, 2)
        close(found[0], 0.500732523367)
        close(found[1_000], 0.011998314395)
        close(found[5_000], 6.2215118e-4)


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

    def test_max_pooling(self):
        a = np.random.RandomState(1).randn(2, 4, 4, 3)
        layer = {"type": "max_pool2d", "pool_size": 3, "strides": 2}
        network = Network.from_spec({"input": {"shape": [4, 4, 3]}, "layers": [layer]})
        close(
            network.predict({"any": a}, a),
            [1.7448117642, 0.8654076293, 1.1337694423, 1.1316293875, 1.5198168164, 2.1855754065],
        )

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
        value, _ = MeanSquaredError().forward(np.array([[0.7, 0.2, 0.1]]), np.array([[1, 0, 0]]), 3)
        close(value * 3 / 2, 0.07)

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
