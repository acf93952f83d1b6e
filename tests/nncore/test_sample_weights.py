"""Sample and class weights: factors of the terms, as in Keras."""

import numpy as np
import pytest

from nncore import ConfigError, Network, evaluate, fit
from nncore.gradient_check import numeric_gradient, relative_error

RNG = np.random.default_rng(0)
X, CLASSES = RNG.normal(size=(12, 4)), np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
WEIGHTS = RNG.uniform(size=12)
NETWORK = Network.from_spec({"layers": [{"type": "dense", "units": 3}]}, [4])
STILL = {"optimizer": {"type": "sgd", "learning_rate": 0}, "epochs": 1, "batch_size": 5}


def params():
    return NETWORK.init(0, "float64")


def each_loss():
    return np.array(
        [
            NETWORK.loss_and_grads(params(), X[i : i + 1], CLASSES[i : i + 1], "cross_entropy")[0]
            for i in range(12)
        ]
    )


def test_the_loss_is_the_weighted_sum_over_the_number_of_terms():
    loss, _ = NETWORK.loss_and_grads(params(), X, CLASSES, "cross_entropy", sample_weight=WEIGHTS)
    assert loss == pytest.approx(np.sum(WEIGHTS * each_loss()) / 12, rel=1e-13)


@pytest.mark.parametrize("shards", [1, 3])
def test_its_gradient_is_that_of_finite_differences(shards):
    weights = params()

    def value():
        return NETWORK.loss_and_grads(
            weights, X, CLASSES, "cross_entropy", sample_weight=WEIGHTS, shards=shards
        )

    _, gradients = value()
    for name, gradient in gradients.items():
        expected = numeric_gradient(lambda: value()[0], weights[name])
        assert relative_error(gradient, expected) < 1e-7


def test_a_weight_of_zero_takes_an_example_out():
    chosen = (CLASSES != 1).astype(float)
    rest = CLASSES != 1
    loss, gradients = NETWORK.loss_and_grads(
        params(), X, CLASSES, "cross_entropy", sample_weight=chosen
    )
    less, others = NETWORK.loss_and_grads(params(), X[rest], CLASSES[rest], "cross_entropy")
    share = rest.mean()
    assert loss == pytest.approx(less * share, rel=1e-13)
    assert all(np.allclose(gradients[name], share * others[name]) for name in others)


def test_training_and_evaluation_take_them():
    expected = np.sum(WEIGHTS * each_loss()) / 12
    held_out = (X, CLASSES, 2 * WEIGHTS)
    (epoch,) = fit(NETWORK, params(), X, CLASSES, STILL, validation=held_out, sample_weight=WEIGHTS)
    assert epoch.loss == pytest.approx(expected, rel=1e-12)
    assert epoch.metrics["val_loss"] == pytest.approx(2 * expected, rel=1e-12)
    found = evaluate(NETWORK, params(), X, CLASSES, "cross_entropy", sample_weight=WEIGHTS)
    assert found["loss"] == pytest.approx(expected, rel=1e-12)


class TestClasses:
    def test_classes_have_the_weights_that_they_are_given(self):
        factors = np.array([1.0, 2.0, 0.5])[CLASSES]
        for given in ({"1": 2, "2": 0.5}, {1: 2, 2: 0.5}):
            (epoch,) = fit(NETWORK, params(), X, CLASSES, {**STILL, "class_weight": given})
            assert epoch.loss == pytest.approx(np.mean(factors * each_loss()), rel=1e-12)

    def test_balanced_classes_weigh_the_same(self):
        factors = np.array([12 / 18, 12 / 12, 12 / 6])[CLASSES]
        (epoch,) = fit(NETWORK, params(), X, CLASSES, {**STILL, "class_balance": "balanced"})
        assert epoch.loss == pytest.approx(np.mean(factors * each_loss()), rel=1e-12)

    def test_they_multiply_the_weights_of_the_examples(self):
        config = {**STILL, "class_weight": {"0": 3}}
        (epoch,) = fit(NETWORK, params(), X, CLASSES, config, sample_weight=WEIGHTS)
        factors = WEIGHTS * np.array([3.0, 1, 1])[CLASSES]
        assert epoch.loss == pytest.approx(np.mean(factors * each_loss()), rel=1e-12)

    def test_validation_is_not_weighted_by_class(self):
        config = {**STILL, "class_weight": {"0": 3}}
        (epoch,) = fit(NETWORK, params(), X, CLASSES, config, validation=(X, CLASSES))
        assert epoch.metrics["val_loss"] == pytest.approx(each_loss().mean(), rel=1e-12)

    def test_yes_or_no_targets_have_classes_too(self):
        network = Network.from_spec({"layers": [{"type": "dense", "units": 1}]}, [4])
        weights, y = network.init(0, "float64"), (CLASSES == 2).astype(float)
        config = {**STILL, "loss": "binary_cross_entropy", "class_weight": {"1": 5}}
        (epoch,) = fit(network, weights, X, y, config)
        expected, _ = network.loss_and_grads(
            weights, X, y, "binary_cross_entropy", sample_weight=1 + 4 * y
        )
        assert epoch.loss == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize(
        ("config", "y", "pointer", "words"),
        [
            ({"class_weight": {"a": 1}}, CLASSES, "/class_weight/a", "must name a class"),
            ({"class_weight": {"0": -1}}, CLASSES, "/class_weight/0", "at least 0"),
            (
                {"class_weight": {}, "class_balance": "balanced"},
                CLASSES,
                "/class_balance",
                "not both",
            ),
            ({"class_weight": {"0": 1}}, np.ones((12, 3)) / 3, "/class_weight", "integer classes"),
            ({"class_balance": "even"}, CLASSES, "/class_balance", 'expected "balanced"'),
        ],
    )  # fmt: skip
    def test_a_mistake_is_pointed_at(self, config, y, pointer, words):
        with pytest.raises(ConfigError) as error:
            fit(NETWORK, params(), X, y, config)
        assert error.value.pointer == pointer
        assert words in error.value.detail


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(11), "one number for each example"),
        (-np.ones(12), "at least 0"),
        (np.full(12, np.nan), "finite"),
        (np.array(["a"] * 12), "must be numbers"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, words):
    with pytest.raises(ValueError, match=words):
        fit(NETWORK, params(), X, CLASSES, {}, sample_weight=weights)
