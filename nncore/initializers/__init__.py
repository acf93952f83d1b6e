"""How weights start: one file per family, found by name in documents."""

from nncore.initializers.initializer import Initializer
from nncore.registry import import_units

import_units(__name__, __path__)

__all__ = ["Initializer"]
