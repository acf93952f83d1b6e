"""Networks from documents: names, shapes, sizes, weights and every refusal."""

import numpy as np
import pytest

from nncore import ArchitectureError, Network

DIGITS = {
    "input": {"shape": [28, 28, 1]},
    "layers": [
        {"type": "conv2d", "filters": 8, "kernel_size": 3, "padding": "same", "activation": "relu"},
        {"type": "max_pool2d", "pool_size": 2},
        {"type": "flatten"},
        {"type": "dense", "units": 10},
    ],
}


def dense(units=2, **fields):
    return {"type": "dense", "units": units, **fields}


def names(*layers):
    return [node.name for node in Network.from_spec({"layers": list(layers)}, [3]).nodes]


class TestNodes:
    def test_each_layer_says_its_shapes_parameters_and_flops(self):
        nodes = Network.from_spec(DIGITS).nodes
        assert [(n.name, n.type, n.output_shape, n.parameters) for n in nodes] == [
            ("conv2d_1", "conv2d", (28, 28, 8), 80),
            ("max_pool2d_1", "max_pool2d", (14, 14, 8), 0),
            ("flatten_1", "flatten", (1568,), 0),
            ("dense_1", "dense", (10,), 15_690),
        ]
        # Nine taps and a bias, then relu; 1568 inputs and a bias.
        assert nodes[0].flops == 28 * 28 * 8 * (2 * 9 + 1) + 28 * 28 * 8
        assert nodes[3].flops == 10 * (2 * 1568 + 1)

    def test_layers_of_a_type_are_numbered_from_one(self):
        assert names(dense(), "flatten", dense()) == ["dense_1", "flatten_1", "dense_2"]

    def test_a_given_name_is_kept_and_not_given_twice(self):
        assert names(dense(name="head"), dense()) == ["head", "dense_1"]
        assert names(dense(), dense(name="dense_1"), dense()) == ["dense_2", "dense_1", "dense_3"]


class TestDocument:
    def test_the_resolved_document_holds_every_name_and_default(self):
        spec = Network.from_spec({"layers": [dense()]}, [3]).to_spec()
        assert spec == {
            "input": {"shape": [3]},
            "layers": [
                {
                    "type": "dense",
                    "name": "dense_1",
                    "trainable": True,
                    "units": 2,
                    "activation": None,
                    "use_bias": True,
                    "kernel_initializer": "glorot_uniform",
                    "bias_initializer": "zeros",
                    "kernel_regularizer": None,
                    "bias_regularizer": None,
                }
            ],
        }
        assert Network.from_spec(spec).to_spec() == spec

    def test_its_own_input_goes_before_the_given_one(self):
        network = Network.from_spec({"input": {"shape": [4, 4, 1]}, "layers": ["flatten"]}, [16])
        assert network.input_shape == (4, 4, 1)

    @pytest.mark.parametrize(
        ("layer", "activation"),
        [
            (dense(), "linear"),
            (dense(activation="softmax"), "softmax"),
            ({"type": "activation", "activation": "sigmoid"}, "sigmoid"),
            ("flatten", "linear"),
        ],
    )
    def test_the_final_activation_is_known(self, layer, activation):
        assert Network.from_spec({"layers": [layer]}, [3]).final_activation == activation


class TestSizes:
    def test_absurd_sizes_are_counted_without_allocating(self):
        network = Network.from_spec({"layers": [dense(10**12), dense(10**12)]}, [3])
        assert network.parameter_count == 10**24 + 5 * 10**12
        assert network.memory_bytes(10**6) > 5 * 4 * 10**24

    def test_memory_covers_weights_and_activations(self):
        network = Network.from_spec({"layers": [dense(5)]}, [3])
        assert network.memory_bytes(0) == 1.25 * 4 * 6 * 20
        values = 3 * 3 + 2 * 5 + 3 * 5
        assert network.memory_bytes(7) - network.memory_bytes(0) == 1.25 * 4 * 7 * values

    def test_a_network_that_is_too_large_is_refused_at_its_largest_layer(self):
        network = Network.from_spec({"layers": [dense(5), dense(10**9), dense(1)]}, [3])
        with pytest.raises(ArchitectureError) as error:
            network.check_memory(32, 2 * 1024**3)
        assert error.value.pointer == "/layers/1"
        assert "batches of 32 would take about" in error.value.detail
        assert 'more than the limit of 2.0 GiB; "dense_2" takes' in error.value.detail
        network.check_memory(0, network.memory_bytes(0))

    def test_the_summary_is_a_table(self):
        lines = Network.from_spec(DIGITS).summary().splitlines()
        assert lines[0].split() == [
            *("layer", "type", "reads", "output", "parameters", "FLOPs", "bytes")
        ]
        assert lines[2].split() == [
            *("conv2d_1", "conv2d", "input", "[28,", "28,", "8]", "80", "125,440", "25,088")
        ]
        assert lines[-1].startswith("15,770 parameters, ")

    def test_a_variable_size_stays_open(self):
        network = Network.from_spec({"input": {"shape": [None, 3]}, "layers": [dense(2)]})
        assert network.output_shape == (None, 2)
        assert network.predict(network.init(), np.ones((2, 7, 3))).shape == (2, 7, 2)


