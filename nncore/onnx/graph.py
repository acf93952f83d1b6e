"""A graph of ONNX operators while it is written: nodes, constants and the values between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.onnx import model
from nncore.onnx.model import Attribute, Body, Node
from nncore.onnx.protobuf import Message
from nncore.shapes import Shape

_END = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor (N, ...) of a graph: its name and the shape of one example.

    `mask` (N, T) says which positions hold data, None: all do. `integers`: it holds token ids.
    """

    name: str
    shape: Shape
    mask: Value | None = None
    integers: bool = False


class Graph:
    """Collects nodes; each method adds some and gives the name of their result.

    `dtype` is that of all real numbers. `scope` begins the names of nodes, `owner` those of
    weights.
    """

    def __init__(self, dtype: np.dtype[Any], around: Graph | None = None) -> None:
        self.dtype = dtype
        self.scope = self.owner = ""
        self.nodes: list[Node] = []
        self._names: dict[str, int] = {}
        self.tensors: dict[str, AnyArray] = {}
        if around is not None:
            self.scope, self.owner = around.scope, around.owner
            self._names, self.tensors = around._names, around.tensors

    def node(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """An operator of one output."""
        return self.split(operator, *inputs, outputs=1, **attributes)[0]

    def split(
        self, operator: str, *inputs: str, outputs: int, **attributes: Attribute
    ) -> tuple[str, ...]:
        """An operator of several outputs."""
        names = tuple(self.fresh(operator) for _ in range(outputs))
        self.nodes.append(Node(operator, inputs, names, attributes))
        return names

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What is written meanwhile has its weights under a name of its own."""
        owner = self.owner
        self.owner = f"{owner}.{name}"
        yield
        self.owner = owner

    def give(self, x: str, name: str) -> None:
        """Make x known outside by a name."""
        self.nodes.append(Node("Identity", (x,), (name,), {}))

    def fresh(self, word: str) -> str:
        """A name that nothing else has."""
        name = f"{self.scope}/{word}"
        count = self._names[name] = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count}"

    def maker(self, x: str) -> str | None:
        """The operator that gave x, before it was turned; None for an input."""
        for node in reversed(self.nodes):
            if x in node.outputs:
                return self.maker(node.inputs[0]) if node.operator == "Transpose" else node.operator
        return None

    def weight(self, name: str, array: Array) -> str:
        """A weight of the layer, the same tensor wherever its owner is used."""
        return self._tensor(f"{self.owner}.{name}", array)

    def number(self, value: float) -> str:
        """A real number."""
        return self._tensor(f"constant/{value:g}", np.asarray(value, self.dtype))

    def integers(self, *values: int) -> str:
        """A list of integers, as sizes and axes are."""
        return self._tensor(f"constant/{','.join(map(str, values))}", np.array(values, np.int64))

    def factors(self, *values: int) -> str:
        """A list of factors that sizes grow by."""
        name = f"constant/{'x'.join(map(str, values))}"
        return self._tensor(name, np.array(values, np.float32))

    def _tensor(self, name: str, array: AnyArray) -> str:
        unique, count = name, 1
        while (known := self.tensors.get(unique)) is not None:
            if known.dtype == array.dtype and np.array_equal(known, array):
                return unique
            count += 1
            unique = f"{name}#{count}"
        self.tensors[unique] = array
        return unique

    def cast(self, x: str, dtype: np.dtype[Any]) -> str:
        """X in another type."""
        return self.node("Cast", x, to=model.type_of(dtype))

    def real(self, x: str) -> str:
        """X as real numbers."""
        return self.cast(x, self.dtype)

    def sizes(self, x: str, start: int, end: int | None = None) -> str:
        """The actual sizes of x from one axis to before another, as integers."""
        ends = {} if end is None else {"end": end}
        return self.node("Shape", x, start=start, **ends)

    def reshape(self, x: str, *parts: int | str) -> str:
        """X in another shape; a part is a size, -1 for what remains, or the name of sizes."""
        known = [part for part in parts if isinstance(part, int)]
        if len(known) == len(parts):
            return self.node("Reshape", x, self.integers(*known))
        names = [part if isinstance(part, str) else self.integers(part) for part in parts]
        return self.node("Reshape", x, self.node("Concat", *names, axis=0))

    def shaped(self, x: str, start: str | int, shape: Shape, like: str, axis: int) -> str:
        """X as (start, *shape); sizes that vary are those of `like` from `axis` on."""
        if None in shape:
            return self.reshape(x, start, self.sizes(like, axis))
        return self.reshape(x, start, *(size for size in shape if size is not None))

    def turn(self, x: str, *axes: int) -> str:
        """X with its axes in another order."""
        return x if list(axes) == sorted(axes) else self.node("Transpose", x, perm=axes)

    def unsqueeze(self, x: str, *axes: int) -> str:
        """X with axes of size 1 more."""
        return self.node("Unsqueeze", x, self.integers(*axes))

    def squeeze(self, x: str, *axes: int) -> str:
        """X without axes of size 1."""
        return self.node("Squeeze", x, self.integers(*axes))

    def reduce(self, operator: str, x: str, *axes: int, keepdims: bool = True) -> str:
        """X with some axes reduced to 1, or gone."""
        return self.node(operator, x, self.integers(*axes), keepdims=int(keepdims))

    def cut(self, x: str, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int]) -> str:
        """X from `starts`, without as many as `ends` at the other side, along axes."""
        stops = [-end if end else _END for end in ends]
        return self.node(
            "Slice", x, self.integers(*starts), self.integers(*stops), self.integers(*axes)
        )

    def reverse(self, x: str, axis: int) -> str:
        """X turned round along an axis."""
        ends = (self.integers(-1), self.integers(-_END), self.integers(axis), self.integers(-1))
        return self.node("Slice", x, *ends)

    def body(self) -> Graph:
        """A graph to be put inside of this one, whose values it may read."""
        return Graph(self.dtype, self)

    def as_body(self, inputs: Sequence[str], outputs: Sequence[str]) -> Body:
        """The whole of a graph that `body` began."""
        reads = frozenset(name for node in self.nodes for name in node.reads)
        ports = [
            [model.value_info(name, self.dtype, None) for name in names]
            for names in (inputs, outputs)
        ]
        return Body(model.graph(self.scope, self.nodes, (), *ports), reads | set(outputs))

    def message(
        self, name: str, inputs: Sequence[Message], outputs: Sequence[Message], ends: Sequence[str]
    ) -> Message:
        """The whole graph, but for what none of the values `ends` needs."""
        needed, nodes = set(ends), []
        for node in reversed(self.nodes):
            if not needed.isdisjoint(node.outputs):
                needed |= node.reads
                nodes.append(node)
        tensors = [model.tensor(key, array) for key, array in self.tensors.items() if key in needed]
        return model.graph(name, nodes[::-1], tensors, inputs, outputs)
