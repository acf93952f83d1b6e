"""Fitted, JSON-serialisable encoding of dataset columns: inputs, targets, instances, row splits.

Columns are `dict[str, NDArray]`: number and boolean are float64 (N,) with NaN for missing,
category and text are object arrays of str or None, a tensor is (N, ...) of any real dtype.
"""

from nncore.preprocessing.errors import InstanceError, PreprocessingError
from nncore.preprocessing.inputs import InputEncoder
from nncore.preprocessing.instances import encode_instances
from nncore.preprocessing.options import InputOptions
from nncore.preprocessing.splitting import split_rows, split_sizes
from nncore.preprocessing.targets import Label, TargetEncoder, TargetKind

__all__ = [
    "InputEncoder",
    "InputOptions",
    "InstanceError",
    "Label",
    "PreprocessingError",
    "TargetEncoder",
    "TargetKind",
    "encode_instances",
    "split_rows",
    "split_sizes",
]
