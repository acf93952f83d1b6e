"""The words of errors, before HTTP."""

from __future__ import annotations

from service.errors import Invalid, Mistake, NotFound, escape, job_error, summary


def test_the_first_mistake_stands_for_all():
    first, second = Mistake("/a", "is wrong"), Mistake("/b", "is wrong too")
    assert summary([first]) == "/a: is wrong"
    assert summary([first, second]) == "/a: is wrong (and 1 more)"
    assert summary([Mistake("", "is no object")]) == "is no object"
    assert summary([]) == "The request is not valid."


def test_an_error_says_its_detail_as_its_text():
    assert str(Invalid(Mistake("/a", "is wrong"))) == "/a: is wrong"
    assert str(Invalid(detail="Mend it.")) == "Mend it."
    assert str(NotFound("job", "x")) == "There is no job 'x'. List them with GET /v1/jobs."


def test_a_name_in_a_pointer_is_escaped():
    assert escape("a/b~c") == "a~1b~0c"


def test_the_error_of_a_job_has_its_facts_beside_the_words():
    assert job_error("diverged", "NaN", epoch=2) == {
        "type": "diverged",
        "detail": "NaN",
        "epoch": 2,
    }