@pytest.mark.parametrize(
    ("spec", "pointer", "words"),
    [
        ([], "", "expected an object, got a list of 0"),
        ({"input": {"shape": [2]}}, "/layers", "is required: a list"),
        ({"layers": []}, "/layers", "a network needs at least one layer"),
        ({"layers": [dense()]}, "/input", "is required here"),
        ({"layers": [dense()], "input": {"shape": []}}, "/input/shape", "at least one size"),
        ({"layers": [dense()], "input": {"shape": [0]}}, "/input/shape/0", "at least 1, got 0"),
        ({"layers": [dense()], "input": [3]}, "/input", "expected an object"),
        ({"layers": [dense(0)]}, "/layers/0/units", "must be at least 1, got 0"),
        ({"layers": [dense("ten")]}, "/layers/0/units", 'expected an integer, got "ten"'),
        ({"layers": [{"type": "dense"}]}, "/layers/0/units", "is required: an integer"),
        ({"layers": [dense(), dense(unit=3)]}, "/layers/1/unit", 'did you mean "units"?'),
        (
            {"layers": [dense(), {"type": "dens", "units": 3}]},
            "/layers/1/type",
            '"dens" is not a layer; did you mean "dense"?; known: activation, ',
        ),
        ({"layers": [dense(activation="rleu")]}, "/layers/0/activation", 'did you mean "relu"?'),
        (
            {"layers": [dense(kernel_initializer="he")]},
            "/layers/0/kernel_initializer",
            "known: ",
        ),
        (
            {"layers": [dense(name="a"), "flatten", dense(name="a")]},
            "/layers/2/name",
            '"a" is the name of layers[0] too; names must differ',
        ),
        ({"layers": [dense(name="a.b")]}, "/layers/0/name", "letters, digits, underscores"),
        (
            {"layers": ["flatten", dense()], "input": {"shape": [None, 2]}},
            "/layers/1",
            "dense needs a last axis of known size, got shape [null]",
        ),
        ({"layers": [dense()], "optimizer": "adam"}, "/optimizer", "known fields: layers, input"),
    ],
)
def test_an_impossible_document_is_pointed_at(spec, pointer, words):
    shape = None if pointer.startswith("/input") else [2]
    with pytest.raises(ArchitectureError) as error:
        Network.from_spec(spec, shape)
    assert error.value.pointer == pointer
    assert words in error.value.detail


class TestWeights:
    NETWORK = Network.from_spec({"layers": [dense(2), dense(1)]}, [3])

    def test_the_same_seed_gives_the_same_weights(self):
        one, other = self.NETWORK.init(5), self.NETWORK.init(5)
        assert all(np.array_equal(one[name], other[name]) for name in one)
        assert not np.array_equal(one["dense_1.kernel"], self.NETWORK.init(6)["dense_1.kernel"])

    def test_a_layer_added_below_does_not_shift_the_others(self):
        longer = Network.from_spec({"layers": [dense(2), dense(1), dense(4)]}, [3])
        expected = self.NETWORK.init(5)
        found = longer.init(5)
        assert all(np.array_equal(found[name], expected[name]) for name in expected)

    def test_whole_weights_are_accepted(self):
        self.NETWORK.check_weights(self.NETWORK.init())

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"dense_2.bias": None}, "'dense_2.bias' is missing; its shape is \\(1,\\)"),
            ({"dense_2.bias": np.ones(2)}, "'dense_2.bias' must have shape \\(1,\\), got \\(2,\\)"),
            ({"dense_2.bias": np.ones(1, int)}, "must be floating-point, got int64"),
            ({"dense_3.bias": np.ones(1)}, "unknown weight 'dense_3.bias'"),
        ],
    )
    def test_a_tensor_that_does_not_fit_is_named(self, change, words):
        params = {**self.NETWORK.init(), **change}
        params = {name: weight for name, weight in params.items() if weight is not None}
        with pytest.raises(ValueError, match=words):
            self.NETWORK.check_weights(params)


class TestPredict:
    NETWORK = Network.from_spec({"layers": [dense(4), dense(3, activation="softmax")]}, [3])

    def test_batches_of_any_size_give_the_same(self):
        params, x = self.NETWORK.init(0, "float64"), np.random.default_rng(0).normal(size=(10, 3))
        whole = self.NETWORK.predict(params, x)
        assert np.allclose(whole.sum(axis=1), 1)
        assert np.allclose(self.NETWORK.predict(params, x, batch_size=3), whole, atol=1e-15)

    def test_the_precision_is_that_of_the_weights(self):
        x = np.ones((2, 3), "int64")
        for dtype in ("float32", "float64"):
            assert self.NETWORK.predict(self.NETWORK.init(0, dtype), x).dtype == dtype

    def test_no_examples_give_no_outputs(self):
        assert self.NETWORK.predict(self.NETWORK.init(), np.empty((0, 3))).shape == (0, 3)

    def test_examples_of_another_shape_are_refused(self):
        with pytest.raises(ValueError, match=r"x must have shape \(N, \*\[3\]\), got \(2, 4\)"):
            self.NETWORK.predict(self.NETWORK.init(), np.ones((2, 4)))
        with pytest.raises(ValueError, match="x must have shape"):
            self.NETWORK.predict(self.NETWORK.init(), 3.0)

    def test_results_do_not_share_memory(self):
        params, x = self.NETWORK.init(), np.ones((2, 3))
        first = self.NETWORK.predict(params, x)
        kept = first.copy()
        self.NETWORK.predict(params, -x)
        assert np.array_equal(first, kept)


def test_mismatched_lengths_are_refused():
    network = Network.from_spec({"layers": [dense(1)]}, [3])
    with pytest.raises(ValueError, match="x has 2 examples, but y has 3 targets"):
        network.loss_and_grads(network.init(), np.ones((2, 3)), np.ones(3))
