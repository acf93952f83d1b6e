"""A model of one layer for each of Keras' layers that can be imported."""

from __future__ import annotations

import keras
from keras import layers

VECTOR, SEQUENCE, IMAGE = (6,), (6, 4), (6, 5, 4)
CELL = {"units": 2, "dropout": 0.1, "recurrent_dropout": 0.2, "recurrent_regularizer": "l1"}
SINGLE = {
    "Activation": (VECTOR, {"activation": "swish"}),
    "AveragePooling1D": (SEQUENCE, {"pool_size": 2, "padding": "same"}),
    "AveragePooling2D": (IMAGE, {"pool_size": 2, "strides": 1}),
    "BatchNormalization": (IMAGE, {"momentum": 0.9, "beta_regularizer": "l2"}),
    "Conv1D": (SEQUENCE, {"filters": 2, "kernel_size": 3, "padding": "causal"}),
    "Conv1DTranspose": (SEQUENCE, {"filters": 2, "kernel_size": 3, "strides": 2}),
    "Conv2D": (IMAGE, {"filters": 2, "kernel_size": (3, 2), "groups": 2, "dilation_rate": 2}),
    "Conv2DTranspose": (IMAGE, {"filters": 2, "kernel_size": 3, "output_padding": 0}),
    "Cropping1D": (SEQUENCE, {"cropping": (1, 2)}),
    "Cropping2D": (IMAGE, {"cropping": ((1, 0), (2, 1))}),
    "Dense": (VECTOR, {"units": 2, "activation": layers.ReLU(max_value=6)}),
    "DepthwiseConv2D": (IMAGE, {"kernel_size": 2, "depth_multiplier": 2}),
    "Dropout": (VECTOR, {"rate": 0.2}),
    "ELU": (VECTOR, {"alpha": 0.5}),
    "Embedding": (VECTOR, {"input_dim": 5, "output_dim": 2, "mask_zero": True}),
    "Flatten": (IMAGE, {}),
    "GRU": (SEQUENCE, {**CELL, "reset_after": False}),
    "GaussianDropout": (VECTOR, {"rate": 0.2}),
    "GaussianNoise": (VECTOR, {"stddev": 0.2}),
    "GlobalAveragePooling1D": (SEQUENCE, {}),
    "GlobalAveragePooling2D": (IMAGE, {"keepdims": True}),
    "GlobalMaxPooling1D": (SEQUENCE, {}),
    "GlobalMaxPooling2D": (IMAGE, {}),
    "GroupNormalization": (IMAGE, {"groups": 2}),
    "Identity": (VECTOR, {}),
    "LSTM": (SEQUENCE, {**CELL, "unit_forget_bias": False, "recurrent_activation": "tanh"}),
    "LayerNormalization": (IMAGE, {"axis": (2, 3)}),
    "LeakyReLU": (VECTOR, {}),
    "Masking": (SEQUENCE, {"mask_value": 1.0}),
    "MaxPooling1D": (SEQUENCE, {}),
    "MaxPooling2D": (IMAGE, {"pool_size": 3, "padding": "same"}),
    "PReLU": (IMAGE, {"shared_axes": [1, 2]}),
    "Permute": (IMAGE, {"dims": (3, 1, 2)}),
    "ReLU": (VECTOR, {"threshold": 0.5}),
    "RepeatVector": (VECTOR, {"n": 3}),
    "Reshape": (VECTOR, {"target_shape": (3, -1)}),
    "SeparableConv2D": (IMAGE, {"filters": 2, "kernel_size": 2, "pointwise_regularizer": "l2"}),
    "SimpleRNN": (SEQUENCE, {**CELL, "go_backwards": True, "return_sequences": True}),
    "Softmax": (IMAGE, {"axis": 1}),
    "SpatialDropout1D": (SEQUENCE, {"rate": 0.2}),
    "SpatialDropout2D": (IMAGE, {"rate": 0.2}),
    "UpSampling1D": (SEQUENCE, {"size": 3}),
    "UpSampling2D": (IMAGE, {"size": (1, 2), "interpolation": "bilinear"}),
    "ZeroPadding1D": (SEQUENCE, {"padding": (0, 2)}),
    "ZeroPadding2D": (IMAGE, {"padding": ((0, 1), (2, 3))}),
}
WRAPPED = {
    "Bidirectional": lambda: layers.Bidirectional(layers.GRU(2), merge_mode="ave"),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(2)),
}
JOINING = {
    "Add": {},
    "Average": {},
    "Concatenate": {"axis": 1},
    "Dot": {"axes": (1, 2), "normalize": True},
    "Maximum": {},
    "Minimum": {},
    "Multiply": {},
    "Subtract": {},
}
INITIALIZERS = {
    "Constant": {"value": 0.5},
    "GlorotNormal": {},
    "GlorotUniform": {},
    "HeNormal": {},
    "HeUniform": {},
    "Identity": {},
    "LecunNormal": {},
    "LecunUniform": {},
    "Ones": {},
    "Orthogonal": {"gain": 2.0},
    "RandomNormal": {"stddev": 0.1},
    "RandomUniform": {"maxval": 0.1},
    "TruncatedNormal": {"mean": 0.5},
    "VarianceScaling": {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform"},
    "Zeros": {},
}


def one_layer_models():
    """A built model by class of layer, and one by initializer."""
    models = {}
    for name, (shape, options) in SINGLE.items():
        made = getattr(layers, name)(**options)
        models[name] = keras.Sequential([layers.Input(shape), made])
    for name, make in WRAPPED.items():
        models[name] = keras.Sequential([layers.Input(SEQUENCE), make()])
    for name, options in JOINING.items():
        inputs = [layers.Input((4, 4)), layers.Input((4, 4))]
        models[name] = keras.Model(inputs, getattr(layers, name)(**options)(inputs))
    for name, options in INITIALIZERS.items():
        start = getattr(keras.initializers, name)(**options)
        made = layers.Dense(4, kernel_initializer=start)
        models[f"initializer {name}"] = keras.Sequential([layers.Input((4,)), made])
    return models
