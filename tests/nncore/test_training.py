"""Training: what it reports, that it repeats to the byte, and how it refuses and gives up."""

import numpy as np
import pytest

from nncore import (
    ConfigError,
    DivergedError,
    Epoch,
    Network,
    Step,
    TrainingConfig,
    evaluate,
    fit,
)

IMAGES = {
    "input": {"shape": [6, 6, 1]},
    "layers": [
        {"type": "conv2d", "filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"},
        {"type": "max_pool2d"},
        {"type": "flatten"},
        {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 4},
    ],
}
CONFIG = {
    "loss": "cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "epochs": 3,
    "batch_size": 16,
    "metrics": ["accuracy"],
}


def blobs(count=150, seed=0):
    """Noisy images of four patterns, and which pattern each shows."""
    patterns = np.random.default_rng(99).normal(size=(4, 6, 6, 1))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, count)
    return (patterns[y] + 0.7 * rng.normal(size=(count, 6, 6, 1))).astype("float32"), y


def line(count=64):
    x = np.random.default_rng(0).normal(size=(count, 2))
    return x, x @ [1.0, -2.0] + 3


def linear_network():
    return Network.from_spec({"layers": [{"type": "dense", "units": 1}]}, [2])


def trained(config=None, spec=IMAGES, data=None, **kwargs):
    network = Network.from_spec(spec)
    params = network.init(0)
    epochs = list(fit(network, params, *(data or blobs()), {**CONFIG, **(config or {})}, **kwargs))
    return network, params, epochs


class TestReport:
    def test_every_epoch_reports_loss_metrics_and_validation(self):
        _, _, epochs = trained(validation=blobs(50, 1))
        assert [epoch.number for epoch in epochs] == [1, 2, 3]
        assert [epoch.step for epoch in epochs] == [10, 20, 30]
        for epoch in epochs:
            assert list(epoch.metrics) == ["accuracy", "val_loss", "val_accuracy"]
            assert epoch.learning_rate == 0.01
            assert epoch.gradient_norm > 0
        assert epochs[-1].loss < epochs[0].loss

    def test_validation_figures_are_those_of_an_evaluation(self):
        held_out = blobs(300, 1)
        network, params, epochs = trained(validation=held_out)
        expected = evaluate(network, params, *held_out, "cross_entropy", ["accuracy"])
        assert epochs[-1].metrics["val_loss"] == pytest.approx(expected["loss"], rel=1e-6)
        assert epochs[-1].metrics["val_accuracy"] == expected["accuracy"]

    def test_the_epoch_loss_is_the_mean_over_examples_not_batches(self):
        network, (x, y) = linear_network(), line(10)
        config = {"optimizer": {"type": "sgd", "learning_rate": 0}, "epochs": 1, "batch_size": 8}
        params = network.init(0, "float64")
        (epoch,) = fit(network, params, x, y, {**config, "metrics": ["mean_squared_error"]})
        whole = network.loss_and_grads(params, x, y)[0]
        assert epoch.loss == pytest.approx(whole, rel=1e-13)
        assert epoch.metrics["mean_squared_error"] == pytest.approx(whole, rel=1e-13)

    def test_steps_are_told_one_by_one(self):
        steps = []
        trained({"epochs": 2}, on_step=steps.append)
        assert [(step.epoch, step.step) for step in steps[8:12]] == [
            (1, 9),
            (1, 10),
            (2, 11),
            (2, 12),
        ]
        assert all(isinstance(step, Step) and step.steps == 20 for step in steps)

    def test_a_step_may_stop_the_run(self):
        class Enough(Exception):
            pass

        def stop(step):
            if step.step == 3:
                raise Enough

        with pytest.raises(Enough):
            trained(on_step=stop)

    def test_no_epochs_change_nothing(self):
        network, params, epochs = trained({"epochs": 0})
        assert epochs == []
        fresh = network.init(0)
        assert all(np.array_equal(params[name], fresh[name]) for name in fresh)

    def test_metrics_are_read_in_the_targets_own_units(self):
        network, (x, y) = linear_network(), line()
        params = network.init()
        config = {"metrics": ["mean_absolute_error"], "epochs": 1}
        (plain,) = fit(network, network.init(), x, y, config)
        (tenfold,) = fit(network, params, x, y, config, decode=lambda values: values * 10)
        name = "mean_absolute_error"
        assert tenfold.metrics[name] == pytest.approx(10 * plain.metrics[name], rel=1e-5)
        assert tenfold.loss == plain.loss


