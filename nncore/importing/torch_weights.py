"""The weights of a PyTorch model as ours, from its state dict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Params
from nncore.importing.fitting import Found, as_array, fitted
from nncore.importing.torch_layers import Tensors, convert
from nncore.importing.torch_layout import layouts
from nncore.layers import Layer
from nncore.network import Network

_RECURRENT = re.compile(r"(weight|bias)_(ih|hh)_l(\d+)(_reverse)?")


def weights_from_torch(
    network: Network, state_dict: Mapping[str, Any], mapping: Mapping[str, str] | None = None
) -> Params:
    """The weights of a network that does what the PyTorch model does.

    `state_dict`: arrays by name, "fc1.weight", as `model.state_dict()` or a safetensors file has
    them. `mapping`: PyTorch's module for each layer with weights, `{"dense_1": "fc1"}`; the second
    layer of an LSTM of several is `"lstm.l1"`. Without it, modules called like our layers are
    taken by name, any others in order, which only numbered modules still have in a safetensors
    file. Kernels are turned, gates reordered, and vectors flattened from channels-first images
    followed. Raises ValueError naming a tensor that is missing, left over or does not fit.
    """
    modules = _modules(state_dict)
    layers = {str(layer.name): layer for layer in network.spec.layers}
    owners = _owners(network, layers)
    chosen = _by_order(owners, modules, state_dict) if mapping is None else dict(mapping)
    _check_mapping(chosen, owners, modules)
    read = layouts(network)
    found: dict[str, Found] = {}
    for name, prefix in chosen.items():
        try:
            own = convert(layers[name], dict(modules[prefix]), read[name])
        except ValueError as error:
            raise ValueError(f"module {prefix!r} for layer {name!r}: {error}") from None
        for short, tensor in own.items():
            found |= _placed(network, f"{name}.{short}", tensor, prefix)
    return fitted(network, found)


def _modules(state_dict: Mapping[str, Any]) -> dict[str, Tensors]:
    """The tensors of each module by short name; the layers of a recurrent one are modules."""
    modules: dict[str, Tensors] = {}
    for key, value in state_dict.items():
        prefix, _, short = key.rpartition(".")
        if parts := _RECURRENT.fullmatch(short):
            kind, of, number, reverse = parts.groups()
            short = f"{kind}_{of}{reverse or ''}"
            prefix += f".l{number}" if int(number) else ""
        modules.setdefault(prefix, {})[short] = as_array(value, key)
    return modules


def _owners(network: Network, layers: Mapping[str, Layer]) -> list[str]:
    """The layers with weights of their own, in the order of the document."""
    having = {name.partition(".")[0] for name in network.weight_shapes}
    if "network" in having - set(layers):
        raise ValueError("weights that all layers share have no counterpart in PyTorch")
    return [name for name in layers if name in having]


def _by_order(
    owners: list[str], modules: Mapping[str, Tensors], state_dict: Mapping[str, Any]
) -> dict[str, str]:
    if set(owners) == set(modules):
        return {name: name for name in owners}
    if len(owners) != len(modules):
        raise ValueError(
            f"the network has {len(owners)} layers with weights ({', '.join(owners)}), the state "
            f"dict {len(modules)} modules ({', '.join(modules)}); give a mapping"
        )
    ordered = list(modules)
    stems = {re.sub(r"\d+", "", prefix) for prefix in modules}
    if len(stems) == 1:
        ordered.sort(key=_numbers)
    elif len(modules) > 1 and _sorted_by_name(state_dict):
        pairs = ", ".join(f'"{name}": "..."' for name in owners)
        raise ValueError(
            "the state dict is sorted by name, so that the modules' order is lost; give a mapping "
            f"{{{pairs}}} with these modules: {', '.join(modules)}"
        )
    return dict(zip(owners, ordered, strict=True))


def _numbers(prefix: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", prefix)]


def _sorted_by_name(state_dict: Mapping[str, Any]) -> bool:
    """As files keep it. A module itself defines its weight before its bias."""
    keys = list(state_dict)
    places = {key: place for place, key in enumerate(keys)}
    turned = (
        key.replace("bias", "weight")
        for key in keys
        if places.get(key.replace("bias", "weight"), -1) > places[key]
    )
    return keys == sorted(keys) or any(True for _ in turned)


def _check_mapping(
    chosen: Mapping[str, str], owners: list[str], modules: Mapping[str, Tensors]
) -> None:
    _refuse("layer of the network with weights", set(chosen) - set(owners), owners)
    _refuse("module of the state dict", set(chosen.values()) - set(modules), modules)
    for names, where in ((set(owners) - set(chosen), "layers"), _unused(chosen, modules)):
        if names:
            raise ValueError(f"the mapping leaves out the {where} {', '.join(sorted(names))}")


def _unused(chosen: Mapping[str, str], modules: Mapping[str, Tensors]) -> tuple[set[str], str]:
    return set(modules) - set(chosen.values()), "modules"


def _refuse(noun: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in sorted(names):
        raise ValueError(f"{name!r} is no {noun}; known: {', '.join(known)}")


def _placed(network: Network, name: str, tensor: AnyArray, prefix: str) -> dict[str, Found]:
    shape = network.weight_shapes.get(name)
    if shape is None:
        known = ", ".join(network.weight_shapes)
        raise ValueError(f"module {prefix!r} has a {name}, the network only {known}")
    if name.endswith(".alpha") and tensor.ndim == 1 and tensor.shape[0] in (1, shape[-1]):
        tensor = np.broadcast_to(tensor, shape)
    return {name: Found(tensor, f"module {prefix!r}")}
