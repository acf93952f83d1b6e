"""Random networks: promised shapes are the actual ones, documents survive, gradients are right."""

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from nncore import ArchitectureError, Network
from nncore.gradient_check import check_gradients

sizes = st.integers(1, 3)
pairs = sizes | st.lists(sizes, min_size=2, max_size=2)
paddings = st.sampled_from(["valid", "same"])
# relu and max pooling have kinks, which finite differences may straddle.
smooth = st.sampled_from([None, "linear", "tanh", "sigmoid", "softmax"])
convolutions = st.fixed_dictionaries(
    {
        "type": st.just("conv2d"),
        "filters": sizes,
        "kernel_size": pairs,
        "strides": pairs,
        "dilation_rate": pairs,
        "padding": paddings,
        "activation": smooth,
        "use_bias": st.booleans(),
    }
)
poolings = st.fixed_dictionaries(
    {
        "type": st.just("max_pool2d"),
        "pool_size": pairs,
        "strides": st.none() | pairs,
        "padding": paddings,
    }
)
denses = st.fixed_dictionaries({"type": st.just("dense"), "units": sizes, "activation": smooth})
anywhere = st.one_of(
    denses,
    st.just({"type": "dropout", "rate": 0.25}),
    st.builds(lambda name: {"type": "activation", "activation": name or "linear"}, smooth),
)


@st.composite
def specs(draw, images=convolutions | poolings):
    shape = [draw(st.integers(1, 6)), draw(st.integers(1, 6)), draw(sizes)]
    layers = draw(st.lists(images | anywhere, max_size=3))
    layers += draw(st.just([]) | st.builds(lambda last: ["flatten", last], denses))
    return {"input": {"shape": shape}, "layers": layers or ["flatten"]}


def possible(spec):
    """The network, if each window fits into its image."""
    try:
        return Network.from_spec(spec)
    except ArchitectureError as error:
        if not error.pointer.endswith(("kernel_size", "pool_size")):
            raise
        reject()


@given(specs())
@settings(max_examples=100)
def test_promised_shapes_are_the_actual_ones(spec):
    network = possible(spec)
    x = np.random.default_rng(0).normal(size=(2, *network.input_shape))
    assert network.predict(network.init(), x).shape == (2, *network.output_shape)
    assert network.nodes[-1].output_shape == network.output_shape
    assert network.parameter_count == sum(weight.size for weight in network.init().values())
    assert Network.from_spec(network.to_spec()).to_spec() == network.to_spec()


@given(specs(images=convolutions))
@settings(max_examples=25)
def test_gradients_are_those_of_finite_differences(spec):
    network = possible(spec)
    assume(network.parameter_count <= 150)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *network.input_shape))
    y = rng.normal(size=(2, *network.output_shape))
    errors = check_gradients(network, network.init(0, "float64"), x, y, "mean_squared_error")
    assert all(error < 1e-6 for error in errors.values()), errors


@given(specs(), st.permutations(range(5)), st.integers(1, 5))
@settings(max_examples=50)
def test_neither_the_order_nor_the_division_of_a_batch_matters(spec, order, batch_size):
    network = possible(spec)
    params = network.init(0, "float64")
    x = np.random.default_rng(0).normal(size=(5, *network.input_shape))
    whole = network.predict(params, x)
    assert network.predict(params, x[order], batch_size) == pytest.approx(whole[order], abs=1e-12)
