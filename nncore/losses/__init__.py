"""Losses: one file each, found by name in documents."""

from nncore.losses.loss import Loss
from nncore.registry import import_units

import_units(__name__, __path__)

__all__ = ["Loss"]