class TestLearning:
    def test_a_convolutional_network_learns_patterns(self):
        _, _, epochs = trained({"epochs": 8}, validation=blobs(200, 1))
        assert epochs[-1].metrics["val_accuracy"] > 0.95

    def test_a_line_is_found_exactly(self):
        network, params = linear_network(), linear_network().init(0, "float64")
        config = {"optimizer": {"type": "sgd", "learning_rate": 0.1}, "epochs": 60}
        *_, last = fit(network, params, *line(), {**config, "metrics": ["r2"]})
        assert params["dense_1.kernel"].ravel() == pytest.approx([1, -2], abs=1e-6)
        assert params["dense_1.bias"] == pytest.approx([3], abs=1e-6)
        assert last.metrics["r2"] == pytest.approx(1)

    def test_yes_or_no_outputs_learn_from_logits_and_from_probabilities(self):
        x = np.random.default_rng(0).normal(size=(200, 2))
        y = x[:, 0] > x[:, 1]
        for activation in (None, "sigmoid"):
            layer = {"type": "dense", "units": 1, "activation": activation}
            network = Network.from_spec({"layers": [layer]}, [2])
            config = {"loss": "binary_cross_entropy", "metrics": ["accuracy"], "epochs": 20}
            config["optimizer"] = {"type": "sgd", "learning_rate": 1, "momentum": 0.5}
            *_, last = fit(network, network.init(), x, y, config)
            assert last.metrics["accuracy"] > 0.97

    @pytest.mark.parametrize(("final", "loss"), [("softmax", "cross_entropy")])
    def test_a_final_softmax_is_part_of_the_loss(self, final, loss):
        spec = {"layers": [{"type": "dense", "units": 3}]}
        fused = {"layers": [{"type": "dense", "units": 3, "activation": final}]}
        x, y = np.random.default_rng(0).normal(size=(4, 2)), [0, 1, 2, 1]
        plain, other = (Network.from_spec(document, [2]) for document in (spec, fused))
        params = plain.init(0, "float64")
        expected, gradients = plain.loss_and_grads(params, x, y, loss)
        found, others = other.loss_and_grads(params, x, y, loss)
        assert found == expected
        assert all(np.array_equal(others[name], gradients[name]) for name in gradients)

    def test_clipping_bounds_the_step(self):
        network, (x, y) = linear_network(), line()
        params, config = network.init(0, "float64"), {"epochs": 1, "batch_size": 64}
        before = {name: weight.copy() for name, weight in params.items()}
        config["optimizer"] = {"type": "sgd", "learning_rate": 1}
        (epoch,) = fit(network, params, x, y, {**config, "clip_norm": 0.01})
        moved = sum(np.square(params[name] - before[name]).sum() for name in params)
        assert moved**0.5 == pytest.approx(0.01, rel=1e-9)
        assert epoch.gradient_norm > 0.01

    def test_examples_on_disk_are_read_in_place(self, tmp_path):
        x, y = blobs()
        np.save(tmp_path / "x.npy", x)
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        _, expected, _ = trained()
        _, params, _ = trained(data=(mapped, y))
        assert all(np.array_equal(params[name], expected[name]) for name in expected)


