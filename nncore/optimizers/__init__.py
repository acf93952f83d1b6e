"""Optimizers: one file each, found by name in documents."""

from nncore.optimizers.optimizer import Optimizer
from nncore.registry import import_units

import_units(__name__, __path__)

__all__ = ["Optimizer"]
