"""The tensors of one PyTorch module as the weights of one layer, by an explicit table.

PyTorch writes matrices (out, in), convolutions (out, in, ...), transposed ones (in, out, ...) and
the gates of a GRU as r, z, n; here they are (in, out), (..., in, out), (..., out, in) and z, r, h.
The gates of an LSTM have one order, i, f, g, o; PyTorch's recurrent modules have two biases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nncore.arrays import AnyArray
from nncore.importing.torch_layout import Layout, of_a_step
from nncore.layers import Layer

Tensors = dict[str, AnyArray]
"""By short name, PyTorch's going in, ours coming out."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module's tensors, the layer that they are for, and how what it reads is laid out."""

    layer: Any
    tensors: Tensors
    layout: Layout


Conversion = Callable[[Module], Tensors]


def _dense(module: Module) -> Tensors:
    return _renamed(module, bias="bias") | {"kernel": _rows(module.tensors["weight"].T, module)}


def _rows(kernel: AnyArray, module: Module) -> AnyArray:
    """The rows of a kernel (in, out) in the order of our features."""
    order = module.layout.order
    return kernel[order] if order is not None and len(kernel) == len(order) else kernel


def _convolution(module: Module) -> Tensors:
    """(O, I, ...) to (..., I, O); of a transposed one (I, O, ...) to (..., O, I)."""
    kernel = np.moveaxis(module.tensors["weight"], (0, 1), (-1, -2))
    return _renamed(module, bias="bias") | {"kernel": kernel}


def _depthwise(module: Module) -> Tensors:
    """(C M, 1, H, W) to (H, W, C, M)."""
    weight = module.tensors["weight"]
    kernel = weight.reshape(-1, module.layer.depth_multiplier, *weight.shape[2:])
    return _renamed(module, bias="bias") | {"kernel": np.moveaxis(kernel, (0, 1), (-2, -1))}


def _normalization(module: Module) -> Tensors:
    statistics = {"running_mean": "moving_mean", "running_var": "moving_variance"}
    found = _renamed(module, weight="gamma", bias="beta", **statistics)
    return {name: _reordered(tensor, module) for name, tensor in found.items()}


def _reordered(tensor: AnyArray, module: Module) -> AnyArray:
    layout = module.layout
    if layout.order is not None and tensor.shape == layout.order.shape:
        if module.layer.type_name == "group_norm":
            raise ValueError("its groups of a flattened image are others than PyTorch's")
        return tensor[layout.order]
    return np.moveaxis(tensor, 0, -1) if layout.moved and tensor.ndim > 2 else tensor


def _embedding(module: Module) -> Tensors:
    return _renamed(module, weight="embeddings")


def _recurrent(module: Module) -> Tensors:
    """Both biases are added to the same sum, except in a GRU."""
    kind, tensors = module.layer.type_name, module.tensors
    if kind == "gru" and not module.layer.reset_after:
        raise ValueError("PyTorch's GRU resets after the product; set reset_after to true")
    gates = _update_first if kind == "gru" else _as_they_are
    found: Tensors = {
        "kernel": _rows(gates(tensors["weight_ih"]).T, module),
        "recurrent_kernel": gates(tensors["weight_hh"]).T,
    }
    if "bias_ih" in tensors:
        biases = np.stack([gates(tensors["bias_ih"]), gates(tensors["bias_hh"])])
        found["bias"] = biases if kind == "gru" else biases.sum(axis=0)
    return found


def _as_they_are(tensor: AnyArray) -> AnyArray:
    return tensor


def _update_first(tensor: AnyArray) -> AnyArray:
    """Rows of the gates r, z, n as z, r, n."""
    reset, update, new = np.split(tensor, 3)
    return np.concatenate([update, reset, new])


def _bidirectional(module: Module) -> Tensors:
    found: Tensors = {}
    for way, ending in zip(module.layer.ways, ("", "_reverse"), strict=True):
        own = {
            name.removesuffix("_reverse"): tensor
            for name, tensor in module.tensors.items()
            if name.endswith("_reverse") == bool(ending)
        }
        if "weight_ih" not in own:
            raise ValueError(f"has no weight_ih{ending}; a bidirectional module has both")
        inner = _recurrent(replace(module, layer=module.layer.layer, tensors=own))
        found |= {f"{way}.{name}": tensor for name, tensor in inner.items()}
    return found


def _time_distributed(module: Module) -> Tensors:
    return convert(module.layer.layer, module.tensors, of_a_step(module.layout))


def _prelu(module: Module) -> Tensors:
    """One slope, or one a channel; the network's shape decides how they are spread."""
    return _renamed(module, weight="alpha")


def _renamed(module: Module, **names: str) -> Tensors:
    tensors = module.tensors
    return {ours: tensors[theirs] for theirs, ours in names.items() if theirs in tensors}


_PARAMETERS = ("weight", "bias")
_CELL = tuple(f"{kind}_{of}" for kind in ("weight", "bias") for of in ("ih", "hh"))
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")

CONVERSIONS: dict[str, tuple[Conversion, tuple[str, ...]]] = {
    "activation": (_prelu, ("weight",)),
    "batch_norm": (_normalization, (*_PARAMETERS, *_STATISTICS)),
    "bidirectional": (_bidirectional, (*_CELL, *(f"{name}_reverse" for name in _CELL))),
    "binary_conv2d": (_convolution, _PARAMETERS),
    "binary_dense": (_dense, _PARAMETERS),
    "conv1d": (_convolution, _PARAMETERS),
    "conv1d_transpose": (_convolution, _PARAMETERS),
    "conv2d": (_convolution, _PARAMETERS),
    "conv2d_transpose": (_convolution, _PARAMETERS),
    "dense": (_dense, _PARAMETERS),
    "depthwise_conv2d": (_depthwise, _PARAMETERS),
    "embedding": (_embedding, ("weight",)),
    "group_norm": (_normalization, _PARAMETERS),
    "gru": (_recurrent, _CELL),
    "layer_norm": (_normalization, _PARAMETERS),
    "lstm": (_recurrent, _CELL),
    "simple_rnn": (_recurrent, _CELL),
    "time_distributed": (_time_distributed, ()),
}
"""How a layer's weights are made, and what its module may hold."""


def convert(layer: Layer, tensors: Tensors, layout: Layout) -> Tensors:
    """The weights of a layer by short name. Raises ValueError for tensors that it cannot take."""
    kind = layer.type_name
    if kind not in CONVERSIONS:
        raise ValueError(f"{kind} has no counterpart in PyTorch; build it from other layers")
    conversion, known = CONVERSIONS[kind]
    strange = sorted(set(tensors) - set(known)) if known else []
    if strange:
        raise ValueError(f"{', '.join(strange)} is nothing that {kind} has; map another module")
    needed = "weight_ih" if "weight_ih" in known else "weight"
    if known and needed not in tensors and conversion is not _normalization:
        raise ValueError(f"has no {needed}, which {kind} needs; map another module")
    return conversion(Module(layer, tensors, layout))