class TestDeterminism:
    @pytest.mark.parametrize("shards", [1, 2, 3])
    def test_the_same_run_gives_the_same_bytes(self, shards):
        runs = [trained({"shards": shards}, validation=blobs(50, 1)) for _ in range(2)]
        (_, one, epochs), (_, other, others) = runs
        assert epochs == others
        assert {n: w.tobytes() for n, w in one.items()} == {
            n: w.tobytes() for n, w in other.items()
        }

    def test_shards_give_what_one_thread_gives(self):
        _, one, epochs = trained(data=tuple(a[:96] for a in blobs()))
        _, other, others = trained({"shards": 3}, data=tuple(a[:96] for a in blobs()))
        for name, weight in one.items():
            assert np.allclose(other[name], weight, atol=1e-4)
        assert others[-1].loss == pytest.approx(epochs[-1].loss, rel=1e-4)

    def test_the_seed_decides_the_order(self):
        _, one, _ = trained({"seed": 1})
        _, other, _ = trained({"seed": 2})
        assert not np.array_equal(one["dense_1.kernel"], other["dense_1.kernel"])

    def test_without_shuffling_the_order_is_the_given_one(self):
        x, y = blobs(32)
        seen = []
        network = Network.from_spec(IMAGES)
        params = network.init(0)
        config = {**CONFIG, "shuffle": False, "epochs": 1}
        list(fit(network, params, x, y, config, on_step=lambda step: seen.append(step.loss)))
        first, _ = network.loss_and_grads(network.init(0), x[:16], y[:16], "cross_entropy")
        assert seen[0] == first

    def test_training_in_float64_stays_in_float64(self):
        network = Network.from_spec(IMAGES)
        params = network.init(0, "float64")
        list(fit(network, params, *blobs(), CONFIG))
        assert {weight.dtype for weight in params.values()} == {np.dtype("float64")}


class TestDivergence:
    def test_a_diverging_run_names_epoch_step_and_layer(self):
        network, (x, y) = linear_network(), line()
        config = {"optimizer": {"type": "sgd", "learning_rate": 1e12}, "epochs": 50}
        with pytest.raises(DivergedError) as error:
            list(fit(network, network.init(), x, y, config))
        assert error.value.layer in ("dense_1", None)
        assert error.value.step == 2 * (error.value.epoch - 1) + (error.value.step - 1) % 2 + 1
        assert "lower the learning rate" in str(error.value)

    def test_the_first_layer_at_fault_is_named(self):
        network = Network.from_spec(
            {"layers": [{"type": "dense", "units": 2}, {"type": "dense", "units": 1}]}, [2]
        )
        params = network.init()
        params["dense_2.kernel"][...] = 3e38
        params["dense_1.bias"][...] = 100
        with pytest.raises(DivergedError) as error:
            list(fit(network, params, *line(), {}))
        assert (error.value.epoch, error.value.step, error.value.layer) == (1, 1, "dense_2")

    def test_missing_values_in_the_input_are_named_as_such(self):
        network, (x, y) = linear_network(), line()
        x[3] = np.nan
        with pytest.raises(DivergedError) as error:
            list(fit(network, network.init(), x, y, {"shuffle": False}))
        assert error.value.layer == "input"

    def test_weights_that_overflow_in_the_last_step_are_noticed(self):
        network, (x, y) = linear_network(), line()
        config = {"optimizer": {"type": "sgd", "learning_rate": 1e300}, "epochs": 1}
        with pytest.raises(DivergedError) as error:
            list(fit(network, network.init(), x, y, {**config, "batch_size": 64}))
        assert (error.value.epoch, error.value.step, error.value.layer) == (1, 1, "dense_1")

    def test_a_validation_loss_that_is_not_finite_is_noticed(self):
        network, (x, y) = linear_network(), line()
        held_out = (np.full((1, 2), 1e38), np.zeros(1))
        with pytest.raises(DivergedError) as error:
            list(fit(network, network.init(), x, y, {"epochs": 1}, validation=held_out))
        assert (error.value.epoch, error.value.step) == (1, 2)


