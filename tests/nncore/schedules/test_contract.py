"""What every schedule promises, from one table of documents and known factors."""

import math

import pytest

from nncore import registry
from nncore.documents import parse, to_document
from nncore.errors import DocumentError
from nncore.schedules import Schedule

HALF = 0.5 * (1 + math.cos(math.pi * 0.9))
# Document, and its factors at steps 0, 5 and 9 of 10.
CASES = [
    ({"type": "constant"}, [1, 1, 1]),
    ({"type": "constant", "warmup_steps": 8}, [1 / 8, 6 / 8, 1]),
    ({"type": "step", "step_size": 4, "gamma": 0.5}, [1, 0.5, 0.25]),
    ({"type": "step"}, [1, 0.1, 0.01]),
    ({"type": "step", "boundaries": [5, 9], "gamma": 0.5}, [1, 0.5, 0.25]),
    ({"type": "exponential", "decay_rate": 0.5, "decay_steps": 5}, [1, 0.5, 0.5**1.8]),
    (
        {"type": "exponential", "decay_rate": 0.5, "decay_steps": 5, "staircase": True},
        [1, 0.5, 0.5],
    ),
    ({"type": "exponential"}, [1, 0.1**0.5, 0.1**0.9]),
    ({"type": "polynomial"}, [1, 0.5, 0.1]),
    ({"type": "polynomial", "power": 2, "end_factor": 0.2}, [1, 0.4, 0.208]),
    ({"type": "polynomial", "decay_steps": 5, "end_factor": 0.1}, [1, 0.1, 0.1]),
    ({"type": "cosine"}, [1, 0.5, HALF]),
    ({"type": "cosine", "alpha": 0.5}, [1, 0.75, 0.5 + HALF / 2]),
    ({"type": "cosine", "decay_steps": 5}, [1, 0, 0]),
    ({"type": "cosine", "warmup_steps": 5}, [0.2, 1, 0.5 * (1 + math.cos(math.pi * 0.8))]),
    (
        {"type": "cosine_restarts", "first_decay_steps": 5, "t_mul": 1},
        [1, 1, 0.5 * (1 + math.cos(math.pi * 0.8))],
    ),
    ({"type": "cosine_restarts", "first_decay_steps": 5, "m_mul": 0.5}, None),
    ({"type": "cosine_restarts", "first_decay_steps": 1}, [1, 0.5, 0.5 * (1 + 0.5**0.5)]),
    ({"type": "one_cycle"}, None),
    ({"type": "one_cycle", "anneal_strategy": "linear", "pct_start": 0.6}, [1 / 25, 1, 4e-6]),
    ({"type": "reduce_on_plateau"}, [1, 1, 1]),
]
every_case = pytest.mark.parametrize(
    ("document", "factors"), CASES, ids=[str(document) for document, _ in CASES]
)


@every_case
def test_it_has_the_known_factors(document, factors):
    schedule = parse(Schedule, document)
    for step, factor in zip((0, 5, 9), factors or [], strict=False):
        if factor is not None:
            assert schedule.factor(step, 10) == pytest.approx(factor, abs=1e-12)


@every_case
def test_it_never_leaves_zero_to_one(document, factors):
    schedule = parse(Schedule, document)
    for steps in (1, 2, 3, 50):
        assert all(0 <= schedule.factor(step, steps) <= 1 + 1e-12 for step in range(steps))


@every_case
def test_warm_up_rises_to_the_start_of_the_course(document, factors):
    warm = parse(Schedule, {**document, "warmup_steps": 4})
    plain = parse(Schedule, {**document, "warmup_steps": 0})
    first = plain.factor(0, 16)
    assert [warm.factor(step, 20) for step in range(4)] == pytest.approx(
        [first / 4, first / 2, 3 * first / 4, first]
    )
    assert [warm.factor(step, 20) for step in range(4, 20)] == pytest.approx(
        [plain.factor(step, 16) for step in range(16)]
    )


@every_case
def test_the_document_survives_a_round_trip(document, factors):
    schedule = parse(Schedule, document)
    assert parse(Schedule, to_document(schedule)) == schedule


def test_every_registered_schedule_has_a_row_and_needs_no_fields():
    assert {document["type"] for document, _ in CASES} == set(registry.units(Schedule))
    assert all(parse(Schedule, name).factor(0, 1) <= 1 for name in registry.units(Schedule))


def test_restarts_come_in_growing_periods_with_lower_tops():
    document = {"type": "cosine_restarts", "first_decay_steps": 4, "m_mul": 0.5, "alpha": 0.1}
    schedule = parse(Schedule, document)
    assert [schedule.factor(step, 28) for step in (0, 4, 12)] == pytest.approx([1, 0.55, 0.325])
    assert schedule.factor(8, 28) == pytest.approx(0.1 + 0.9 * 0.25)


def test_one_cycle_is_pytorchs():
    schedule = parse(Schedule, "one_cycle")
    # OneCycleLR(max_lr=1, total_steps=10).
    expected = [0.04, 0.52, 1.0, 0.9504844642, 0.8117448756, 0.6112606739]
    expected += [0.3887433261, 0.1882591244, 0.0495195358, 4e-6]
    found = [schedule.factor(step, 10) for step in range(10)]
    assert found == pytest.approx(expected, abs=3e-6)


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ({"type": "step", "step_size": 3, "boundaries": [4]}, "/step_size", "not both"),
        ({"type": "step", "boundaries": [4, 4]}, "/boundaries", "must grow"),
        ({"type": "cosine", "warmup_steps": -1}, "/warmup_steps", "at least 0"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(document, pointer, words):
    with pytest.raises(DocumentError, match=words) as caught:
        parse(Schedule, document)
    assert caught.value.pointer == pointer
