"""Whole batches, accumulated gradients, averaged weights, budgets, and the best epoch."""

import numpy as np
import pytest

from nncore import ConfigError, Network, evaluate, fit, time_budget

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 4)), RNG.integers(0, 3, 20)
DENSE = {"type": "dense", "units": 3}
NETWORK = Network.from_spec(
    {"layers": [{"type": "dense", "units": 5, "activation": "tanh"}, DENSE]},
    [4],
)
SGD = {"loss": "cross_entropy", "optimizer": {"type": "sgd", "learning_rate": 0.1}, "epochs": 3}


def run(config, **kwargs):
    params = NETWORK.init(0, "float64")
    return params, list(fit(NETWORK, params, X, Y, {**SGD, **config}, **kwargs))


def close(one, other, tolerance=1e-13):
    return all(np.allclose(one[name], other[name], rtol=0, atol=tolerance) for name in one)


class TestBatches:
    def test_no_batch_size_takes_all_examples_at_once(self):
        params, epochs = run({"batch_size": None})
        expected = NETWORK.init(0, "float64")
        for epoch in epochs:
            loss, gradients = NETWORK.loss_and_grads(expected, X, Y, "cross_entropy")
            assert epoch.loss == pytest.approx(loss, rel=1e-12)
            for name, gradient in gradients.items():
                expected[name] -= 0.1 * gradient
        assert [epoch.step for epoch in epochs] == [1, 2, 3]
        assert close(params, expected)

    @pytest.mark.parametrize("size", [4, 7, 3])
    def test_accumulated_batches_are_one_large_batch(self, size):
        plain = {"shuffle": False, "batch_size": None, "metrics": ["accuracy"]}
        expected, whole = run(plain)
        params, epochs = run({**plain, "batch_size": size, "accumulate_steps": 100})
        assert close(params, expected)
        for one, other in zip(epochs, whole, strict=True):
            assert one.step == other.step
            assert one.metrics == other.metrics
            assert one.gradient_norm == pytest.approx(other.gradient_norm, rel=1e-12)

    def test_accumulation_is_exact_for_several_outputs_with_unequal_padding(self):
        layers = [
            {"type": "masking"},
            {"type": "gru", "units": 3, "return_sequences": True, "name": "steps"},
            {"type": "dense", "units": 2, "name": "each", "kernel_regularizer": "l2"},
            {"type": "global_avg_pool1d", "inputs": ["steps"]},
            {"type": "dense", "units": 1, "name": "all"},
        ]
        spec = {"input": {"shape": [None, 2]}, "layers": layers, "outputs": ["each", "all"]}
        network, rng = Network.from_spec(spec), np.random.default_rng(2)
        x = rng.normal(size=(9, 5, 2))
        x[:4, 1:] = 0
        y = {"each": rng.integers(0, 2, (9, 5)), "all": rng.normal(size=(9, 1))}
        plain = {
            "loss": {"each": "cross_entropy", "all": "mean_squared_error"},
            "loss_weights": {"all": 0.3},
            "optimizer": {"type": "sgd", "learning_rate": 0.5},
            "shuffle": False,
        }

        def after(**change):
            params = network.init(0, "float64")
            epochs = list(fit(network, params, x, y, {**plain, "epochs": 2, **change}))
            return params, [epoch.loss for epoch in epochs]

        expected, whole = after(batch_size=None)
        for shards in (1, 2):
            params, losses = after(batch_size=4, accumulate_steps=3, shards=shards)
            assert close(params, expected)
            assert losses == pytest.approx(whole, rel=1e-12)

    def test_accumulation_is_refused_where_it_cannot_be_exact(self):
        network = Network.from_spec({"layers": [{"type": "dense", "units": 1}]}, [2])
        config = {"loss": "root_mean_squared_error", "accumulate_steps": 2}
        with pytest.raises(ConfigError) as error:
            fit(network, network.init(), np.ones((4, 2)), np.ones((4, 1)), config)
        assert error.value.pointer == "/accumulate_steps"
        assert "use mean_squared_error, or a larger batch_size" in error.value.detail

    def test_the_last_step_of_an_epoch_takes_what_is_left(self):
        seen = []
        run({"batch_size": 4, "accumulate_steps": 2, "epochs": 2}, on_step=seen.append)
        assert [(step.epoch, step.step, step.steps) for step in seen] == [
            *((1, 1, 6), (1, 2, 6), (1, 3, 6)),
            *((2, 4, 6), (2, 5, 6), (2, 6, 6)),
        ]


class TestAverage:
    def test_the_result_is_the_running_mean_of_the_weights(self):
        after = []
        params = NETWORK.init(0, "float64")

        def keep(_):
            after.append({name: weight.copy() for name, weight in params.items()})

        list(fit(NETWORK, params, X, Y, {**SGD, "batch_size": 8, "ema_decay": 0.7}, on_step=keep))
        mean = after[0]
        for weights in after[1:]:
            mean = {name: 0.7 * mean[name] + 0.3 * weights[name] for name in mean}
        assert close(params, mean)

    def test_validation_looks_at_the_mean(self):
        held_out = RNG.normal(size=(9, 4)), RNG.integers(0, 3, 9)
        params, epochs = run({"ema_decay": 0.9}, validation=held_out)
        found = evaluate(NETWORK, params, *held_out, "cross_entropy")["loss"]
        assert epochs[-1].metrics["val_loss"] == pytest.approx(found, rel=1e-12)

    def test_no_step_leaves_the_weights(self):
        params, _ = run({"ema_decay": 0.9, "epochs": 0})
        assert close(params, NETWORK.init(0, "float64"), 0)


class TestStopping:
    def test_a_run_ends_after_the_step_that_it_is_told_to(self):
        steps = []
        _, epochs = run({"batch_size": 5}, on_step=steps.append, stop=lambda: len(steps) == 6)
        assert (len(steps), [epoch.number for epoch in epochs]) == (6, [1])

    def test_a_complete_epoch_is_reported_before_the_end(self):
        steps = []
        _, epochs = run({"batch_size": 5}, on_step=steps.append, stop=lambda: len(steps) == 8)
        assert (len(steps), [epoch.number for epoch in epochs]) == (8, [1, 2])

    def test_the_best_weights_come_back(self):
        held_out = (X, Y)
        bad = {"optimizer": {"type": "sgd", "learning_rate": 80}, "batch_size": 5, "epochs": 9}
        stopping = {"early_stopping": {"metric": "val_loss", "patience": 9}}
        steps = []
        params, epochs = run(
            {**bad, **stopping},
            validation=held_out,
            on_step=steps.append,
            stop=lambda: len(steps) == 18,
        )
        best = min(epochs, key=lambda epoch: epoch.metrics["val_loss"])
        assert epochs[-1].best_epoch == best.number
        found = evaluate(NETWORK, params, *held_out, "cross_entropy")["loss"]
        assert found == pytest.approx(best.metrics["val_loss"], rel=1e-12)

    def test_a_budget_that_is_spent_ends_the_run(self):
        steps = []
        _, epochs = run({"epochs": 1000}, on_step=steps.append, stop=time_budget(0))
        assert (len(steps), len(epochs)) == (1, 1)
        _, epochs = run({}, stop=time_budget(3600))
        assert len(epochs) == 3

    def test_without_early_stopping_no_epoch_is_the_best(self):
        _, epochs = run({})
        assert {epoch.best_epoch for epoch in epochs} == {None}
