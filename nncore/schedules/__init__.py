"""Learning rate schedules: one file each, found by name in documents."""

from nncore.registry import import_units
from nncore.schedules.schedule import Schedule

import_units(__name__, __path__)

__all__ = ["Schedule"]
