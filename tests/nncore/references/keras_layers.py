"""What Keras 3 (on PyTorch, float64) says of the layers' and activations' cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import torch

from tests.nncore.references import torch_layers
from tests.nncore.references.filling import filled, numbers, pull, tokens
from tests.nncore.references.layer_cases import LayerCase

Results = dict[str, Any]

_CLASSES = {
    "batch_norm": "BatchNormalization",
    "layer_norm": "LayerNormalization",
    "group_norm": "GroupNormalization",
    "simple_rnn": "SimpleRNN",
    "lstm": "LSTM",
    "gru": "GRU",
}
_ABBREVIATED = [("Pool", "Pooling"), ("Avg", "Average"), ("1d", "1D"), ("2d", "2D")]

_OURS = {
    "binary_conv2d": torch_layers.BinaryConv2D,
    "binary_dense": torch_layers.BinaryDense,
    "local_response_norm": torch_layers.LocalResponseNorm,
    "min_pool2d": torch_layers.MinPooling2D,
}
_TRAINED = {"prelu": keras.layers.PReLU, "adaptive": torch_layers.Adaptive}


def activation(document: dict[str, Any] | str) -> Any:
    """An activation's document as a function on tensors."""
    if isinstance(document, str):
        document = {"type": document}
    options = {key: value for key, value in document.items() if key != "type"}
    kind = document["type"]
    function = torch_layers.ACTIVATIONS.get(kind) or getattr(keras.activations, kind)
    return lambda x: function(x, **options)


def layer(document: dict[str, Any]) -> Any:
    """A layer's document as Keras' layer."""
    if document["type"] == "activation" and (trained := _trained_activation(document)):
        return trained
    options = _options(document)
    if own := _own_layer(document["type"], options):
        return own
    name = "".join(part.capitalize() for part in document["type"].split("_"))
    for short, written in _ABBREVIATED:
        name = name.replace(short, written)
    name = re.sub(r"(\dD)(Transpose)", r"\1\2", name.replace("dT", "DT"))
    return getattr(keras.layers, _CLASSES.get(document["type"], name))(**options)


def _trained_activation(document: dict[str, Any]) -> Any:
    """The layer of an activation with weights; None for any other."""
    function = document["activation"]
    if not isinstance(function, dict) or function["type"] not in _TRAINED:
        return None
    return _TRAINED[function["type"]](
        **{key: value for key, value in function.items() if key != "type"}
    )


def _own_layer(kind: str, options: dict[str, Any]) -> Any:
    """The layer where Keras' will not do; None otherwise."""
    if kind in _OURS:
        return _OURS[kind](**options)
    if kind == "layer_norm" and isinstance(options.get("axis"), int):
        return torch_layers.LayerNormAlong(**options)
    if kind.startswith("avg_pool") and options.pop("padding", None) == "same":
        return torch_layers.SameAveragePooling(**options)
    return None


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


def of_layers(case: LayerCase) -> Results:
    """Outputs in both modes, all gradients in training, and what the pass renewed."""
    layers = [layer(document) for document in case.layers]
    inputs = _inputs(case)
    names = _filled(layers, inputs)
    evaluated = run(layers, inputs, training=False)
    y = run(layers, inputs, training=True)
    lengths = case.lengths if y.ndim > 2 else ()
    y.backward(torch.from_numpy(pull(y.shape, lengths)))
    results = {"y": _array(y)}
    if not torch.equal(y, evaluated):
        results["evaluated"] = _array(evaluated)
    return results | _gradients(layers, names, inputs)


def of_sequences(case: LayerCase, targets: np.ndarray) -> Results:
    """The cross-entropy over the steps that are no padding, and its gradients."""
    layers, inputs = [layer(document) for document in case.layers], _inputs(case)
    names = _filled(layers, inputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
    value = loss(torch.from_numpy(targets), run(layers, inputs, training=True))
    value.backward()
    return {"loss": _array(value), **_gradients(layers, names, inputs)}


def _filled(layers: Sequence[Any], inputs: Sequence[torch.Tensor]) -> list[dict[str, Any]]:
    """Build the layers, and give each its weights; the weights by short name."""
    run(layers, inputs, training=False)
    names = [_named(built) for built in layers]
    for index, weights in enumerate(names):
        shapes = {name: tuple(variable.shape) for name, variable in weights.items()}
        for name, value in filled(shapes, index).items():
            weights[name].assign(value)
    return names


def _gradients(
    layers: Sequence[Any], names: Sequence[dict[str, Any]], inputs: Sequence[torch.Tensor]
) -> Results:
    """Gradients after a backward pass, and the weights that the pass itself changed."""
    results = {f"dx{place}": _array(x.grad) for place, x in enumerate(inputs) if x.requires_grad}
    for index, weights in enumerate(names):
        for name, variable in weights.items():
            key, tensor = f"{index}.{name}", variable.value
            if variable.trainable:
                results[f"d{key}"] = _array(tensor.grad)
            elif layers[index].trainable:
                results[f"new {key}"] = _array(tensor)
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
        torch.from_numpy(
            case.scale * numbers(shape, place, case.lengths, case.pad)
        ).requires_grad_()
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
