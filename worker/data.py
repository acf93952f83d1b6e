"""From a stored dataset and a spec to the arrays that training takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore import Network
from nncore.preprocessing import InputEncoder, InputOptions, TargetEncoder, TargetKind, split_rows
from service.store.columns import decode_columns

Part = tuple[NDArray[Any], NDArray[Any]]  # examples (N, *shape) and their targets


@dataclass(frozen=True, slots=True)
class Prepared:
    """The parts of a dataset and the preprocessing fitted on its training part."""

    training: Part
    validation: Part | None
    test: Part | None
    inputs: InputEncoder
    target: TargetEncoder | None

    @property
    def decode(self) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
        """From standardised targets to their own unit, for metrics; None if they are in it."""
        return self.target.decode if self.target and self.target.kind == "standard" else None

    def document(self) -> dict[str, Any]:
        """The preprocessing as JSON."""
        target = self.target.to_document() if self.target else None
        return {"inputs": self.inputs.to_document(), "target": target}


def prepare(
    spec: dict[str, Any],
    loss: str,
    network: Network,
    data: bytes,
    schema: list[dict[str, Any]],
) -> Prepared:
    """Split the rows, fit the preprocessing on the training part, encode everything."""
    names = spec["features"]["include"]
    target_name = spec["target"]
    columns = decode_columns(data, names + ([target_name] if target_name else []))
    types = {column["name"]: column for column in schema}
    features = {name: columns[name] for name in names}
    rows = len(features[names[0]])

    kind = target_kind(spec, loss)
    target, stratify = None, None
    if kind in ("classes", "binary"):
        # Labels come from all rows: a class that only a held-out part has is still a class.
        target = TargetEncoder.fit(kind, columns[target_name], types[target_name]["type"])
        stratify = target.encode(columns[target_name]).ravel()
    fractions = spec["validation"]["fraction"], spec["test"]["fraction"]
    parts = split_rows(rows, fractions, spec["seed"], stratify)
    if kind in ("standard", "identity"):
        target = TargetEncoder.fit(kind, columns[target_name], types[target_name]["type"], parts[0])

    inputs = InputEncoder.fit(features, types, _options(spec, network, features), parts[0])
    x = inputs.transform(features).reshape(-1, *network.input_shape)
    y = target.encode(columns[target_name]) if target else x
    if target is None:
        target = _unscaling(inputs, network)
    training, validation, test = ((x[part], y[part]) if len(part) else None for part in parts)
    assert training is not None, "split_rows keeps a row for training"
    return Prepared(training, validation, test, inputs, target)


def target_kind(spec: dict[str, Any], loss: str) -> TargetKind | None:
    """How the target is encoded; None: the inputs are the target."""
    if spec["task"] == "reconstruction":
        return None
    if spec["task"] == "classification":
        return "classes" if loss == "cross_entropy" else "binary"
    return "standard" if spec["target_scale"] == "standard" else "identity"


def _unscaling(inputs: InputEncoder, network: Network) -> TargetEncoder | None:
    """What gives a reconstruction in the unit of the data."""
    offset, divisor = inputs.scales
    if len(offset) > 1 and network.input_shape[-1] != len(offset):
        return None  # reshaped: the columns no longer lie along the last axis
    return TargetEncoder("standard", (), offset, divisor)


def link(task: str, loss: str, network: Network) -> str:
    """What turns the network's output into probabilities or values for a prediction."""
    if task not in ("classification", "multilabel") and loss != "binary_cross_entropy":
        return "none"
    normaliser = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(loss, "clip")
    return "none" if network.final_activation == normaliser else normaliser


def _options(
    spec: dict[str, Any], network: Network, features: dict[str, NDArray[Any]]
) -> InputOptions:
    given = {key: value for key, value in spec["features"].items() if key != "include"}
    first = next(iter(features.values()))
    # Reshaping tells that the array's own last axis is no channel axis.
    given["channels_last"] = np.ndim(first) - 1 == len(network.input_shape)
    return InputOptions.parse(given)
