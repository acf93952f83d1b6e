"""The recorded results on disk: one `.npz` a topic, an entry `<case>/<quantity>` each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Quantities = dict[str, NDArray[Any]]

_FOLDER = Path(__file__).parent


def store(topic: str, results: Mapping[str, Mapping[str, Any]]) -> int:
    """Write the quantities of all cases; the file's size in bytes."""
    path = _FOLDER / f"{topic}.npz"
    entries = {
        f"{case}/{quantity}": np.asarray(value)
        for case, quantities in results.items()
        for quantity, value in quantities.items()
    }
    np.savez_compressed(path, allow_pickle=False, **entries)
    return path.stat().st_size


def load(topic: str) -> dict[str, Quantities]:
    """The quantities of each case."""
    results: dict[str, Quantities] = {}
    with np.load(_FOLDER / f"{topic}.npz") as entries:
        for key in entries.files:
            case, _, quantity = key.rpartition("/")
            results.setdefault(case, {})[quantity] = entries[key]
    return results


def title(document: Mapping[str, Any] | str) -> str:
    """A unit's document in a line: `conv2d(filters=2,kernel_size=[3,2])`."""
    if isinstance(document, str):
        return document
    fields = [f"{key}={_shown(value)}" for key, value in document.items() if key != "type"]
    return document["type"] + (f"({','.join(fields)})" if fields else "")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return title(value) if "type" in value else str(dict(value)).replace(" ", "")
    return str(value).replace(" ", "").replace("'", "")
