"""The layers' cases: documents and inputs, shared by the generator and the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.nncore.references.recorded import title

Document = dict[str, Any]


@dataclass(frozen=True)
class LayerCase:
    """Layers one after the other, the first of which may read several inputs.

    `lengths`: how many steps of each example hold data; the others hold `pad`. `below`: the inputs
    are ids below it. `scale`: what the inputs are multiplied with.
    """

    layers: tuple[Document, ...]
    shapes: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...] = ()
    below: int = 0
    scale: float = 1
    pad: float = 0

    @property
    def name(self) -> str:
        """Tells the case from all others."""
        layers = " ".join(title(layer) for layer in self.layers)
        shapes = "+".join(str(list(shape)).replace(" ", "") for shape in self.shapes)
        return f"{layers} on {shapes}" + (f" lengths {list(self.lengths)}" if self.lengths else "")


def wide(shape: Sequence[int], kind: str, **fields: Any) -> LayerCase:
    """A layer on one input, of numbers from -2 to 2."""
    return LayerCase(({"type": kind, **fields},), (tuple(shape),), scale=4)


def one(shape: Sequence[int], kind: str, **fields: Any) -> LayerCase:
    """A layer on one input."""
    return LayerCase(({"type": kind, **fields},), (tuple(shape),))


def merge(shapes: Sequence[Sequence[int]], kind: str, **fields: Any) -> LayerCase:
    """A layer on several inputs."""
    return LayerCase(({"type": kind, **fields},), tuple(map(tuple, shapes)))


def masked(
    shape: Sequence[int], *layers: Document, lengths: Sequence[int] = (4, 1, 3)
) -> LayerCase:
    """Layers behind a masking layer, on sequences of those lengths."""
    return LayerCase(({"type": "masking"}, *layers), (tuple(shape),), tuple(lengths))


GENERAL = [
    one([4], "dense", units=3),
    one([4], "dense", units=3, use_bias=False),
    one([2, 4], "dense", units=3, activation="tanh"),
    one([2, 3, 2], "dense", units=2, activation="softmax"),
    one([2, 3, 2], "flatten"),
    one([2, 6], "reshape", target_shape=[3, 4]),
    one([2, 6], "reshape", target_shape=[3, -1, 2]),
    one([2, 3, 4], "permute", dims=[3, 1, 2]),
    one([2, 3], "permute", dims=[2, 1]),
    one([3], "repeat_vector", n=4),
    one([3, 2], "activation", activation="elu"),
    *(
        merge([[2, 3]] * count, kind)
        for kind in ("add", "multiply", "average", "maximum", "minimum")
        for count in (2, 3)
    ),
    merge([[2, 3], [2, 3]], "subtract"),
    merge([[2, 3], [2, 2], [2, 1]], "concatenate"),
    merge([[2, 3], [1, 3]], "concatenate", axis=1),
    merge([[4], [4]], "dot", axes=1),
    merge([[4], [4]], "dot", axes=1, normalize=True),
    merge([[3, 4], [4, 2]], "dot", axes=[2, 1]),
    one([4], "batch_norm"),
    one([3, 2, 2], "batch_norm", momentum=0.9, epsilon=0.01),
    one([5, 2], "batch_norm", center=False),
    one([4], "batch_norm", scale=False),
    masked([4, 2], {"type": "batch_norm"}),
    one([4], "batch_norm", trainable=False),
    LayerCase(
        ({"type": "dense", "units": 3}, {"type": "dense", "units": 2, "trainable": False}), ((4,),)
    ),
    one([5], "layer_norm"),
    one([3, 4], "layer_norm", epsilon=0.01),
    one([4], "layer_norm", center=False),
    one([2, 2, 3], "layer_norm", scale=False),
    one([4, 2, 3], "layer_norm", axis=1),
    one([4, 2, 3], "layer_norm", axis=[1, 2, 3]),
    one([3, 4, 2], "batch_norm", axis=1),
    one([3, 4], "group_norm", groups=2),
    one([2, 3, 6], "group_norm", groups=3, epsilon=0.01, center=False),
    one([3, 4], "group_norm", groups=-1, scale=False),
    one([2, 3, 6], "local_response_norm"),
    one([2, 2, 5], "local_response_norm", depth_radius=1, alpha=0.5, beta=0.6, bias=1.5),
    one([2, 2, 4], "local_response_norm", depth_radius=2, alpha=0.1, beta=0.75),
    wide([4], "binary_dense", units=3),
    wide([4], "binary_dense", units=3, estimator="error_decay", activation="tanh"),
    wide([4], "binary_dense", units=3, binary_inputs=False, use_bias=False),
    wide([4], "binary_dense", units=3, binary_weights=False),
]
