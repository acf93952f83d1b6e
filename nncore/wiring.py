"""Which layer reads which: the edges of a network's graph, checked, and an order to execute."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from nncore.errors import ArchitectureError, did_you_mean, few, step_into
from nncore.layers import Layer
from nncore.plan import MOST_INPUTS, NetworkSpec


@dataclass(frozen=True, slots=True)
class Wiring:
    """The graph by name.

    `reads`: what each layer of the document reads. `order`: positions of the layers in the
    document, each after those that it reads. `sequential`: every layer reads the one above.
    """

    reads: tuple[tuple[str, ...], ...]
    order: tuple[int, ...]
    outputs: tuple[str, ...]
    sequential: bool


_LONGEST_CIRCLE = 20


def wire(spec: NetworkSpec) -> Wiring:
    """The wiring of a document with named layers. Raises ArchitectureError."""
    known = dict.fromkeys((*spec.sources, *map(name_of, spec.layers)))
    reads = tuple(_reads(spec, index, known) for index in range(len(spec.layers)))
    order = _order(spec.layers, reads)
    outputs = _outputs(spec, reads)
    _refuse_unread(spec, reads, outputs)
    plain = spec.inputs is None and spec.outputs is None
    sequential = plain and all(layer.inputs is None for layer in spec.layers)
    return Wiring(reads, order, outputs, sequential)


def name_of(layer: Layer) -> str:
    """The name of a layer that has been given one."""
    return cast(str, layer.name)


def _reads(spec: NetworkSpec, index: int, known: Mapping[str, None]) -> tuple[str, ...]:
    layer, pointer = spec.layers[index], f"/layers/{index}/inputs"
    names = layer.inputs
    if names is not None and len(names) > MOST_INPUTS:
        raise ArchitectureError(pointer, f"may be {MOST_INPUTS:,} at most, got {len(names):,}")
    if names is None:
        if index:
            names = (name_of(spec.layers[index - 1]),)
        elif len(spec.sources) == 1:
            names = tuple(spec.sources)
        else:
            raise ArchitectureError(
                pointer, f"is required: which of the inputs it reads, {_listed(spec.sources)}"
            )
    for place, name in enumerate(names):
        if name not in known:
            raise ArchitectureError(step_into(pointer, place), _unknown(name, known))
    _check_count(layer, len(names), pointer)
    return names


def _check_count(layer: Layer, count: int, pointer: str) -> None:
    if layer.many and count < 2:
        raise ArchitectureError(
            pointer, f"{layer.type_name} joins two or more inputs, e.g. two layers' names"
        )
    if not layer.many and count != 1:
        raise ArchitectureError(
            pointer,
            f"{layer.type_name} reads one input, got {count}; join them with a layer such as "
            "add or concatenate",
        )


def _unknown(name: str, known: Iterable[str]) -> str:
    names = list(known)
    return f'there is no "{name[:40]}"{did_you_mean(name, names)}; known: {few(names)}'


def _listed(names: Iterable[str]) -> str:
    return few([f'"{name}"' for name in names])


def _order(layers: tuple[Layer, ...], reads: tuple[tuple[str, ...], ...]) -> tuple[int, ...]:
    """Positions such that all that a layer reads comes before it, else as in the document."""
    positions = {name_of(layer): index for index, layer in enumerate(layers)}
    waiting = [{positions[name] for name in names if name in positions} for names in reads]
    readers: list[list[int]] = [[] for _ in layers]
    for index, needed in enumerate(waiting):
        for other in needed:
            readers[other].append(index)
    ready = [index for index, needed in enumerate(waiting) if not needed]
    order: list[int] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for reader in readers[index]:
            waiting[reader].discard(index)
            if not waiting[reader]:
                heapq.heappush(ready, reader)
    if len(order) < len(layers):
        raise _cycle(layers, waiting)
    return tuple(order)


def _cycle(layers: tuple[Layer, ...], waiting: list[set[int]]) -> ArchitectureError:
    index = next(index for index, needed in enumerate(waiting) if needed)
    path: dict[int, None] = {}
    while index not in path:
        path[index] = None
        index = min(waiting[index])
    circle = list(path)[list(path).index(index) :]
    first = min(circle)
    start = circle.index(first)
    names = [name_of(layers[other]) for other in (*circle[start:], *circle[:start], first)]
    if len(names) > _LONGEST_CIRCLE:
        names[_LONGEST_CIRCLE // 2 : -1] = [f"... ({len(circle)} in all)"]
    return ArchitectureError(
        f"/layers/{first}/inputs", f"the layers read each other in a circle: {' <- '.join(names)}"
    )


def _outputs(spec: NetworkSpec, reads: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    names = [name_of(layer) for layer in spec.layers]
    if spec.outputs is None:
        read = {name for sources in reads for name in sources}
        ends = [name for name in names if name not in read]
        if len(ends) > 1:
            raise ArchitectureError(
                "/outputs",
                f"is required: no layer reads {_listed(ends)}; list those that are outputs",
            )
        return tuple(ends)
    if not spec.outputs:
        raise ArchitectureError("/outputs", "needs at least one layer's name")
    known, listed = set(names), set[str]()
    for place, name in enumerate(spec.outputs):
        pointer = step_into("/outputs", place)
        if name not in known:
            raise ArchitectureError(pointer, _unknown(name, names))
        if name in listed:
            raise ArchitectureError(pointer, f'"{name}" is listed twice')
        listed.add(name)
    return spec.outputs


def _refuse_unread(
    spec: NetworkSpec, reads: tuple[tuple[str, ...], ...], outputs: tuple[str, ...]
) -> None:
    read = {*outputs, *(name for sources in reads for name in sources)}
    for index, layer in enumerate(spec.layers):
        if layer.name not in read:
            raise ArchitectureError(
                f"/layers/{index}",
                f'no layer reads "{layer.name}"; remove it, read it, or list it in "outputs"',
            )
    for name in spec.sources:
        if name not in read:
            raise ArchitectureError(
                spec.pointer(name), f'no layer reads "{name}"; remove it or read it'
            )
