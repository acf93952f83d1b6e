"""What all convolutions share: forward and backward passes over images, checks."""

from __future__ import annotations

from nncore.arrays import Array, Params
from nncore.contiguous import contiguous
from nncore.correlation import correlate, correlate_back, kernel_gradient
from nncore.correlation import scratch as correlation_scratch
from nncore.errors import ArchitectureError
from nncore.geometry import Geometry
from nncore.passes import Pass
from nncore.products import product
from nncore.shapes import Shape, elements
from nncore.windows import Windows


def convolve(params: Params, x: Array, windows: Windows, groups: int, pass_: Pass) -> Array:
    """Images x (N, H, W, C) under a kernel (KH, KW, C / groups, F): y (N, OH, OW, F).

    Sequences are images of width 1, their kernels may be (KH, C / groups, F).
    """
    geometry = Geometry.over(windows, (x.shape[1], x.shape[2]))
    kernel = _over_images(params["kernel"])
    y = pass_.buffer("y", (len(x), *geometry.output, kernel.shape[-1]), x.dtype)
    correlate(x, kernel, geometry, groups, y, pass_, params.get("bias"))
    return y


def convolve_back(
    params: Params, x: Array, dy: Array, windows: Windows, groups: int, pass_: Pass
) -> tuple[Array | None, Params]:
    """The gradients of x, kernel and bias from dy (N, OH, OW, F)."""
    geometry = Geometry.over(windows, (x.shape[1], x.shape[2]))
    kernel, slopes = _over_images(params["kernel"]), contiguous(dy, "dy", pass_)
    dkernel = pass_.gradient("kernel", params["kernel"].shape, x.dtype)
    kernel_gradient(x, slopes, geometry, groups, dkernel.reshape(kernel.shape), pass_)
    gradients = {"kernel": dkernel} | bias_gradient(params, slopes, pass_)
    if not pass_.needs_dx:
        return None, gradients
    dx = pass_.buffer("dx", x.shape, x.dtype)
    correlate_back(slopes, kernel, geometry, groups, dx, pass_)
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


def bias_gradient(params: Params, dy: Array, pass_: Pass) -> Params:
    """The bias's gradient from dy (N, ..., F), if there is a bias."""
    if "bias" not in params:
        return {}
    filters = dy.shape[-1]
    rows = contiguous(dy, "dy", pass_).reshape(dy.size // filters, filters)
    gradient = pass_.gradient("bias", (filters,), dy.dtype)
    product(pass_.constant(1, (len(rows),), dy.dtype), rows, gradient, pass_)
    return {"bias": gradient}


def width_one(params: Params) -> Params:
    """The weights of a convolution of sequences as those of images of width 1."""
    return {**params, "kernel": _over_images(params["kernel"])}


def _over_images(kernel: Array) -> Array:
    """A kernel (KH, KW, C, F), also from one over sequences (KH, C, F)."""
    return kernel[:, None] if kernel.ndim == 3 else kernel


def check_groups(groups: int, channels: int, filters: int) -> None:
    """Raise ArchitectureError unless the channels and the filters fall into that many groups."""
    for field, number in (("input's channels", channels), ("filters", filters)):
        if number % groups:
            raise ArchitectureError("/groups", f"{groups} does not divide the {field} {number}")
