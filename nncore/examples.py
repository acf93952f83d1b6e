"""Examples as training takes them: inputs, targets and weights, one array for each name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array
from nncore.errors import few
from nncore.losses.weighting import check_sample_weights
from nncore.program import Port
from nncore.shapes import Shape, fits, written
from nncore.workspace import Workspace

Rows = slice | NDArray[np.intp]
Named = Any
"""What users give: one array, or a mapping of arrays by the inputs' or outputs' names."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Arrays with the examples as their first axis: one for each input and for each output.

    `weights` (N,) or (N, positions ...) are factors of the losses' terms; None: all are 1.
    """

    inputs: tuple[AnyArray, ...]
    targets: tuple[AnyArray, ...] = ()
    weights: tuple[Array | None, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs[0])

    def rows(self, rows: Rows) -> Examples:
        """Some of the examples."""
        return Examples(
            tuple(x[rows] for x in self.inputs),
            tuple(y[rows] for y in self.targets),
            tuple(None if w is None else w[rows] for w in self.weights),
        )

    def prepared(self, ports: tuple[Port, ...], dtype: np.dtype[Any]) -> Examples:
        """The same in the precision that a network runs in, token ids as integers."""
        inputs = tuple(
            as_integers(port.name, x) if port.integers else np.ascontiguousarray(x, dtype)
            for port, x in zip(ports, self.inputs, strict=True)
        )
        weights = tuple(None if w is None else np.asarray(w, dtype) for w in self.weights)
        return Examples(inputs, self.targets, weights)

    def gathered(
        self,
        rows: Rows,
        ports: tuple[Port, ...],
        dtype: np.dtype[Any],
        workspace: Workspace,
        always: bool,
    ) -> Examples:
        """`rows` prepared, in the workspace's buffers; what needs no copy may do without.

        Not so `always`.
        """
        if isinstance(rows, slice) and not always:
            return self.rows(rows).prepared(ports, dtype)
        count = count_of(rows)

        def buffer(name: str, index: int, array: AnyArray, kind: np.dtype[Any]) -> AnyArray:
            place = workspace.take((name, index), (count, *array.shape[1:]), kind)
            fill([_way(array, place)], rows)
            return place

        return Examples(
            tuple(
                as_integers(port.name, x[rows]) if port.integers else buffer("x", index, x, dtype)
                for index, (port, x) in enumerate(zip(ports, self.inputs, strict=True))
            ),
            tuple(buffer("y", index, y, y.dtype) for index, y in enumerate(self.targets)),
            tuple(
                None if w is None else buffer("weight", index, w, dtype)
                for index, w in enumerate(self.weights)
            ),
        )


Way = tuple[AnyArray, AnyArray, bool]
"""An array, the buffer that rows of it go to, and whether `take` can put them there."""

Filling = list[Way]


def filling(buffers: Examples, examples: Examples) -> Filling:
    """How rows of examples get into buffers of the right sizes."""
    places = (*buffers.inputs, *buffers.targets, *buffers.weights)
    arrays = (*examples.inputs, *examples.targets, *examples.weights)
    return [
        _way(array, place)
        for array, place in zip(arrays, places, strict=True)
        if array is not None and place is not None
    ]


def _way(array: AnyArray, place: AnyArray) -> Way:
    return array, place, type(array) is np.ndarray and array.dtype == place.dtype


def fill(filling: Filling, rows: Rows) -> None:
    """Put rows of examples into their buffers."""
    for array, place, same in filling:
        if isinstance(rows, slice) or not same:
            place[...] = array[rows]
        else:
            # The rows are known to exist; any other mode would go through a copy of the result.
            array.take(rows, 0, place, "clip")


def count_of(rows: Rows) -> int:
    """How many rows these are."""
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)


def part_of(rows: Rows, part: slice) -> Rows:
    """Some of the rows."""
    if isinstance(rows, slice):
        return slice(rows.start + part.start, rows.start + part.stop)
    return rows[part]


def as_integers(name: str, x: AnyArray) -> AnyArray:
    """Token ids, which may come as whole numbers of any type. Raises ValueError for others."""
    if x.dtype.kind in "iu":
        return np.ascontiguousarray(x)
    whole = np.asarray(x, np.int64) if x.dtype.kind in "fb" else None
    if whole is None or not np.array_equal(whole, x):
        raise ValueError(f'input "{name}" takes token ids: give integers')
    return whole


def by_name(what: str, given: Named, names: Sequence[str]) -> tuple[AnyArray, ...]:
    """One array for each name, in order. What is an array already, be it on disk, stays as it is.

    Raises ValueError for names that are missing or unknown.
    """
    if not isinstance(given, Mapping):
        if len(names) > 1:
            raise ValueError(f"{what} must be a mapping with {few(names)}")
        given = {names[0]: given}
    for name in given:
        if name not in names:
            raise ValueError(f"{what} has {name!r}, which is unknown; known: {few(names)}")
    for name in names:
        if name not in given:
            raise ValueError(f"{what} lacks {name!r}; it needs {few(names)}")
    return tuple(as_array(given[name]) for name in names)


def as_array(values: Any) -> AnyArray:
    """An array of values; what has a shape already stays as it is."""
    return values if hasattr(values, "shape") else np.asarray(values)


def check_lengths(x: Sequence[AnyArray], y: Sequence[AnyArray]) -> None:
    """Raise ValueError unless all have the same number of examples."""
    for other in x:
        if len(other) != len(x[0]):
            raise ValueError(f"the inputs have {len(x[0])} and {len(other)} examples")
    for targets in y:
        if not targets.ndim or len(targets) != len(x[0]):
            count = len(targets) if targets.ndim else "no"
            raise ValueError(f"x has {len(x[0])} examples, but y has {count} targets")


def checked_inputs(x: Named, shapes: Mapping[str, Shape]) -> tuple[AnyArray, ...]:
    """The array of each input, (N, *its shape). Raises ValueError."""
    inputs = by_name("x", x, list(shapes))
    for (name, shape), array in zip(shapes.items(), inputs, strict=True):
        if array.ndim == 0 or not fits(array.shape[1:], shape):
            what = "x" if len(inputs) == 1 else f"x[{name!r}]"
            raise ValueError(f"{what} must have shape (N, *{written(shape)}), got {array.shape}")
        if array.dtype.kind in "cSUVmM":
            what = "x" if len(inputs) == 1 else f"x[{name!r}]"
            raise ValueError(f"{what} must hold real numbers, got {array.dtype}")
    check_lengths(inputs, ())
    return inputs


def checked_weights(
    given: Named | None, names: Sequence[str], targets: Sequence[AnyArray]
) -> tuple[Array | None, ...]:
    """The sample weights of each output: one array for all, or a mapping by name."""
    if given is None:
        return (None,) * len(names)
    if isinstance(given, Mapping):
        weights = by_name("sample_weight", given, names)
    else:
        weights = (np.asarray(given),) * len(names)
    for weight, wanted in zip(weights, targets, strict=True):
        check_sample_weights(weight, wanted)
    return weights
