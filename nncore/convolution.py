"""What all convolutions share: forward and backward passes over images, checks."""

from __future__ import annotations

from nncore.arrays import Array, Params
from nncore.correlation import correlate, correlate_back, kernel_gradient
from nncore.correlation import scratch as correlation_scratch
from nncore.errors import ArchitectureError
from nncore.geometry import Geometry
from nncore.passes import Pass
from nncore.reductions import sum_rows
from nncore.shapes import Shape, elements
from nncore.windows import Windows


def convolve(params: Params, x: Array, windows: Windows, groups: int, pass_: Pass) -> Array:
    """Images x (N, H, W, C) under a kernel (KH, KW, C / groups, F): y (N, OH, OW, F)."""
    geometry = Geometry.over(windows, (x.shape[1], x.shape[2]))
    kernel = params["kernel"]
    y = pass_.buffer("y", (len(x), *geometry.output, kernel.shape[-1]), x.dtype)
    correlate(x, kernel, geometry, groups, y, pass_, params.get("bias"))
    return y


def convolve_back(
    params: Params, x: Array, dy: Array, windows: Windows, groups: int, pass_: Pass
) -> tuple[Array | None, Params]:
    """The gradients of x, kernel and bias from dy (N, OH, OW, F)."""
    geometry = Geometry.over(windows, (x.shape[1], x.shape[2]))
    dkernel = pass_.buffer("dkernel", params["kernel"].shape, x.dtype)
    kernel_gradient(x, dy, geometry, groups, dkernel, pass_)
    gradients = {"kernel": dkernel} | bias_gradient(params, dy)
    if not pass_.needs_dx:
        return None, gradients
    dx = pass_.buffer("dx", x.shape, x.dtype)
    correlate_back(dy, params["kernel"], geometry, groups, dx, pass_)
    return dx, gradients


def scratch(shape: Shape, windows: Windows, filters: int, groups: int, examples: int) -> int:
    """Numbers that `convolve` and `convolve_back` work with, for images of a shape."""
    image, channels = windows.sized((shape[0], shape[1])), elements(shape[2:])
    geometry = Geometry.over(windows, image)
    return correlation_scratch(geometry, image, (channels, filters), groups, examples)


def add_bias(params: Params, y: Array) -> Array:
    """The output y (N, ..., F) plus the bias, if there is one; in place."""
    if "bias" in params:
        y += params["bias"]
    return y


def bias_gradient(params: Params, dy: Array) -> Params:
    """The bias's gradient from dy (N, ..., F), if there is a bias."""
    if "bias" not in params:
        return {}
    return {"bias": sum_rows(dy.reshape(dy.size // dy.shape[-1], dy.shape[-1]))}


def width_one(params: Params) -> Params:
    """The weights of a convolution of sequences as those of images of width 1."""
    return {**params, "kernel": params["kernel"][:, None]}


def check_groups(groups: int, channels: int, filters: int) -> None:
    """Raise ArchitectureError unless the channels and the filters fall into that many groups."""
    for field, number in (("input's channels", channels), ("filters", filters)):
        if number % groups:
            raise ArchitectureError("/groups", f"{groups} does not divide the {field} {number}")
