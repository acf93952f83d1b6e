"""Documents into dataclasses: what is accepted, and the words of every refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pytest

from nncore import DocumentError
from nncore.documents import Range, parse, to_document
from nncore.optimizers import Optimizer
from nncore.optimizers.adam import Adam
from nncore.optimizers.sgd import Sgd


@dataclass(frozen=True)
class Inner:
    flag: bool = False


@dataclass(frozen=True)
class Sample:
    count: Annotated[int, Range(min=1)]
    rate: Annotated[float, Range(min=0, below=1)] = 0.5
    mode: Literal["fast", "exact"] = "fast"
    size: int | tuple[int, int] = 1
    sizes: tuple[int | None, ...] = ()
    label: str | None = None
    inner: Inner = Inner()
    optimizer: Optimizer | None = None


def test_defaults_fill_what_is_left_out():
    assert parse(Sample, {"count": 3}) == Sample(3)


def test_everything_given_is_read():
    document = {
        "count": 2,
        "rate": 0,
        "mode": "exact",
        "size": [1, 2],
        "sizes": [1, None],
        "label": "a",
        "inner": {"flag": True},
        "optimizer": {"type": "sgd", "momentum": 0.5},
    }
    expected = Sample(2, 0.0, "exact", (1, 2), (1, None), "a", Inner(True), Sgd(momentum=0.5))
    assert parse(Sample, document) == expected


def test_a_written_document_holds_every_default_and_reads_back():
    sample = Sample(3, optimizer=Adam())
    document = to_document(sample)
    assert document == {
        "count": 3,
        "rate": 0.5,
        "mode": "fast",
        "size": 1,
        "sizes": [],
        "label": None,
        "inner": {"flag": False},
        "optimizer": {
            "type": "adam",
            "learning_rate": 0.001,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-8,
            "amsgrad": False,
            "weight_decay": 0.0,
        },
    }
    assert parse(Sample, document) == sample


def test_a_name_alone_stands_for_a_unit_with_its_defaults():
    assert parse(Sample, {"count": 1, "optimizer": "adam"}).optimizer == Adam()


def test_an_instance_is_taken_as_it_is():
    assert parse(Sample, {"count": 1, "optimizer": Sgd(0.3)}).optimizer == Sgd(0.3)


def test_numpy_numbers_are_numbers():
    sample = parse(Sample, {"count": np.int64(3), "rate": np.float32(0.25)})
    assert (sample.count, sample.rate) == (3, 0.25)
    assert type(sample.count) is int


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ([], "", "expected an object, got a list of 0"),
        ({}, "/count", "is required: an integer"),
        ({"count": "3"}, "/count", 'expected an integer, got "3"'),
        ({"count": 3.0}, "/count", "expected an integer, got 3.0"),
        ({"count": True}, "/count", "expected an integer, got true"),
        ({"count": None}, "/count", "expected an integer, got null"),
        ({"count": 0}, "/count", "must be at least 1, got 0"),
        ({"count": 2**63}, "/count", "is too large for a 64-bit integer"),
        ({"count": 1, "rate": 1}, "/rate", "must be at least 0 and below 1, got 1.0"),
        ({"count": 1, "rate": float("nan")}, "/rate", "must be finite, got nan"),
        ({"count": 1, "rate": float("inf")}, "/rate", "must be finite, got inf"),
        ({"count": 1, "rate": 10**400}, "/rate", "is too large"),
        ({"count": 1, "mode": "fats"}, "/mode", 'got "fats"; did you mean "fast"?'),
        ({"count": 1, "mode": 1}, "/mode", 'expected "fast" or "exact", got 1'),
        ({"count": 1, "size": "x"}, "/size", "an integer or a list of 2 values, each an integer"),
        ({"count": 1, "size": [1, 2, 3]}, "/size", "expected a list of 2 values"),
        ({"count": 1, "size": [1, "b"]}, "/size/1", 'expected an integer, got "b"'),
        ({"count": 1, "sizes": [1, "b"]}, "/sizes/1", "expected an integer or null"),
        ({"count": 1, "inner": {"flag": 1}}, "/inner/flag", "expected true or false, got 1"),
        ({"count": 1, "inner": {"flga": True}}, "/inner/flga", 'did you mean "flag"?'),
        ({"count": 1, "cuont": 2}, "/cuont", 'unknown field; did you mean "count"?'),
        ({"count": 1, "zzz": 2}, "/zzz", "unknown field; known fields: count, rate, mode, size"),
        ({"count": 1, "a/b~": 2}, "/a~1b~0", "unknown field"),
        ({"count": 1, "optimizer": "adma"}, "/optimizer", '"adma" is not an optimizer; did you'),
        (
            {"count": 1, "optimizer": {"type": "x"}},
            "/optimizer/type",
            "known: adadelta, adagrad, adam",
        ),
        ({"count": 1, "optimizer": {}}, "/optimizer/type", "is required; known: adadelta, adagrad"),
        ({"count": 1, "optimizer": {"type": 3}}, "/optimizer/type", "expected a string, got 3"),
        ({"count": 1, "optimizer": 3}, "/optimizer", "the name of an optimizer or an object"),
        (
            {"count": 1, "optimizer": {"type": "sgd", "beta": 1}},
            "/optimizer/beta",
            "known fields: learning_rate, momentum, nesterov",
        ),
    ],
)
def test_a_mistake_is_pointed_at_with_its_mend(document, pointer, words):
    with pytest.raises(DocumentError) as error:
        parse(Sample, document)
    assert error.value.pointer == pointer
    assert words in error.value.detail


def test_the_message_reads_like_the_document():
    with pytest.raises(DocumentError) as error:
        parse(Sample, {"count": 1, "sizes": [1, "b"]}, "/samples/2")
    assert error.value.pointer == "/samples/2/sizes/1"
    assert str(error.value).startswith("samples[2].sizes[1]: expected an integer or null")


def test_a_long_value_is_shortened():
    with pytest.raises(DocumentError) as error:
        parse(Sample, {"count": "x" * 10_000})
    assert len(str(error.value)) < 100
