"""Documents beyond any sensible size are refused, quickly, with a short error."""

import pytest

from nncore import ArchitectureError, Network


def refused(document: dict) -> ArchitectureError:
    with pytest.raises(ArchitectureError) as error:
        Network.from_spec(document)
    assert len(error.value.detail) < 300
    return error.value


def named(count: int, **fields) -> list[dict]:
    return [
        {"type": "dense", "units": 1, "name": f"d{i}", "inputs": ["input"], **fields}
        for i in range(count)
    ]


def of(*layers: object, shape=(4,)) -> dict:
    return {"input": {"shape": list(shape)}, "layers": list(layers)}


@pytest.mark.parametrize("depth", [40, 3000])
@pytest.mark.parametrize(
    ("wrap", "core"),
    [
        (lambda inner: {"type": "time_distributed", "layer": inner}, "flatten"),
        (lambda inner: {"type": "bidirectional", "layer": inner}, {"type": "lstm", "units": 2}),
    ],
)
def test_layers_in_layers_in_layers(depth, wrap, core):
    for _ in range(depth):
        core = wrap(core)
    error = refused(of(core))
    assert error.detail == "is nested too deeply; 32 levels are allowed"
    assert error.pointer.startswith("/layers/0/layer/layer")


def test_activations_in_activations():
    activation: object = "tanh"
    for _ in range(3000):
        activation = {"type": "adaptive", "base": activation}
    error = refused(of({"type": "activation", "activation": activation}))
    assert error.detail.startswith("is nested too deeply")


def test_thirty_wrappers_are_no_problem():
    layer: object = {"type": "dense", "units": 2}
    for _ in range(28):
        layer = {"type": "time_distributed", "layer": layer}
    assert Network.from_spec(of(layer, shape=[1] * 28 + [3])).output_shape == (*[1] * 28, 2)


def test_too_many_layers_inputs_and_axes():
    assert refused(of(*named(10_001))).detail == "may be 10,000 at most, got 10,001"
    sources = {f"i{number}": {"shape": [1]} for number in range(1001)}
    error = refused({"inputs": sources, "layers": [{"type": "add", "inputs": list(sources)}]})
    assert error.pointer == "/inputs"
    error = refused(of({"type": "add", "inputs": ["input"] * 1001}))
    assert (error.pointer, error.detail) == ("/layers/0/inputs", "may be 1,000 at most, got 1,001")
    error = refused(of("flatten", shape=[1] * 33))
    assert error.pointer == "/input/shape"
    assert error.detail == "a shape may have 32 axes at most, here 33; join some"
    error = refused(of({"type": "reshape", "target_shape": [1] * 69 + [4]}))
    assert error.pointer == "/layers/0"
    refused(of({"type": "reshape", "target_shape": [2] * 5000}))


def test_thousands_of_outputs_are_no_problem():
    layers = named(3000)
    names = [layer["name"] for layer in layers]
    network = Network.from_spec({**of(*layers), "outputs": names})
    assert network.wiring.outputs == tuple(names)
    assert len(network.nodes) == 3000


def test_errors_name_a_few_of_many():
    layers = named(500)
    assert refused(of(*layers)).detail.endswith("(500 in all); list those that are outputs")
    error = refused({**of(*layers), "outputs": ["other"]})
    assert error.detail.endswith("d18, d19, ... (500 in all)")
    circle = [{**layer, "inputs": [f"d{(i + 1) % 500}"]} for i, layer in enumerate(layers)]
    assert refused(of(*circle)).detail.endswith("<- d9 <- ... (500 in all) <- d0")
    error = refused(of(*layers, {"type": "dense", "units": 1, "shares": "x", "inputs": ["d0"]}))
    assert "in all)" in error.detail


def adaptive(units: int = 4, **fields) -> dict:
    activation = {"type": "adaptive", "scope": "network", **fields}
    return {"type": "dense", "units": units, "activation": activation}


def test_no_layer_may_be_called_network():
    error = refused(of({**adaptive(scope="neuron"), "name": "network"}, adaptive()))
    assert error.pointer == "/layers/0/name"


@pytest.mark.parametrize("other", [{"n": 2}, {"rowdy_terms": 3}, {"base": "sigmoid"}])
def test_activations_that_share_a_slope_must_agree(other):
    error = refused(of(adaptive(), adaptive(**other)))
    assert error.pointer == "/layers/1/activation"
    assert 'differs from that of "dense_1", with which it shares network.slope' in error.detail
    assert Network.from_spec(of(adaptive(**other), adaptive(**other)))


def test_a_shared_slope_is_trained_everywhere_or_nowhere():
    error = refused(of({**adaptive(), "trainable": False}, adaptive()))
    assert "whether the layer is trainable" in error.detail


def test_a_slope_is_shared_with_every_step_of_a_sequence():
    each = {"type": "time_distributed", "layer": adaptive()}
    network = Network.from_spec(of(each, adaptive(), shape=[3, 4]))
    assert network.weight_shapes["network.slope"] == (1,)
