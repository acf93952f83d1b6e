"""What a layer inside of another layer's document may not say."""

from __future__ import annotations

from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer


def check_wrapped(layer: Layer) -> None:
    """Raise ArchitectureError, pointing below `/layer`, for fields that belong to the wrapper."""
    for field, value, default in (
        ("name", layer.name, None),
        ("trainable", layer.trainable, True),
        ("inputs", layer.inputs, None),
        ("shares", layer.shares, None),
    ):
        if value != default:
            raise ArchitectureError(
                f"/layer/{field}", f"belongs to the layer around it; give it {field} instead"
            )
