"""The recorded models of Keras and PyTorch, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from tests.nncore.references.recorded import load

DOCUMENTS: dict[str, Any] = json.loads(
    Path(__file__).with_name("imports.json").read_text(encoding="utf-8")
)
ONE_LAYER: dict[str, Any] = DOCUMENTS.pop("of one layer")
_MODELS = load("imports")


class Imported(NamedTuple):
    """A model's weights in their order by name, and its outputs."""

    weights: dict[str, NDArray[Any]]
    outputs: list[NDArray[Any]]


def imported(model: str) -> Imported:
    """What is recorded of `keras cnn`, `torch cnn`, ..."""
    weights, outputs = {}, []
    for key, value in sorted(_MODELS[model].items()):
        place, _, name = key.partition(" ")
        if name:
            weights[name.replace("|", "/")] = value
        else:
            assert place.startswith("y")
            outputs.append(value)
    return Imported(weights, outputs)


def models(library: str) -> list[str]:
    """The recorded models of a library."""
    return [name.partition(" ")[2] for name in _MODELS if name.startswith(library)]
