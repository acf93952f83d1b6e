"""Regularizers: one file each, found by name in documents."""

from nncore.registry import import_units
from nncore.regularizers.regularizer import Regularizer

import_units(__name__, __path__)

__all__ = ["Regularizer"]
