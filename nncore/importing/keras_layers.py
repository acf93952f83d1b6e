"""Keras' layers as documents of ours, by an explicit table of classes and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nncore import registry
from nncore.documents.hints import fields_of, shown
from nncore.documents.writing import value_document
from nncore.errors import ArchitectureError, step_into
from nncore.importing.keras_options import (
    Option,
    Options,
    alike,
    as_it_is,
    checked,
    member,
    only,
    read_options,
    taken,
)
from nncore.importing.keras_units import (
    ACTIVATION_LAYERS,
    LAYER_OPTIONS,
    activation,
    activation_layer,
    initializer,
    regularizer,
)
from nncore.layers import Layer

_LAST = checked(
    "data_format",
    read=only("channels_last", 'build the model with data_format="channels_last"'),
)
_STATELESS = {
    **checked("return_state", read=only(False, "outputs are the only results of a layer here")),
    **checked("stateful", read=only(False, "every batch starts afresh here")),
    **checked("unroll", "seed", "implementation", "use_cudnn", read=as_it_is),
}
_RANDOM = checked("seed", read=as_it_is) | checked(
    "noise_shape", read=only(None, "use SpatialDropout1D or 2D to drop whole channels")
)


def _weights(*names: str) -> dict[str, Option]:
    return taken(*(f"{name}_initializer" for name in names), read=initializer) | taken(
        *(f"{name}_regularizer" for name in names), read=regularizer
    )


_AFFINE = _weights("bias") | taken("use_bias") | taken("activation", read=activation)
_DENSE = _AFFINE | _weights("kernel") | taken("units")
_SLIDING = _LAST | taken("padding") | taken("kernel_size", "strides", "dilation_rate", read=alike)
_CONV = _AFFINE | _weights("kernel") | _SLIDING | taken("filters", "groups")
_DEPTHWISE = _AFFINE | _weights("depthwise") | _SLIDING | taken("depth_multiplier")
_POOL = _LAST | taken("padding") | taken("pool_size", "strides", read=alike)
_GLOBAL = _LAST | taken("keepdims")
_AFFINE_NORM = _weights("beta", "gamma") | taken("axis", "epsilon", "center", "scale")
_RECURRENT = (
    _DENSE
    | _STATELESS
    | _weights("recurrent")
    | taken("dropout", "recurrent_dropout", "return_sequences", "go_backwards")
    | taken("zero_output_for_mask")
)
_GATED = _RECURRENT | taken("recurrent_activation", read=activation)
_TRANSPOSED = _CONV | taken("output_padding", read=alike)


def _only_item(value: Any, _: str) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _inner(value: Any, pointer: str) -> dict[str, Any]:
    if isinstance(value, Mapping) and "layers" in (value.get("config") or {}):
        raise ArchitectureError(pointer, "a wrapper of a whole model is not supported; wrap layers")
    return read_layer(value, pointer)


def _merge_mode(value: Any, pointer: str) -> Any:
    if value is None:
        raise ArchitectureError(
            pointer, 'null gives two outputs, which is not supported; use "concat" or "sum"'
        )
    return value


LAYERS: dict[str, tuple[str, Options]] = {
    "Activation": ("activation", taken("activation", read=activation)),
    "Add": ("add", {}),
    "Average": ("average", {}),
    "AveragePooling1D": ("avg_pool1d", _POOL),
    "AveragePooling2D": ("avg_pool2d", _POOL),
    "BatchNormalization": (
        "batch_norm",
        _AFFINE_NORM
        | taken("momentum")
        | taken("moving_mean_initializer", "moving_variance_initializer", read=initializer)
        | taken("axis", read=_only_item)
        | checked("synchronized", "renorm_clipping", "renorm_momentum", read=as_it_is)
        | checked("renorm", read=only(False, "train without renorm")),
    ),
    "Bidirectional": (
        "bidirectional",
        taken("merge_mode", read=_merge_mode)
        | taken("layer", read=_inner)
        | checked("backward_layer", read=as_it_is),
    ),
    "Concatenate": ("concatenate", taken("axis")),
    "Conv1D": ("conv1d", _CONV),
    "Conv1DTranspose": ("conv1d_transpose", _TRANSPOSED),
    "Conv2D": ("conv2d", _CONV),
    "Conv2DTranspose": ("conv2d_transpose", _TRANSPOSED),
    "Cropping1D": ("cropping1d", taken("cropping", read=alike)),
    "Cropping2D": ("cropping2d", _LAST | taken("cropping", read=alike)),
    "Dense": ("dense", _DENSE),
    "DepthwiseConv2D": ("depthwise_conv2d", _DEPTHWISE),
    "Dot": ("dot", taken("axes", "normalize")),
    "Dropout": ("dropout", _RANDOM | taken("rate")),
    "Embedding": (
        "embedding",
        _weights("embeddings") | taken("input_dim", "output_dim", "mask_zero"),
    ),
    "Flatten": ("flatten", _LAST),
    "GRU": ("gru", _GATED | taken("reset_after")),
    "GaussianDropout": ("gaussian_dropout", _RANDOM | taken("rate")),
    "GaussianNoise": ("gaussian_noise", _RANDOM | taken("stddev")),
    "GlobalAveragePooling1D": ("global_avg_pool1d", _GLOBAL),
    "GlobalAveragePooling2D": ("global_avg_pool2d", _GLOBAL),
    "GlobalMaxPooling1D": ("global_max_pool1d", _GLOBAL),
    "GlobalMaxPooling2D": ("global_max_pool2d", _GLOBAL),
    "GroupNormalization": (
        "group_norm",
        _AFFINE_NORM | taken("groups") | checked("axis", read=only(-1, "use the last axis")),
    ),
    "Identity": ("activation", {}),
    "LSTM": ("lstm", _GATED | taken("unit_forget_bias")),
    "LayerNormalization": (
        "layer_norm",
        _AFFINE_NORM
        | taken("axis", read=_only_item)
        | checked("rms_scaling", read=only(False, "use plain layer normalization")),
    ),
    "Masking": ("masking", taken("mask_value")),
    "MaxPooling1D": ("max_pool1d", _POOL),
    "MaxPooling2D": ("max_pool2d", _POOL),
    "Maximum": ("maximum", {}),
    "Minimum": ("minimum", {}),
    "Multiply": ("multiply", {}),
    "Permute": ("permute", taken("dims")),
    "RepeatVector": ("repeat_vector", taken("n")),
    "Reshape": ("reshape", taken("target_shape")),
    "SeparableConv2D": ("separable_conv2d", _DEPTHWISE | _weights("pointwise") | taken("filters")),
    "SimpleRNN": ("simple_rnn", _RECURRENT),
    "SpatialDropout1D": ("spatial_dropout1d", _RANDOM | taken("rate")),
    "SpatialDropout2D": ("spatial_dropout2d", _RANDOM | _LAST | taken("rate")),
    "Subtract": ("subtract", {}),
    "TimeDistributed": ("time_distributed", taken("layer", read=_inner)),
    "UpSampling1D": ("up_sampling1d", taken("size")),
    "UpSampling2D": ("up_sampling2d", _LAST | taken("interpolation") | taken("size", read=alike)),
    "ZeroPadding1D": ("zero_padding1d", _LAST | taken("padding", read=alike)),
    "ZeroPadding2D": ("zero_padding2d", _LAST | taken("padding", read=alike)),
}


def read_layer(entry: Any, pointer: str) -> dict[str, Any]:
    """Our document of a Keras layer, without its name; fields with their defaults are left out.

    Raises ArchitectureError with a pointer into the Keras document.
    """
    name = member(entry, "class_name", str, pointer)
    config = member(entry, "config", dict, pointer)
    if name in ACTIVATION_LAYERS:
        return {"type": "activation", "activation": activation_layer(entry, pointer)}
    if name not in LAYERS:
        raise _unsupported(name, step_into(pointer, "class_name"))
    kind, options = LAYERS[name]
    if name == "Bidirectional":
        _check_mirrored(config, step_into(pointer, "config"))
    fields = read_options(config, LAYER_OPTIONS | options, step_into(pointer, "config"))
    if kind == "activation":
        return {"type": kind, "activation": fields.get("activation") or "linear"}
    defaults = {
        field.name: value_document(field.default)
        for field in fields_of(registry.units(Layer)[kind])
        if not field.required
    }
    short = {
        field: value
        for field, value in fields.items()
        if field not in defaults or defaults[field] != value
    }
    return {"type": kind, **short}


def trained(entry: Any) -> bool:
    """Whether a layer and the layer inside of it may learn."""
    config = entry.get("config", {}) if isinstance(entry, Mapping) else {}
    inner = config.get("layer")
    return config.get("trainable") is not False and (inner is None or trained(inner))


def _unsupported(name: str, pointer: str) -> ArchitectureError:
    known = ", ".join(sorted({*LAYERS, *ACTIVATION_LAYERS}))
    return ArchitectureError(
        pointer, f"the layer {shown(name)} is not supported; rebuild it from these: {known}"
    )


_OF_EACH_DIRECTION = {"name", "go_backwards", "seed"}


def _check_mirrored(config: Mapping[str, Any], pointer: str) -> None:
    if config.get("backward_layer") is None:
        return
    ahead, back = (
        {
            key: value
            for key, value in member(
                member(config, which, dict, pointer), "config", dict, f"{pointer}/{which}"
            ).items()
            if key not in _OF_EACH_DIRECTION
        }
        for which in ("layer", "backward_layer")
    )
    kinds = {str(config[which].get("class_name")) for which in ("layer", "backward_layer")}
    differing = sorted(key for key in ahead if ahead[key] != back.get(key))
    if len(kinds) > 1 or differing:
        what = f"another {differing[0]}" if differing else "another class"
        raise ArchitectureError(
            f"{pointer}/backward_layer",
            f"has {what} than layer; here both directions have the same options",
        )
