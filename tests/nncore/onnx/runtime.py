"""Exported networks checked, and run side by side with the original."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime

from nncore import to_onnx

TOLERANCE = 1e-5


def draw(rows, shape, seed, below=None):
    """Random examples; ids below a number if one is given."""
    rng = np.random.default_rng(seed)
    if below is not None:
        return rng.integers(0, below, (rows, *shape)).astype(np.int32)
    return rng.normal(size=(rows, *shape)).astype(np.float32)


def random_weights(network, seed=3):
    """Weights that are not those it starts with, variances positive."""
    rng = np.random.default_rng(seed)
    params = {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in network.weight_shapes.items()
    }
    return {
        name: weight**2 if name.endswith("variance") else weight for name, weight in params.items()
    }


def session(data):
    """The model in ONNX Runtime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])


def as_dict(found, network):
    return found if isinstance(found, dict) else dict.fromkeys(network.output_shapes, found)


def check(network, batches, params=None):
    """The exported model is valid and gives the network's outputs for all batches."""
    params = random_weights(network) if params is None else params
    data = to_onnx(network, params)
    onnx.checker.check_model(data, full_check=True)
    running = session(data)
    names = [output.name for output in running.get_outputs()]
    assert names == list(network.output_shapes)
    exact = {name: weight.astype(float) for name, weight in params.items()}
    for batch in batches:
        expected = as_dict(network.predict(exact, batch), network)
        for name, found in zip(names, running.run(None, batch), strict=True):
            assert found.shape == expected[name].shape
            assert found.dtype == np.float32
            scale = max(1, np.abs(expected[name]).max(initial=0))
            assert np.abs(found - expected[name]).max(initial=0) <= TOLERANCE * scale, name
