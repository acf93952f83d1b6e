"""Models of Keras and PyTorch whose documents, weights and predictions are recorded.

Weights are float32 numbers, so that they take little space; predictions are made in float64.
"""

from __future__ import annotations

import itertools

import keras
import torch
from keras import layers
from torch import nn


def mlp():
    """Dense layers with activations of several kinds."""
    return keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8, activation="relu", kernel_regularizer="l2"),
            layers.Dropout(0.3),
            layers.Dense(5, kernel_initializer="he_normal"),
            layers.LeakyReLU(),
            layers.Dense(3, activation="softmax"),
        ],
        name="mlp",
    )


def cnn():
    """Convolutions, batch normalization, pooling, a trained rectifier and flattening."""
    return keras.Sequential(
        [
            layers.Input((8, 7, 2)),
            layers.Conv2D(4, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(max_value=6),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D((2, 1), depth_multiplier=2),
            layers.PReLU(shared_axes=[1, 2]),
            layers.SeparableConv2D(3, 2, activation="gelu"),
            layers.Conv2DTranspose(2, 2, strides=2),
            layers.Flatten(),
            layers.Dense(3),
        ],
        name="cnn",
    )


def lstm():
    """Two LSTMs over sequences of any length."""
    return keras.Sequential(
        [
            layers.Input((None, 3)),
            layers.Masking(),
            layers.LSTM(5, return_sequences=True),
            layers.LSTM(4, go_backwards=True, recurrent_activation="hard_sigmoid"),
            layers.Dense(2),
        ],
        name="lstm",
    )


def gru():
    """GRUs of both kinds, and a plain recurrent layer."""
    return keras.Sequential(
        [
            layers.Input((5, 3)),
            layers.GRU(4, return_sequences=True),
            layers.GRU(4, return_sequences=True, reset_after=False),
            layers.TimeDistributed(layers.Dense(3, activation="tanh")),
            layers.SimpleRNN(2),
        ],
        name="gru",
    )


def text():
    """A bidirectional LSTM over token ids with padding, built as a graph."""
    ids = layers.Input((6,), dtype="int32", name="ids")
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.Bidirectional(layers.GRU(3), merge_mode="sum")(layers.Dropout(0.2)(x))
    return keras.Model(ids, layers.Dense(1, activation="sigmoid")(x), name="text")


def graph():
    """Two inputs, two outputs, a shared layer, a model inside, a residual connection."""
    left, right = layers.Input((4,), name="left"), layers.Input((4,), name="right")
    tower = layers.Dense(4, activation="tanh", name="tower")
    inner = keras.Sequential([layers.Dense(4, activation="elu"), layers.LayerNormalization()])
    inner.name = "block"
    first, second = tower(left), tower(right)
    residual = layers.Add()([inner(first), left])
    both = layers.Concatenate()([residual, inner(second) * second])
    digit = layers.Dense(3, name="digit")(both)
    ink = layers.Dense(1, name="ink")(layers.Average()([residual, second]))
    return keras.Model([left, right], [digit, ink], name="graph")


KERAS = {"mlp": mlp, "cnn": cnn, "lstm": lstm, "gru": gru, "text": text, "graph": graph}


class TorchCnn(nn.Module):
    """Convolutions with batch normalization; flattened with the channels first."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 2, groups=2)
        self.up = nn.ConvTranspose2d(6, 3, 2, stride=2)
        self.norm2 = nn.BatchNorm1d(3 * 6 * 4)
        self.fc1 = nn.Linear(3 * 6 * 4, 5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x):
        """Of x (N, C, H, W)."""
        x = torch.max_pool2d(torch.relu(self.norm1(self.conv1(x))), 2)
        x = self.norm2(self.up(torch.tanh(self.conv2(x))).flatten(1))
        return self.fc2(torch.relu(self.fc1(x)))


class TorchRecurrent(nn.Module):
    """A recurrent module of two layers, its last step, and a linear map."""

    def __init__(self, kind, **options):
        super().__init__()
        self.cell = kind(3, 4, num_layers=2, batch_first=True, **options)
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        """Of x (N, T, F)."""
        return self.out(self.cell(x)[0][:, -1])


class TorchText(nn.Module):
    """Token ids, an embedding, an LSTM in both directions, a norm over each step."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.lstm = nn.LSTM(4, 3, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(6)
        self.out = nn.Linear(6, 1)

    def forward(self, ids):
        """Of ids (N, T)."""
        return torch.sigmoid(self.out(self.norm(self.lstm(self.embedding(ids))[0]).mean(1)))


class TorchFrames(nn.Module):
    """A convolution of every frame, flattened for a recurrent module."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 2)
        self.rnn = nn.RNN(2 * 3 * 2, 3, batch_first=True)
        self.conv1 = nn.Conv1d(3, 2, 2)
        self.out = nn.Linear(2 * 3, 2)

    def forward(self, x):
        """Of x (N, T, C, H, W)."""
        frames = self.conv(x.flatten(0, 1)).flatten(1)
        steps = self.rnn(frames.unflatten(0, x.shape[:2]))[0]
        return self.out(self.conv1(steps.transpose(1, 2)).flatten(1))


class TorchResidual(nn.Module):
    """Two inputs, two outputs, a shared layer and a residual connection."""

    def __init__(self):
        super().__init__()
        self.tower = nn.Linear(4, 4)
        self.slope = nn.PReLU()
        self.digit = nn.Linear(8, 3)
        self.ink = nn.Linear(8, 1)

    def forward(self, left, right):
        """left, right (N, 4)."""
        residual = self.slope(self.tower(left)) + left
        both = torch.cat([residual, self.slope(self.tower(right))], dim=-1)
        return self.digit(both), self.ink(both)


def torch_mlp():
    """Linear maps in a sequence, more than ten modules so that names do not sort as numbers."""
    widths = [6, 5, 5, 5, 5, 5, 5]
    hidden = [
        module
        for before, after in itertools.pairwise(widths)
        for module in (nn.Linear(before, after), nn.Tanh())
    ]
    return nn.Sequential(*hidden, nn.Linear(5, 3))


TORCH = {
    "mlp": torch_mlp,
    "cnn": TorchCnn,
    "lstm": lambda: TorchRecurrent(nn.LSTM),
    "gru": lambda: TorchRecurrent(nn.GRU),
    "text": TorchText,
    "frames": TorchFrames,
    "graph": TorchResidual,
}