class TestConfig:
    def test_the_document_holds_every_default_and_reads_back(self):
        config = TrainingConfig.parse({"loss": "cross_entropy", "metrics": ["accuracy"]})
        document = config.to_document()
        assert document["optimizer"]["learning_rate"] == 0.001
        assert document["metrics"] == ["accuracy"]
        assert document["schedule"] == {"type": "constant", "warmup_steps": 0}
        assert TrainingConfig.parse(document) == config

    @pytest.mark.parametrize(
        ("config", "pointer", "words"),
        [
            ({"epoch": 3}, "/epoch", 'unknown field; did you mean "epochs"?'),
            ({"epochs": -1}, "/epochs", "must be at least 0 and at most 1000000, got -1"),
            ({"epochs": 10**7}, "/epochs", "at most 1000000, got 10000000"),
            ({"shards": 1000}, "/shards", "at most 256, got 1000"),
            ({"batch_size": 0}, "/batch_size", "must be at least 1"),
            ({"loss": "mse"}, "/loss", "known: binary_cross_entropy, categorical_hinge, cosine"),
            ({"optimizer": {"type": "adam", "lr": 1}}, "/optimizer/lr", "learning_rate"),
            ({"metrics": ["acuracy"]}, "/metrics/0", 'did you mean "accuracy"?'),
            ({"metrics": ["r2", "r2"]}, "/metrics/1", "listed twice"),
            ({"clip_norm": 0}, "/clip_norm", "must be above 0"),
            ({"seed": -1}, "/seed", "must be at least 0"),
            ({"early_stopping": {"patience": 1.5}}, "/early_stopping/patience", "an integer"),
        ],
    )
    def test_a_mistake_is_pointed_at(self, config, pointer, words):
        network, (x, y) = linear_network(), line()
        with pytest.raises(ConfigError) as error:
            fit(network, network.init(), x, y, config)
        assert error.value.pointer == pointer
        assert words in error.value.detail

    @pytest.mark.parametrize(
        ("units", "activation", "targets", "loss"),
        [
            (3, "softmax", np.array([0, 1]), "cross_entropy"),
            (1, "sigmoid", np.array([0, 1]), "binary_cross_entropy"),
            (3, None, np.array([0, 1]), "cross_entropy"),
            (1, None, np.array([0, 1]), "mean_squared_error"),
            (3, None, np.ones((2, 3)), "mean_squared_error"),
        ],
    )
    def test_a_loss_left_out_is_chosen_to_fit(self, units, activation, targets, loss):
        layer = {"type": "dense", "units": units, "activation": activation}
        network, x = Network.from_spec({"layers": [layer]}, [2]), np.ones((2, 2))
        one, other = network.init(), network.init()
        assert list(fit(network, one, x, targets, {"epochs": 1})) == list(
            fit(network, other, x, targets, {"epochs": 1, "loss": loss})
        )


class TestExamples:
    @pytest.mark.parametrize(
        ("x", "y", "words"),
        [
            (np.ones((0, 2)), np.ones(0), "there are no examples"),
            (np.ones((3, 2)), np.ones(2), "x has 3 examples, but y has 2 targets"),
            (np.ones((3, 4)), np.ones(3), "x must have shape"),
            (np.ones((3, 2)), np.array(["a"] * 3), "needs numbers as targets"),
        ],
    )
    def test_what_does_not_fit_is_refused_before_training(self, x, y, words):
        network = linear_network()
        with pytest.raises(ValueError, match=words):
            fit(network, network.init(), x, y, {})

    def test_a_metric_that_does_not_fit_is_refused_before_training(self):
        network = Network.from_spec({"layers": [{"type": "dense", "units": 3}]}, [2])
        config = {"loss": "cross_entropy", "metrics": ["r2"]}
        with pytest.raises(ValueError, match="r2 compares values of the same shape"):
            fit(network, network.init(), np.ones((2, 2)), np.array([0, 1]), config)

    def test_weights_that_cannot_change_are_refused(self):
        network, (x, y) = linear_network(), line()
        params = network.init()
        params["dense_1.bias"].flags.writeable = False
        with pytest.raises(ValueError, match="'dense_1.bias' must be a writable"):
            fit(network, params, x, y, {})


def test_an_epoch_is_a_plain_value():
    assert Epoch(1, 2, 0.5, {}, 0.1, 1.0) == Epoch(1, 2, 0.5, {}, 0.1, 1.0)
