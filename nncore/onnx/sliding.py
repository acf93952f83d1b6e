"""Convolutions and poolings in ONNX, whose images have the channels first (N, C, H, W).

Sequences (N, T, C) are (N, C, T) there. Margins are told as numbers where they do not depend on the
image; else the runtime finds them, by itself or through operators of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.onnx.model import Attribute
from nncore.transposition import Axis
from nncore.windows import CausalPadding, Windows, margins


class _Line(NamedTuple):
    """Windows along one axis of an input of that length."""

    length: int | None
    reach: int
    stride: int
    padding: CausalPadding

    @property
    def ends(self) -> tuple[int, int] | None:
        """Its margins, None: they depend on a length that varies."""
        if self.length is None and self.stride > 1 and self.padding == "same":
            return None
        return margins(self.length or 1, self.reach, self.stride, self.padding)


def channels_first(x: str, axes: int, graph: Graph) -> str:
    """X (N, ..., C) with that many axes between as (N, C, ...)."""
    return graph.turn(x, 0, axes + 1, *range(1, axes + 1))


def channels_last(x: str, axes: int, graph: Graph) -> str:
    """X (N, C, ...) as (N, ..., C)."""
    return graph.turn(x, 0, *range(2, axes + 2), 1)


def convolve(params: Params, x: Value, windows: Windows, groups: int, graph: Graph) -> str:
    """X (N, ..., C) under a kernel (..., C / groups, F), plus the bias if there is one."""
    weights = [graph.weight("kernel", _filters_first(params["kernel"]))]
    return _convolve(weights, params, x, windows, groups, graph)


def convolve_depthwise(params: Params, name: str, x: Value, windows: Windows, graph: Graph) -> str:
    """Images (N, H, W, C) under a kernel (KH, KW, C, M), plus the bias if there is one."""
    kernel = params[name]
    height, width, channels, each = kernel.shape
    filters = kernel.transpose(2, 3, 0, 1).reshape(channels * each, 1, height, width)
    return _convolve([graph.weight(name, filters)], params, x, windows, channels, graph)


def convolve_transposed(params: Params, x: Value, axes: Sequence[Axis], graph: Graph) -> str:
    """X (N, ..., C) spread by a kernel (..., F, C), plus the bias if there is one."""
    weights = [graph.weight("kernel", _filters_first(params["kernel"]))]
    # What y has beyond what the windows reach over, when as much is cut off at its end as must be.
    rest = [axis.length(1) - axis.reach + axis.offset for axis in axes]
    y = graph.node(
        "ConvTranspose",
        channels_first(x.name, len(axes), graph),
        *weights,
        *_bias(params, graph),
        strides=[axis.stride for axis in axes],
        dilations=[axis.dilation for axis in axes],
        pads=[axis.offset for axis in axes] + [max(-more, 0) for more in rest],
        output_padding=[max(more, 0) for more in rest],
    )
    return channels_last(y, len(axes), graph)


def pool(operator: str, x: Value, windows: Windows, margin: float, graph: Graph) -> str:
    """MaxPool or AveragePool of x (N, ..., C); `margin` must not count."""
    axes = len(x.shape) - 1
    first = channels_first(x.name, axes, graph)
    if graph.maker(first) == "Pad":
        # ONNX Runtime 1.31 takes zeros around an image for the pooling's own margins, which never
        # win and must be smaller than a window; it does not if there is something between.
        first = graph.node("Max", first, graph.number(-np.inf))
    shape: dict[str, Attribute] = {"kernel_shape": list(windows.size[:axes])}
    if operator == "AveragePool" and not _runtime_pads(x, windows) and _pads(x, windows) is None:
        # Margins of its own count for the operator: divide by the share that is none.
        ones = graph.node("Expand", graph.number(1), graph.sizes(first, 0))
        sums, shares = (
            _slide(operator, part, x, windows, 0, graph, shape) for part in (first, ones)
        )
        y = graph.node("Div", sums, shares)
    else:
        y = _slide(operator, first, x, windows, margin, graph, shape)
    return channels_last(y, axes, graph)


def _convolve(
    weights: list[str], params: Params, x: Value, windows: Windows, groups: int, graph: Graph
) -> str:
    axes = len(x.shape) - 1
    first = channels_first(x.name, axes, graph)
    more: dict[str, Attribute] = {"dilations": list(windows.dilation[:axes]), "group": groups}
    weights = [*weights, *_bias(params, graph)]
    return channels_last(_slide("Conv", first, x, windows, 0, graph, more, weights), axes, graph)


def _slide(
    operator: str,
    first: str,
    x: Value,
    windows: Windows,
    margin: float,
    graph: Graph,
    more: dict[str, Attribute],
    weights: Sequence[str] = (),
) -> str:
    """An operator over `first`, which is x with the channels first."""
    padding: dict[str, Attribute] = {}
    if (pads := _pads(x, windows)) is not None:
        padding = {"pads": pads}
    elif _runtime_pads(x, windows):
        padding = {"auto_pad": "SAME_UPPER"}
    else:
        first = _framed(first, x, windows, margin, graph)
    strides = list(windows.strides[: len(x.shape) - 1])
    return graph.node(operator, first, *weights, strides=strides, **padding, **more)


def _lines(x: Value, windows: Windows) -> list[_Line]:
    lengths = x.shape[:-1]
    axes = len(lengths)
    reach, strides = windows.reach[:axes], windows.strides[:axes]
    return [_Line(*line, windows.padding) for line in zip(lengths, reach, strides, strict=True)]


def _pads(x: Value, windows: Windows) -> list[int] | None:
    """The margins before all axes, then those behind; None: they depend on sizes that vary."""
    found = [line.ends for line in _lines(x, windows)]
    ends = [both for both in found if both is not None]
    if len(ends) < len(found):
        return None
    return [before for before, _ in ends] + [after for _, after in ends]


def _runtime_pads(x: Value, windows: Windows) -> bool:
    """Whether ONNX Runtime finds margins by itself: not between taps, nor if windows lie apart."""
    lines = _lines(x, windows)
    return windows.dilation == (1, 1) and all(line.reach >= line.stride for line in lines)


def _framed(first: str, x: Value, windows: Windows, margin: float, graph: Graph) -> str:
    """X with margins of `same`: after windows every s, r - 1 - (length - 1) mod s are missing."""
    lines = _lines(x, windows)
    one = graph.integers(1)
    strides = graph.integers(*(line.stride for line in lines))
    over = graph.node("Mod", graph.node("Sub", graph.sizes(first, 2), one), strides)
    wanted = graph.integers(*(line.reach - 1 for line in lines))
    missing = graph.node("Max", graph.node("Sub", wanted, over), graph.integers(0))
    before = graph.node("Div", missing, graph.integers(2))
    # Margins of all axes: ONNX Runtime 1.31 moves transpositions past those of some, wrongly.
    none = graph.integers(0, 0)
    after = graph.node("Sub", missing, before)
    pads = graph.node("Concat", none, before, none, after, axis=0)
    return graph.node("Pad", first, pads, graph.number(margin))


def _filters_first(kernel: Array) -> Array:
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _bias(params: Params, graph: Graph) -> list[str]:
    return [graph.weight("bias", params["bias"])] if "bias" in params else []
