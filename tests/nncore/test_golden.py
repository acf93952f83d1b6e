"""Worked examples with full numbers: single neurons and small networks (G1, G2, G4, G5).

Every value is known from outside (derived by hand or computed by other programs). Where an example
uses E = half the sum of squared errors, the mean squared error stands in with a scaled learning
rate: for n squared errors E = n / 2 times the mean.
"""

from __future__ import annotations

import numpy as np

from nncore import Network
from nncore.activations.sigmoid import Sigmoid
from tests.nncore.worked_examples import close, dense_network, derivative, double


def descend(params, gradients, rate, but=()):
    for name, gradient in gradients.items():
        if not name.endswith(tuple(but) or " "):
            params[name] -= rate * gradient


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
