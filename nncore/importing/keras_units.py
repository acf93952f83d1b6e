"""Keras' initializers, regularizers and activations as documents of ours, by explicit tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nncore.documents.hints import shown
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
    renamed,
    taken,
)

_SEED = checked("seed", read=as_it_is)
_FANS = _SEED | checked("input_axes", "output_axes", read=only(None, "leave the axes to the shape"))

INITIALIZERS: dict[str, tuple[str, Options]] = {
    "Zeros": ("zeros", {}),
    "Ones": ("ones", {}),
    "Constant": ("constant", taken("value")),
    "Identity": ("identity", taken("gain")),
    "Orthogonal": ("orthogonal", _SEED | taken("gain")),
    "RandomNormal": ("random_normal", _SEED | taken("mean", "stddev")),
    "TruncatedNormal": ("truncated_normal", _SEED | taken("mean", "stddev")),
    "RandomUniform": ("random_uniform", _SEED | taken("minval", "maxval")),
    "VarianceScaling": ("variance_scaling", _FANS | taken("scale", "mode", "distribution")),
    "GlorotUniform": ("glorot_uniform", _FANS),
    "GlorotNormal": ("glorot_normal", _FANS),
    "HeUniform": ("he_uniform", _FANS),
    "HeNormal": ("he_normal", _FANS),
    "LecunUniform": ("lecun_uniform", _FANS),
    "LecunNormal": ("lecun_normal", _FANS),
}

REGULARIZERS: dict[str, tuple[str, Options]] = {
    "L1": ("l1", renamed("l1", "factor")),
    "L2": ("l2", renamed("l2", "factor")),
    "L1L2": ("l1_l2", taken("l1", "l2")),
}

ACTIVATIONS: dict[str, str | None] = {
    "linear": None,
    "elu": "elu",
    "exponential": "exponential",
    "gelu": "gelu",
    "hard_sigmoid": "hard_sigmoid",
    "leaky_relu": "leaky_relu",
    "log_softmax": "log_softmax",
    "relu": "relu",
    "relu6": "relu6",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "softmax": "softmax",
    "softplus": "softplus",
    "softsign": "softsign",
    "swish": "silu",
    "tanh": "tanh",
}


def initializer(value: Any, pointer: str) -> Any:
    """An initializer's document."""
    return _unit(value, INITIALIZERS, "an initializer", pointer)


def regularizer(value: Any, pointer: str) -> Any:
    """A regularizer's document; None for none."""
    return None if value is None else _unit(value, REGULARIZERS, "a regularizer", pointer)


def activation(value: Any, pointer: str) -> Any:
    """An activation's document; None for the linear one."""
    if value is None:
        return None
    if isinstance(value, str):
        if value not in ACTIVATIONS:
            raise ArchitectureError(
                pointer,
                f"{shown(value)} is not supported; known activations: {', '.join(ACTIVATIONS)}",
            )
        return ACTIVATIONS[value]
    name = value.get("class_name") if isinstance(value, Mapping) else None
    if name not in ACTIVATION_LAYERS:
        raise ArchitectureError(
            pointer,
            "is a function of your own, which no document describes; use one of "
            f"{', '.join(ACTIVATIONS)}",
        )
    return activation_layer(value, pointer)


def activation_layer(entry: Mapping[str, Any], pointer: str) -> Any:
    """The activation that a layer such as ReLU applies."""
    kind, options = ACTIVATION_LAYERS[entry["class_name"]]
    return _compact(entry, kind, options | LAYER_OPTIONS, pointer)


def _unit(value: Any, table: Mapping[str, tuple[str, Options]], noun: str, pointer: str) -> Any:
    name = member(value, "class_name", str, pointer)
    if name not in table:
        raise ArchitectureError(
            step_into(pointer, "class_name"),
            f"{shown(name)} is not {noun} that is supported; known: {', '.join(table)}",
        )
    kind, options = table[name]
    return _compact(value, kind, options, pointer)


def _compact(entry: Mapping[str, Any], kind: str, options: Options, pointer: str) -> Any:
    config = member(entry, "config", dict, pointer)
    fields = read_options(config, options, step_into(pointer, "config"))
    return {"type": kind, **fields} if fields else kind


def _precision(value: Any, pointer: str) -> None:
    """Any floating-point policy; the weights' dtype decides here."""
    config = value.get("config") if isinstance(value, Mapping) else None
    name = config.get("name") if isinstance(config, Mapping) else value
    if not (isinstance(name, str) and "float" in name and "int" not in name):
        raise ArchitectureError(
            pointer, f"{shown(name)} is not supported; export the model before it is quantized"
        )


def _axis(value: Any, pointer: str) -> int:
    found = alike(value if isinstance(value, list) and len(value) == 1 else [value], pointer)
    if not isinstance(found, int):
        raise ArchitectureError(pointer, "softmax along several axes is not supported; use one")
    return found


_NO_CONSTRAINT = only(None, "constraints on weights do not exist here; train without")

LAYER_OPTIONS: Options = {
    **checked("name", "trainable", "autocast", read=as_it_is),
    "dtype": Option(None, _precision),
    **checked("activity_regularizer", read=only(None, "regularize weights instead")),
    **checked("quantization_config", "lora_rank", read=only(None, "export the plain layer")),
    **checked(
        *(
            f"{weight}_constraint"
            for weight in (
                *("kernel", "bias", "recurrent", "embeddings", "beta", "gamma", "alpha"),
                *("depthwise", "pointwise"),
            )
        ),
        read=_NO_CONSTRAINT,
    ),
}
"""What every layer may say and what changes nothing."""

ACTIVATION_LAYERS: dict[str, tuple[str, dict[str, Option]]] = {
    "ReLU": ("relu", taken("max_value", "negative_slope", "threshold")),
    "LeakyReLU": ("leaky_relu", taken("negative_slope")),
    "ELU": ("elu", taken("alpha")),
    "Softmax": ("softmax", taken("axis", read=_axis)),
    "PReLU": (
        "prelu",
        taken("alpha_initializer", read=initializer)
        | taken("alpha_regularizer", read=regularizer)
        | taken("shared_axes", read=lambda axes, _: axes or []),
    ),
}
