"""Units by kind and name."""

import subprocess
import sys

import pytest

from nncore import registry
from nncore.losses import Loss
from nncore.losses.mean_squared_error import MeanSquaredError


def test_a_name_belongs_to_one_unit_of_a_kind():
    with pytest.raises(ValueError, match="'mean_squared_error' is registered twice"):
        registry.register("mean_squared_error")(MeanSquaredError)


def test_a_unit_knows_its_kind_and_name():
    assert registry.kind_of(MeanSquaredError) is Loss
    assert registry.units(Loss)[MeanSquaredError.type_name] is MeanSquaredError


def test_a_class_of_no_kind_cannot_be_registered():
    with pytest.raises(TypeError, match="int belongs to no kind"):
        registry.kind_of(int)


def test_the_library_needs_numpy_alone():
    code = """
import sys, numpy
before = set(sys.modules)
import nncore
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert set(found) - sys.stdlib_module_names <= {"nncore", "numpy"}
