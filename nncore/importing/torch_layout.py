"""Where PyTorch keeps a value's channels, and so in which order it flattens them.

Here channels come last, (N, H, W, C); PyTorch's convolutions have them first, (N, C, H, W). A
vector flattened from there holds the same numbers in another order, which the weights that read the
vector have to follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nncore.layers import Layer
from nncore.layers.time_distributed import TimeDistributed
from nncore.network import Network
from nncore.shapes import Shape, elements

Order = NDArray[np.intp]
"""For each place of our last axis the place in PyTorch's."""

_CHANNELS_FIRST = (
    *("conv1d", "conv2d", "conv1d_transpose", "conv2d_transpose", "depthwise_conv2d"),
    *("separable_conv2d", "binary_conv2d", "max_pool1d", "max_pool2d", "avg_pool1d"),
    *("avg_pool2d", "min_pool2d", "up_sampling1d", "up_sampling2d", "zero_padding1d"),
    *("zero_padding2d", "cropping1d", "cropping2d", "local_response_norm"),
)
_KEEPING = (
    *("activation", "dropout", "batch_norm", "layer_norm", "group_norm", "gaussian_noise"),
    *("gaussian_dropout", "spatial_dropout1d", "spatial_dropout2d", "masking"),
    *("repeat_vector", "global_avg_pool1d", "global_max_pool1d"),
    *("add", "average", "multiply", "maximum", "minimum", "subtract"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A value in PyTorch: `moved` if its channels come first there; the order of its last axis."""

    shape: Shape
    moved: bool
    order: Order | None = None


def layouts(network: Network) -> dict[str, Layout]:
    """The layout of what each layer reads (the first of several), by the layer's name.

    Raises ValueError where an order cannot be known.
    """
    values = {name: Layout(shape, len(shape) > 2) for name, shape in network.input_shapes.items()}
    outputs = {stage.layer: stage.output_shape for stage in network.stages}
    read: dict[str, Layout] = {}
    for position in network.wiring.order:
        layer = network.spec.layers[position]
        sources = [values[name] for name in network.wiring.reads[position]]
        name = str(layer.name)
        read[name] = sources[0]
        values[name] = _after(layer, sources, outputs[name])
    return read


def of_a_step(layout: Layout) -> Layout:
    """The layout of one step of a sequence."""
    return Layout(layout.shape[1:], layout.moved and len(layout.shape) > 3, layout.order)


def _after(layer: Layer, sources: list[Layout], shape: Shape) -> Layout:
    kind, first = layer.type_name, sources[0]
    if isinstance(layer, TimeDistributed):
        inner = _after(layer.layer, [of_a_step(first)], shape[1:])
        return replace(inner, shape=shape)
    if kind in ("flatten", "reshape"):
        return _reshaped(layer, first, shape)
    if kind in _CHANNELS_FIRST:
        if len(first.shape) > 2 and not first.moved:
            raise ValueError(
                f"{layer.name} reads images made of vectors, whose order differs from PyTorch's; "
                "make them with reshape [channels, height, width] and permute [2, 3, 1]"
            )
        return Layout(shape, True)
    if kind == "permute":
        return Layout(shape, _moved(layer, first))
    if kind == "concatenate":
        return Layout(shape, first.moved, _side_by_side(sources))
    if kind in _KEEPING and _agree(layer, sources):
        return Layout(shape, first.moved and len(shape) > 1, first.order)
    return Layout(shape, False)


def _reshaped(layer: Layer, source: Layout, shape: Shape) -> Layout:
    if len(source.shape) == 1 or not source.moved:
        return Layout(shape, False, source.order if source.shape == shape else None)
    if len(shape) > 1:
        raise ValueError(
            f"{layer.name} takes images apart, whose order differs from PyTorch's; permute them "
            "to PyTorch's order first, [3, 1, 2]"
        )
    *spatial, channels = (elements((size,)) for size in source.shape)
    theirs = np.arange(elements(source.shape)).reshape(channels, *spatial)
    return Layout(shape, False, np.moveaxis(theirs, 0, -1).reshape(-1))


def _moved(layer: Layer, source: Layout) -> bool:
    """Images with channels last are PyTorch's moved; in any other order they are as written."""
    dims: tuple[int, ...] = getattr(layer, "dims", ())
    return len(dims) > 1 and dims[-1] == (len(dims) if source.moved else 1)


def _agree(layer: Layer, sources: list[Layout]) -> bool:
    """Values that are joined place by place must have one order."""
    orders = {None if source.order is None else source.order.tobytes() for source in sources}
    if len(orders) > 1:
        raise ValueError(f"{layer.name} joins a flattened image with another vector; use a dense")
    return True


def _side_by_side(sources: list[Layout]) -> Order | None:
    if any(len(source.shape) > 1 for source in sources) or all(
        source.order is None for source in sources
    ):
        return None
    parts, start = [], 0
    for source in sources:
        size = elements(source.shape)
        order = np.arange(size) if source.order is None else source.order
        parts.append(order + start)
        start += size
    return np.concatenate(parts)
