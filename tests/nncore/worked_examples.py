"""What the worked examples share: comparison, small dense networks, weights in float64."""

from __future__ import annotations

import numpy as np

from nncore import Network
from nncore.passes import Pass, Run
from nncore.workspace import Workspace


def close(found, expected, within=1e-10):
    """Equal to within an absolute error, whatever the shapes."""
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), rtol=0, atol=within)


def dense_network(inputs, *units, activation="sigmoid"):
    """Dense layers one after the other."""
    layers = [{"type": "dense", "units": n, "activation": activation} for n in units]
    return Network.from_spec({"input": {"shape": [inputs]}, "layers": layers})


def double(**arrays):
    """Weights in float64, `kernel_1` for `dense_1.kernel`."""
    return {
        f"dense_{name[-1]}.{name[:-2]}": np.array(array, dtype=np.float64)
        for name, array in arrays.items()
    }


def single_pass():
    """A pass for one operation alone."""
    return Pass(Run(Workspace()), "layer", 0)


def derivative(activation, x):
    """An activation's derivative at one number."""
    x = np.array([[x]], dtype=np.float64)
    pass_ = single_pass()
    _, cache = activation.forward({}, x, pass_)
    return activation.backward({}, cache, np.ones_like(x), pass_)[0].item()
