"""A network of one layer, its operation run by hand with the weights and the pass one wants."""

from __future__ import annotations

import numpy as np

from nncore import Network
from nncore.passes import Pass, Run
from nncore.workspace import Workspace


class OneLayer:
    """`params` by short name, double and random unless set; `run` is the latest pass's."""

    def __init__(self, kind, shape, **fields):
        document = {"input": {"shape": shape}, "layers": [{"type": kind, **fields}]}
        self.network = Network.from_spec(document)
        rng = np.random.default_rng(5)
        self.params = {
            name.partition(".")[2]: rng.normal(size=shape)
            for name, shape in self.network.weight_shapes.items()
        }

    def forward(self, x, training=False, mask=None, **run):
        (stage,) = self.network.stages
        self.run = Run(Workspace(), training=training, **run)
        self.pass_ = Pass(self.run, stage.layer, stage.index, mask=mask)
        y, self.cache = stage.operation.forward(self.params, np.asarray(x), self.pass_)
        return y

    def backward(self, dy):
        (stage,) = self.network.stages
        dy = np.array(dy, float)
        return stage.operation.backward(self.params, self.cache, dy, self.pass_)

    def renewed(self, weight):
        (stage,) = self.network.stages
        return self.run.renewed[f"{stage.layer}.{weight}"]
