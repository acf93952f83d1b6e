"""All that a training run needs to go on elsewhere, to the last bit as if it had never stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Params

VERSION = 2


@dataclass(frozen=True, slots=True)
class TrainingState:
    """`arrays` by flat names such as `params/dense_1.kernel`, and a JSON `document`.

    Both are copies: the run may go on without changing them.
    """

    arrays: dict[str, AnyArray]
    document: dict[str, Any]


def flattened(groups: Mapping[str, Mapping[str, AnyArray]]) -> dict[str, AnyArray]:
    """Copies of grouped arrays as `<group>/<name>`."""
    return {
        f"{group}/{name}": np.array(array)
        for group, arrays in groups.items()
        for name, array in arrays.items()
    }


def group(arrays: Mapping[str, AnyArray], name: str) -> Params:
    """Copies of the arrays of one group by their own names."""
    start = f"{name}/"
    return {
        key.removeprefix(start): np.array(array)
        for key, array in arrays.items()
        if key.startswith(start)
    }


def groups(arrays: Mapping[str, AnyArray], name: str) -> dict[str, Params]:
    """Copies of the groups below a name, `<name>/<group>/<array>`."""
    found: dict[str, Params] = {}
    for key, array in group(arrays, name).items():
        inner, _, own = key.partition("/")
        found.setdefault(inner, {})[own] = array
    return found
