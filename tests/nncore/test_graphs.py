"""Networks as graphs: how they are written, what is refused, and what they compute."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import ArchitectureError, Network, evaluate, fit
from nncore.gradient_check import check_gradients, numeric_gradient, relative_error

RNG = np.random.default_rng(0)


def dense(name, units=2, *inputs, **fields):
    layer = {"type": "dense", "name": name, "units": units, **fields}
    return {**layer, "inputs": list(inputs)} if inputs else layer


def add(name, *inputs):
    return {"type": "add", "name": name, "inputs": list(inputs)}


RESIDUAL = {
    "input": {"shape": [3]},
    "layers": [dense("a", 3, activation="tanh"), add("sum", "a", "input"), dense("out", 2)],
}
SEVERAL = {
    "inputs": {"left": {"shape": [2]}, "right": {"shape": [3]}},
    "layers": [
        dense("l", 4, "left", activation="tanh"),
        dense("r", 4, "right"),
        {"type": "multiply", "name": "both", "inputs": ["l", "r"]},
        dense("digit", 3),
        dense("ink", 1, "both"),
    ],
    "outputs": ["digit", "ink"],
}
LOSSES = {"digit": "cross_entropy", "ink": "mean_squared_error"}


def several(rows=6):
    x = {"left": RNG.normal(size=(rows, 2)), "right": RNG.normal(size=(rows, 3))}
    return x, {"digit": RNG.integers(0, 3, rows), "ink": RNG.normal(size=rows)}


class TestComputation:
    def test_a_residual_connection_adds_what_goes_round(self):
        network, x = Network.from_spec(RESIDUAL), RNG.normal(size=(5, 3))
        params = network.init(0, "float64")
        hidden = np.tanh(x @ params["a.kernel"]) + x
        assert np.allclose(network.predict(params, x), hidden @ params["out.kernel"])

    def test_several_inputs_and_outputs_go_by_name(self):
        network, (x, _) = Network.from_spec(SEVERAL), several()
        params = network.init(0, "float64")
        found = network.predict(params, x, batch_size=4)
        both = np.tanh(x["left"] @ params["l.kernel"]) * (x["right"] @ params["r.kernel"])
        assert list(found) == ["digit", "ink"]
        assert np.allclose(found["ink"], both @ params["ink.kernel"])
        assert network.input_shapes == {"left": (2,), "right": (3,)}
        assert network.output_shapes == {"digit": (3,), "ink": (1,)}
        with pytest.raises(ValueError, match="the network has several inputs: left, right"):
            _ = network.input_shape

    @pytest.mark.parametrize("spec", [RESIDUAL, SEVERAL])
    def test_gradients_are_those_of_finite_differences(self, spec):
        network = Network.from_spec(spec)
        params = network.init(0, "float64")
        if spec is SEVERAL:
            x, y = several()
            errors = check_gradients(network, params, x, y, LOSSES)
        else:
            x, y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))
            errors = check_gradients(network, params, x, y, "mean_squared_error")
        assert set(errors) == set(params)
        assert max(errors.values()) < 1e-7

    def test_the_order_of_the_document_does_not_matter(self):
        left, right, both, _, _ = SEVERAL["layers"]
        layers = [dense("ink", 1, "both"), dense("digit", 3, "both"), both, right, left]
        turned = {**SEVERAL, "layers": layers}
        (x, _), one, other = several(), Network.from_spec(SEVERAL), Network.from_spec(turned)
        expected = one.predict(one.init(4), x)
        found = other.predict(other.init(4), x)
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
        assert [node.name for node in other.nodes] == ["ink", "digit", "both", "r", "l"]

    def test_input_gradients_are_those_of_finite_differences(self):
        network, (x, y) = Network.from_spec(SEVERAL), several()
        params = network.init(0, "float64")
        found = network.input_gradients(params, x, y, LOSSES)
        for name, array in x.items():
            expected = numeric_gradient(
                lambda: network.loss_and_grads(params, x, y, LOSSES)[0], array
            )
            assert relative_error(found[name], expected) < 1e-7

    def test_an_array_twice_into_a_merge_counts_twice(self):
        network = Network.from_spec({"layers": [dense("a", 2), add("b", "a", "a")]}, [2])
        params = network.init(0, "float64")
        errors = check_gradients(
            network, params, np.ones((2, 2)), np.zeros((2, 2)), "mean_squared_error"
        )
        assert max(errors.values()) < 1e-7

    def test_an_inner_layer_may_be_an_output_too(self):
        spec = {
            "layers": [dense("a", 2, activation="softmax"), dense("b", 2)],
            "outputs": ["a", "b"],
        }
        network, x = Network.from_spec(spec, [3]), RNG.normal(size=(4, 3))
        params = network.init(0, "float64")
        y = {"a": np.array([0, 1, 1, 0]), "b": RNG.normal(size=(4, 2))}
        losses = {"a": "cross_entropy", "b": "mean_squared_error"}
        assert max(check_gradients(network, params, x, y, losses).values()) < 1e-7

    @pytest.mark.parametrize("shards", [2, 3])
    def test_shards_give_what_the_whole_batch_gives(self, shards):
        network, (x, y) = Network.from_spec(SEVERAL), several(7)
        params = network.init(0, "float64")
        loss, gradients = network.loss_and_grads(params, x, y, LOSSES)
        found, others = network.loss_and_grads(params, x, y, LOSSES, shards=shards)
        assert found == pytest.approx(loss, rel=1e-13)
        assert all(np.allclose(others[name], gradients[name], atol=1e-14) for name in gradients)


SIAMESE = {
    "inputs": {"one": {"shape": [3]}, "other": {"shape": [3]}},
    "layers": [
        dense("tower", 4, "one", activation="tanh"),
        {"shares": "tower", "name": "twin", "inputs": ["other"]},
        {"type": "subtract", "inputs": ["tower", "twin"]},
        dense("out", 1),
    ],
}


class TestSharing:
    def test_a_shared_layer_has_its_weights_once(self):
        network = Network.from_spec(SIAMESE)
        assert set(network.weight_shapes) == {
            "tower.kernel",
            "tower.bias",
            "out.kernel",
            "out.bias",
        }
        assert [node.parameters for node in network.nodes] == [16, 0, 0, 5]
        x = RNG.normal(size=(5, 3))
        same = network.predict(network.init(0), {"one": x, "other": x})
        assert np.array_equal(same, np.zeros((5, 1)))

    def test_its_gradient_is_the_sum_over_its_places(self):
        network, params = Network.from_spec(SIAMESE), None
        params = network.init(0, "float64")
        x = {"one": RNG.normal(size=(5, 3)), "other": RNG.normal(size=(5, 3))}
        errors = check_gradients(network, params, x, np.ones(5), "mean_squared_error")
        assert max(errors.values()) < 1e-7

    def test_the_resolved_document_spells_the_layer_out(self):
        spec = Network.from_spec(SIAMESE).to_spec()
        assert (spec["layers"][1]["type"], spec["layers"][1]["shares"]) == ("dense", "tower")
        assert Network.from_spec(spec).to_spec() == spec

    def test_layers_that_differ_in_the_rest_may_share_weights(self):
        tied = {"layers": [dense("a", 3, activation="tanh"), dense("b", 3, shares="a")]}
        network = Network.from_spec(tied, [3])
        assert set(network.weight_shapes) == {"a.kernel", "a.bias"}
        errors = check_gradients(
            network, network.init(0, "float64"), np.eye(3), np.ones((3, 3)), "mean_squared_error"
        )
        assert max(errors.values()) < 1e-7

    def test_a_shared_norm_follows_both_places(self):
        spec = {
            "inputs": {"one": {"shape": [2]}, "other": {"shape": [2]}},
            "layers": [
                {"type": "batch_norm", "name": "n", "inputs": ["one"], "momentum": 0.5},
                {"shares": "n", "name": "m", "inputs": ["other"]},
                {"type": "add", "inputs": ["n", "m"]},
            ],
        }
        network = Network.from_spec(spec)
        params = network.init(0, "float64")
        x = {"one": np.full((4, 2), 1.0), "other": np.full((4, 2), 3.0)}
        list(fit(network, params, x, np.zeros((4, 2)), {"epochs": 1, "batch_size": 4}))
        assert params["n.moving_mean"] == pytest.approx([1.75, 1.75])


class TestFreezing:
    def test_frozen_weights_have_no_gradient_and_do_not_move(self):
        spec = {"layers": [dense("a", 3, trainable=False), dense("b", 2)]}
        network = Network.from_spec(spec, [2])
        params, x, y = network.init(0), RNG.normal(size=(8, 2)), RNG.normal(size=(8, 2))
        before = {name: weight.copy() for name, weight in params.items()}
        assert set(network.loss_and_grads(params, x, y)[1]) == {"b.kernel", "b.bias"}
        run = {"epochs": 2, "optimizer": {"type": "adam", "learning_rate": 0.1}}
        list(fit(network, params, x, y, run))
        moved = {name for name in params if not np.array_equal(params[name], before[name])}
        assert moved == {"b.kernel", "b.bias"}

    def test_gradients_pass_through_a_frozen_layer(self):
        spec = {"layers": [dense("a", 3), dense("b", 2, trainable=False)]}
        network = Network.from_spec(spec, [2])
        params, x, y = network.init(0, "float64"), RNG.normal(size=(8, 2)), RNG.normal(size=(8, 2))
        errors = check_gradients(network, params, x, y, "mean_squared_error")
        assert set(errors) == {"a.kernel", "a.bias"}
        assert max(errors.values()) < 1e-7

    def test_a_network_of_frozen_layers_can_be_trained_in_vain(self):
        network = Network.from_spec({"layers": [dense("a", 2, trainable=False)]}, [2])
        (epoch,) = fit(network, network.init(), np.ones((2, 2)), np.ones((2, 2)), {"epochs": 1})
        assert epoch.gradient_norm == 0


class TestDocument:
    @pytest.mark.parametrize("spec", [RESIDUAL, SEVERAL, SIAMESE])
    def test_the_resolved_document_reads_back(self, spec):
        network = Network.from_spec(spec)
        document = network.to_spec()
        assert Network.from_spec(document).to_spec() == document
        assert document["layers"][-1]["inputs"]
        assert document["outputs"]

    def test_a_sequence_stays_a_sequence(self):
        spec = Network.from_spec({"layers": [dense("a"), dense("b")]}, [3]).to_spec()
        assert set(spec) == {"input", "layers"}
        assert all("inputs" not in layer and "shares" not in layer for layer in spec["layers"])

    def test_token_ids_are_implied_before_an_embedding(self):
        layers = [{"type": "embedding", "input_dim": 9, "output_dim": 2}, "flatten"]
        network = Network.from_spec({"layers": layers}, [4])
        assert network.to_spec()["input"] == {"shape": [4], "dtype": "int32"}
        ids = RNG.integers(0, 9, (3, 4))
        params = network.init()
        assert np.array_equal(
            network.predict(params, ids), network.predict(params, ids.astype("float64"))
        )
        with pytest.raises(ValueError, match=r'input "input" takes token ids: give integers'):
            network.predict(params, ids + 0.5)

    def test_ids_and_numbers_may_be_read_from_one_input(self):
        spec = {
            "inputs": {"ids": {"shape": [4]}},
            "layers": [
                {"type": "embedding", "input_dim": 9, "output_dim": 2, "inputs": ["ids"]},
                {"type": "flatten", "name": "f"},
                dense("d", 8, "ids"),
                add("sum", "f", "d"),
            ],
        }
        network = Network.from_spec(spec)
        params, ids = network.init(0, "float64"), RNG.integers(0, 9, (3, 4))
        errors = check_gradients(network, params, ids, np.ones((3, 8)), "mean_squared_error")
        assert max(errors.values()) < 1e-7
        with pytest.raises(ValueError, match="token ids have no gradient"):
            network.input_gradients(params, ids, np.ones((3, 8)))


def graph(*layers, **document):
    return {"input": {"shape": [3]}, "layers": list(layers), **document}


TWO = {"x": {"shape": [3]}, "y": {"shape": [3]}}


@pytest.mark.parametrize(
    ("spec", "pointer", "words"),
    [
        (graph(dense("a", 2, "nowhere")), "/layers/0/inputs/0", 'no "nowhere"'),
        (graph(dense("abc"), dense("b", 2, "abd")), "/layers/1/inputs/0", 'did you mean "abc"?'),
        (graph(dense("a", 2, "a")), "/layers/0/inputs", "in a circle: a <- a"),
        (
            graph(dense("a", 2, "c"), dense("b", 2, "a"), dense("c", 2, "b")),
            "/layers/0/inputs",
            "in a circle: a <- c <- b <- a",
        ),
        (graph(dense("a"), dense("a")), "/layers/1/name", "is the name of layers[0] too"),
        (graph(dense("input")), "/layers/0/name", "is the name of an input too"),
        (
            graph(dense("a"), dense("b", 2, "input")),
            "/outputs",
            'no layer reads "a", "b"; list those that are outputs',
        ),
        (
            graph(dense("a"), dense("b", 2, "input"), outputs=["b"]),
            "/layers/0",
            'no layer reads "a"; remove it, read it, or list it',
        ),
        (graph(dense("a"), outputs=["b"]), "/outputs/0", 'there is no "b"; known: a'),
        (graph(dense("a"), outputs=["a", "a"]), "/outputs/1", "listed twice"),
        (graph(dense("a"), outputs=[]), "/outputs", "at least one layer's name"),
        (graph(dense("a", 2, "input", "input")), "/layers/0/inputs", "reads one input, got 2"),
        (graph({"type": "dense", "units": 2, "inputs": []}), "/layers/0/inputs", "got 0"),
        (graph(dense("a"), {"type": "add"}), "/layers/1/inputs", "joins two or more"),
        (
            graph(dense("a", 2), add("sum", "a", "input")),
            "/layers/1/inputs",
            "add cannot join shapes [2] and [3]: 2 and 3 differ",
        ),
        (
            graph({"type": "subtract", "inputs": ["input"] * 3}),
            "/layers/0/inputs",
            "exactly two inputs, got 3",
        ),
        (
            graph(dense("a"), {"type": "concatenate", "axis": 2, "inputs": ["a", "input"]}),
            "/layers/1/axis",
            "2 is no axis",
        ),
        (
            graph({"type": "reshape", "target_shape": [3, 1], "name": "a"},
                  {"type": "concatenate", "inputs": ["a", "input"]}),
            "/layers/1/inputs",
            "cannot join shapes [3, 1] and [3]",
        ),
        ({"inputs": TWO, "layers": [dense("a")]}, "/layers/0/inputs", 'it reads, "x", "y"'),
        ({"inputs": TWO, "layers": [dense("a", 2, "x")]}, "/inputs/y", 'no layer reads "y"'),
        ({"inputs": {}, "layers": [dense("a")]}, "/inputs", "is required here"),
        ({"inputs": {"x": {"shape": []}}, "layers": [dense("a")]}, "/inputs/x/shape", "one size"),
        ({"inputs": {"a b": {"shape": [1]}}, "layers": [dense("a")]}, "/inputs/a b", "letters"),
        ({**graph(dense("a")), "inputs": TWO}, "/inputs", "not both"),
        (graph(dense("a"), dense("b", shares="c")), "/layers/1/shares", 'there is no layer "c"'),
        (graph(dense("a"), {"shares": "c"}), "/layers/1/shares", "must name a layer above"),
        (graph(dense("a", 4), {"shares": "a"}), "/layers/1/shares", "layers that share must agree"),
        (
            graph(dense("a", 3), dense("b", 3, shares="a"), dense("c", 3, shares="b")),
            "/layers/2/shares",
            '"b" has no weights of its own; share "a"',
        ),
        (
            graph(dense("a", 3, use_bias=False), dense("b", 3, shares="a")),
            "/layers/1/shares",
            '"a" has no weight "bias" to share',
        ),
        (
            {
                "input": {"shape": [3], "dtype": "float32"},
                "layers": [{"type": "embedding", "input_dim": 2, "output_dim": 1}],
            },
            "/input/dtype",
            'must be "int32"',
        ),
    ],
)  # fmt: skip
def test_an_impossible_graph_is_pointed_at(spec, pointer, words):
    with pytest.raises(ArchitectureError) as error:
        Network.from_spec(spec)
    assert error.value.pointer == pointer
    assert words in error.value.detail


class TestTraining:
    def test_each_output_has_its_own_loss_weight_and_metrics(self):
        network, (x, y) = Network.from_spec(SEVERAL), several(40)
        params = network.init(0, "float64")
        config = {
            "loss": LOSSES,
            "loss_weights": {"ink": 0.25},
            "metrics": {"digit": ["accuracy"]},
            "epochs": 2,
            "batch_size": 16,
        }
        epochs = list(fit(network, params, x, y, config, validation=(x, y)))
        assert list(epochs[-1].metrics) == [
            "digit_loss",
            "ink_loss",
            "digit_accuracy",
            "val_loss",
            "val_digit_loss",
            "val_ink_loss",
            "val_digit_accuracy",
        ]
        for epoch in epochs:
            parts = epoch.metrics["digit_loss"] + 0.25 * epoch.metrics["ink_loss"]
            assert epoch.loss == pytest.approx(parts, rel=1e-12)
        found = evaluate(network, params, x, y, LOSSES, {"digit": ["accuracy"]},
                         loss_weights={"ink": 0.25})  # fmt: skip
        assert found["loss"] == pytest.approx(epochs[-1].metrics["val_loss"], rel=1e-12)

    def test_losses_left_out_are_chosen_to_fit(self):
        network, (x, y) = Network.from_spec(SEVERAL), several(10)
        one, other = network.init(), network.init()
        assert list(fit(network, one, x, y, {"epochs": 1})) == list(
            fit(network, other, x, y, {"epochs": 1, "loss": LOSSES})
        )

    @pytest.mark.parametrize(
        ("config", "pointer", "words"),
        [
            ({"loss": {"digit": "cross_entropy"}}, "/loss/ink", "is required"),
            ({"loss": {**LOSSES, "x": "mean_squared_error"}}, "/loss/x", "is no output"),
            ({"loss": {**LOSSES, "ink": "mse"}}, "/loss/ink", "is not a loss"),
            ({"loss": LOSSES, "loss_weights": {"x": 1}}, "/loss_weights/x", "is no output"),
            ({"loss": LOSSES, "metrics": {"x": []}}, "/metrics/x", "is no output"),
            ({"loss": LOSSES, "metrics": {"ink": ["r2", "r2"]}}, "/metrics/ink/1", "twice"),
            ({"loss": LOSSES, "class_balance": "balanced"}, "/class_balance", "one output"),
        ],
    )
    def test_a_mistake_is_pointed_at(self, config, pointer, words):
        network, (x, y) = Network.from_spec(SEVERAL), several()
        with pytest.raises(Exception, match=words) as error:
            fit(network, network.init(), x, y, config)
        assert error.value.pointer == pointer

    @pytest.mark.parametrize(
        ("x", "y", "words"),
        [
            (np.ones((2, 2)), {}, "x must be a mapping with left, right"),
            ({"left": np.ones((2, 2))}, {}, "x lacks 'right'"),
            ({"left": 1, "middle": 2}, {}, "x has 'middle', which is unknown"),
            (
                {"left": np.ones((2, 3)), "right": np.ones((2, 3))},
                {},
                r"x\['left'\] must have shape",
            ),
            ({"left": np.ones((2, 2)), "right": np.ones((3, 3))}, {}, "2 and 3 examples"),
            (
                {"left": np.ones((2, 2)), "right": np.ones((2, 3))},
                {"digit": [0, 1]},
                "y lacks 'ink'",
            ),
            (
                {"left": np.ones((2, 2)), "right": np.ones((2, 3))},
                {"digit": [0.5, 1], "ink": [0, 1]},
                "digit: cross_entropy needs integer classes",
            ),
        ],
    )
    def test_examples_that_do_not_fit_are_refused(self, x, y, words):
        network = Network.from_spec(SEVERAL)
        with pytest.raises(ValueError, match=words):
            network.loss_and_grads(network.init(), x, y, LOSSES)
