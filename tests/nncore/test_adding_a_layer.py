"""A layer is one new file and one row: documents, schema, page and training know it by themselves.

It happens in a process of its own, so that no other test meets the layer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILE = '''\
"""A trained factor for each feature: y = x s.   x (N, ..., C), s (C,), y (N, ..., C)."""

from dataclasses import dataclass

from nncore.initializers.constant import Ones
from nncore.layers.layer import Layer
from nncore.operation import Weight
from nncore.reductions import sum_rows
from nncore.registry import register
from nncore.shapes import Positive


@register("scaling")
@dataclass(frozen=True, slots=True)
class Scaling(Layer):
    """Multiplies each feature by a trained factor."""

    power: Positive = 1

    def weights(self, shape):
        return {"scale": Weight(shape[-1:], Ones())}

    def forward(self, params, x, pass_):
        return x * params["scale"] ** self.power, x

    def backward(self, params, cache, dy, pass_):
        scale, power = params["scale"], self.power
        slope = (dy * cache).reshape(-1, len(scale)) * (power * scale ** (power - 1))
        return dy * scale**power, {"scale": sum_rows(slope)}
'''
ROW = '''\
"""The row of the contract's table."""

CASES = [({"type": "scaling", "power": 2}, [4])]
'''
KNOWN = """
import sys
import nncore.layers
nncore.layers.__path__.append(sys.argv[1])
"""
CHECKOUT = Path(__file__).parents[2]
CONTRACT = CHECKOUT / "tests" / "nncore" / "layers" / "test_contract.py"


@pytest.fixture
def folder(tmp_path):
    """A folder that counts as part of nncore/layers, with one file in it."""
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "scaling.py").write_text(FILE, encoding="utf-8")
    return tmp_path / "layers"


def run(folder, code):
    command = [sys.executable, "-c", KNOWN + code, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)


def works(folder, code):
    found = run(folder, code)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_documents_and_their_schema_know_a_file_that_is_there(folder):
    printed = works(
        folder,
        """
from nncore import Network
from nncore.documents import json_schema
from nncore.plan import NetworkSpec
schema = json_schema(NetworkSpec)["$defs"]["Layer.scaling"]
power = schema["properties"]["power"]
assert power == {"type": "integer", "minimum": 1, "maximum": 2**63 - 1, "default": 1}, schema
network = Network.from_spec({"input": {"shape": [4]}, "layers": ["scaling"]})
print(network.to_spec()["layers"], network.weight_shapes)
try:
    Network.from_spec({"input": {"shape": [4]}, "layers": [{"type": "scaling", "power": 0}]})
except ValueError as error:
    print(error)
""",
    )
    assert "[{'type': 'scaling', 'name': 'scaling_1', 'trainable': True, 'power': 1}]" in printed
    assert "{'scaling_1.scale': (4,)}" in printed
    assert "layers[0].power: must be at least 1, got 0" in printed


def test_it_trains_and_stands_on_the_page(folder):
    works(
        folder,
        """
import numpy as np
from docs.generate_units import contract_rows, page
from nncore import Network, fit
from nncore.layers import Layer
network = Network.from_spec({"layers": ["scaling", {"type": "dense", "units": 1}]}, [4])
params, x = network.init(0, "float64"), np.random.default_rng(0).normal(size=(20, 4))
losses = [epoch.loss for epoch in fit(network, params, x, x[:, :1], {"epochs": 20})]
assert losses[-1] < losses[0] and np.any(params["scaling_1.scale"] != 1)
rows = contract_rows()
rows[Layer].append(({"type": "scaling", "power": 2}, [4]))
section = page(rows).split("### scaling\\n")[1].split("###")[0]
for part in ("Multiplies each feature", "y = x s.", "| `power` | an integer (at least 1) | `1` |",
             '{"type": "scaling", "power": 2}'):
    assert part in section, section
""",
    )


CONTRACT_OF_IT = """
import pathlib, pytest
own = {row!r}
source = pathlib.Path({contract!r})
class Row:
    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if "scaling" in item.name or "has_a_row" in item.name]
glob = pathlib.Path.glob
def with_the_row(path, pattern):
    yield from glob(path, pattern)
    if own and path == source.parent and pattern == "cases_*.py":
        yield pathlib.Path(own)
pathlib.Path.glob = with_the_row
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(source)], [Row()]))
"""


def test_its_row_proves_it_and_without_a_row_the_contract_fails(folder):
    row = folder.parent / "cases_scaling.py"
    row.write_text(ROW, encoding="utf-8")
    contract = str(CONTRACT)
    with_row = works(folder, CONTRACT_OF_IT.format(row=str(row), contract=contract))
    assert "8 passed" in with_row
    without = run(folder, CONTRACT_OF_IT.format(row="", contract=contract))
    assert without.returncode == 1
    assert "test_every_registered_layer_has_a_row" in without.stdout
