"""The weights of a Keras model as ours; both have the same shapes, gates and order in a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nncore.arrays import Params
from nncore.importing.fitting import Found, as_array, fitted
from nncore.importing.keras_model import safe_name
from nncore.network import Network

_IGNORED = ("seed_generator", "optimizer", "metrics")


def weights_from_keras(network: Network, arrays: Mapping[str, Any] | Sequence[Any]) -> Params:
    """The weights of a network that came from `from_keras_json`, or has Keras' layer names.

    `arrays` is one of three: `{v.path: v.numpy() for v in model.variables}`, found by name
    ("dense/kernel", "bidirectional/forward_lstm/lstm_cell/bias"); `{layer.name:
    layer.get_weights() for layer in model.layers}`; or `model.get_weights()`, by order alone.
    Raises ValueError naming an array that is missing, left over or of another shape.
    """
    if not isinstance(arrays, Mapping):
        return fitted(network, _in_order(network, list(arrays)))
    if any(isinstance(value, list | tuple) for value in arrays.values()):
        return fitted(network, _by_layer(network, arrays))
    return fitted(network, _by_path(network, arrays))


def _in_order(network: Network, arrays: list[Any]) -> dict[str, Found]:
    names = [name for layer in _by_owner(network).values() for name in layer]
    if len(arrays) != len(names):
        raise ValueError(f"the network has {len(names)} weights, got {len(arrays)} arrays")
    return {
        name: Found(as_array(array, f"array {place}"), f"array {place}")
        for place, (name, array) in enumerate(zip(names, arrays, strict=True))
    }


def _by_layer(network: Network, arrays: Mapping[str, Any]) -> dict[str, Found]:
    found, layers = {}, _by_owner(network)
    for layer, values in arrays.items():
        names = layers.get(safe_name(layer), [])
        if len(values) != len(names):
            raise ValueError(
                f"layer {layer!r} has {len(values)} arrays, but the network's layer of that name "
                f"has {len(names)} weights; known layers: {', '.join(layers)}"
            )
        for place, (name, value) in enumerate(zip(names, values, strict=True)):
            source = f"{layer}[{place}]"
            found[name] = Found(as_array(value, source), source)
    return found


def _by_path(network: Network, arrays: Mapping[str, Any]) -> dict[str, Found]:
    possible: dict[str, list[str]] = {}
    for path in arrays:
        parts = path.split("/")
        if any(part.startswith(_IGNORED) for part in parts):
            continue
        possible[path] = _names(network, [safe_name(part) for part in parts])
        if not possible[path]:
            raise ValueError(
                f"the network has no weight for {path!r}; its weights: "
                f"{', '.join(network.weight_shapes)}"
            )
    found: dict[str, Found] = {}
    # A path may begin with a model's name that is a layer's too: the certain ones come first.
    while possible:
        path = min(possible, key=lambda path: len(possible[path]))
        for name in possible.pop(path)[:1]:
            found[name] = Found(as_array(arrays[path], path), path)
            _claim(name, path, possible)
    return found


def _claim(name: str, path: str, possible: dict[str, list[str]]) -> None:
    for other, names in possible.items():
        if name in names:
            names.remove(name)
            if not names:
                raise ValueError(f"both {path} and {other} would be {name}")


def _names(network: Network, parts: list[str]) -> list[str]:
    """Our possible names of a variable, those of the first and longest run of parts first."""
    *places, short = parts
    ways = [way for way in ("forward", "backward") if any(p.startswith(f"{way}_") for p in places)]
    runs = [
        "_".join(places[start:end])
        for start in range(len(places))
        for end in range(len(places), start, -1)
    ]
    names = [
        f"{layer}.{rest}" for layer in runs for rest in (short, *(f"{way}.{short}" for way in ways))
    ]
    return [name for name in dict.fromkeys(names) if name in network.weight_shapes]


def _by_owner(network: Network) -> dict[str, list[str]]:
    """The weights' names by layer, in the document's order, which is Keras'."""
    names: dict[str, list[str]] = {str(layer.name): [] for layer in network.spec.layers}
    for name in network.weight_shapes:
        names.setdefault(name.partition(".")[0], []).append(name)
    return names
