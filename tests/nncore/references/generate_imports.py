"""Records models of Keras and PyTorch: documents, weights, predictions; see generate.py.

Predictions are of float64 arithmetic on weights that are float32 numbers.
"""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import torch

from tests.nncore.references import import_models
from tests.nncore.references.import_cases import inputs, variable
from tests.nncore.references.import_layers import one_layer_models
from tests.nncore.references.recorded import store

DOCUMENTS = Path(__file__).with_name("imports.json")
CHANNELS_LAST = {"cnn": (0, 3, 1, 2), "frames": (0, 1, 4, 2, 3)}


def of_keras(name):
    """The model's document, and its weights by path and predictions."""
    keras.utils.clear_session()  # names of layers count from the first again
    model = import_models.KERAS[name]()
    for place, weight in enumerate(model.weights):
        weight.assign(variable(weight.path, tuple(weight.shape), place))
    x = [torch.from_numpy(value) for value in inputs(name).values()]
    outputs = model(x if len(x) > 1 else x[0], training=False)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    weights = {f"{place:02} {w.path}".replace("/", "|"): w for place, w in enumerate(model.weights)}
    recorded = {key: w.numpy().astype(np.float32) for key, w in weights.items()}
    results = {f"y{place}": y.detach().numpy() for place, y in enumerate(outputs)}
    assert all(y.dtype == np.float64 for y in results.values())
    return json.loads(model.to_json()), recorded | results


def of_torch(name):
    """The model's state dict and predictions."""
    model = import_models.TORCH[name]().double().eval()
    state = model.state_dict()
    for place, (key, tensor) in enumerate(state.items()):
        if tensor.is_floating_point():
            tensor.copy_(torch.from_numpy(variable(key, tuple(tensor.shape), place)))
    x = [torch.from_numpy(value) for value in inputs(name).values()]
    if name in CHANNELS_LAST:
        x = [x[0].permute(CHANNELS_LAST[name])]
    outputs = model(*x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    recorded = {f"{place:02} {key}": tensor for place, (key, tensor) in enumerate(state.items())}
    return {
        **{
            key: tensor.numpy().astype(np.float32 if tensor.is_floating_point() else np.int64)
            for key, tensor in recorded.items()
        },
        **{f"y{place}": y.detach().numpy() for place, y in enumerate(outputs)},
    }


def shapes_of(model):
    """Shapes of the output and of all weights, the output's with the batch."""
    return [model.output_shape, *((None, *weight.shape) for weight in model.weights)]


def record_imports():
    """Write `imports.json` and `imports.npz`."""
    documents, results = {}, {}
    for name in import_models.KERAS:
        documents[name], results[f"keras {name}"] = of_keras(name)
    for name in import_models.TORCH:
        results[f"torch {name}"] = of_torch(name)
    keras.utils.clear_session()
    documents["of one layer"] = {
        name: [json.loads(model.to_json()), [list(shape)[1:] for shape in shapes_of(model)]]
        for name, model in one_layer_models().items()
    }
    DOCUMENTS.write_text(json.dumps(documents, separators=(",", ":")) + "\n", encoding="utf-8")
    size = DOCUMENTS.stat().st_size + store("imports", results)
    print(f"imports: {len(results)} models, {size / 1024:.0f} KB")
