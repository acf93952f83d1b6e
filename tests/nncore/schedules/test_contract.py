"""What every schedule promises, from one table of documents and known factors."""

import pytest

from nncore import registry
from nncore.documents import parse, to_document
from nncore.schedules import Schedule

# Document, and its factors at steps 0, 5 and 9 of 10.
CASES = [({"type": "constant"}, [1, 1, 1])]
every_case = pytest.mark.parametrize(
    ("document", "factors"), CASES, ids=[str(document) for document, _ in CASES]
)


@every_case
def test_it_has_the_known_factors(document, factors):
    schedule = parse(Schedule, document)
    assert [schedule.factor(step, 10) for step in (0, 5, 9)] == pytest.approx(factors)


@every_case
def test_the_document_survives_a_round_trip(document, factors):
    schedule = parse(Schedule, document)
    assert parse(Schedule, to_document(schedule)) == schedule


def test_every_registered_schedule_has_a_row():
    assert {document["type"] for document, _ in CASES} == set(registry.units(Schedule))
