"""Metrics: one file each, found by name in documents."""

from nncore.metrics.metric import Metric
from nncore.registry import import_units

import_units(__name__, __path__)

__all__ = ["Metric"]
