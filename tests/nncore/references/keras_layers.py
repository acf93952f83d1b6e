"""What Keras 3 (on PyTorch, float64) says of the layers' and activations' cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import torch

from tests.nncore.references.filling import filled, numbers, pull, tokens
from tests.nncore.references.layer_cases import LayerCase

Results = dict[str, Any]

_CLASSES = {
    "batch_norm": "BatchNormalization",
    "layer_norm": "LayerNormalization",
    "simple_rnn": "SimpleRNN",
    "lstm": "LSTM",
    "gru": "GRU",
}
_ABBREVIATED = [("Pool", "Pooling"), ("Avg", "Average"), ("1d", "1D"), ("2d", "2D")]


def activation(document: dict[str, Any] | str) -> Any:
    """An activation's document as a function on tensors."""
    if isinstance(document, str):
        document = {"type": document}
    options = {key: value for key, value in document.items() if key != "type"}
    function = getattr(keras.activations, document["type"])
    return lambda x: function(x, **options)


def layer(document: dict[str, Any]) -> Any:
    """A layer's document as Keras' layer."""
    if document["type"] == "local_response_norm":
        return LocalResponseNorm(**_options(document))
    if document.get("activation") == "prelu":
        return keras.layers.PReLU()
    name = "".join(part.capitalize() for part in document["type"].split("_"))
    for short, written in _ABBREVIATED:
        name = name.replace(short, written)
    name = re.sub(r"(\dD)(Transpose)", r"\1\2", name.replace("dT", "DT"))
    return getattr(keras.layers, _CLASSES.get(document["type"], name))(**_options(document))


def _options(document: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for key, value in document.items():
        if key == "layer":
            options[key] = layer(value)
        elif key in ("activation", "recurrent_activation"):
            options[key] = activation(value)
        elif key != "type":
            options[key] = tuple(map(_tupled, value)) if isinstance(value, list) else value
    return options


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class LocalResponseNorm(keras.layers.Layer):
    """PyTorch's, for Keras has none: y = x / (k + alpha / size * sum of squares) ^ beta."""

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        super().__init__()
        self.setting = (size, alpha, beta, k)

    def call(self, x: torch.Tensor) -> torch.Tensor:
        first = torch.movedim(x, -1, 1)
        return torch.movedim(torch.nn.functional.local_response_norm(first, *self.setting), 1, -1)


def of_layers(case: LayerCase) -> Results:
    """Outputs in both modes, all gradients in training, and what the pass renewed."""
    layers = [layer(document) for document in case.layers]
    inputs = _inputs(case)
    run(layers, inputs, training=False)
    names = [_named(built) for built in layers]
    for index, weights in enumerate(names):
        shapes = {name: tuple(variable.shape) for name, variable in weights.items()}
        for name, value in filled(shapes, index).items():
            weights[name].assign(value)
    evaluated = run(layers, inputs, training=False)
    y = run(layers, inputs, training=True)
    lengths = case.lengths if y.ndim > 2 else ()
    y.backward(torch.from_numpy(pull(y.shape, lengths)))
    results = {"y": _array(y)}
    if not torch.equal(y, evaluated):
        results["evaluated"] = _array(evaluated)
    results |= {f"dx{place}": _array(x.grad) for place, x in enumerate(inputs) if x.requires_grad}
    for index, weights in enumerate(names):
        for name, variable in weights.items():
            key, tensor = f"{index}.{name}", variable.value
            trained = {f"d{key}": _array(tensor.grad)} if variable.trainable else {}
            results |= trained or {f"new {key}": _array(tensor)}
    return results


def run(layers: Sequence[Any], inputs: Sequence[torch.Tensor], training: bool) -> torch.Tensor:
    """The layers one after the other; a mask travels on the tensors."""
    value: Any = inputs[0] if len(inputs) == 1 else list(inputs)
    for built in layers:
        value = built(value, training=training) if _knows_mode(built) else built(value)
    return value


def _knows_mode(built: Any) -> bool:
    return bool(built._call_has_training_arg)


def _inputs(case: LayerCase) -> list[torch.Tensor]:
    if case.below:
        return [torch.from_numpy(tokens(case.shapes[0], case.below, case.lengths))]
    return [
        torch.from_numpy(case.scale * numbers(shape, place, case.lengths)).requires_grad_()
        for place, shape in enumerate(case.shapes)
    ]


def _named(built: Any) -> dict[str, Any]:
    if isinstance(built, keras.layers.Bidirectional):
        return {
            f"{direction}.{variable.name}": variable
            for direction in ("forward", "backward")
            for variable in getattr(built, f"{direction}_layer").weights
        }
    return {variable.name: variable for variable in built.weights}


def _array(tensor: torch.Tensor) -> np.ndarray:
    if tensor.dtype != torch.float64:
        raise TypeError(f"computed in {tensor.dtype}")
    return tensor.detach().numpy().copy()
