"""Times on the wire."""

from __future__ import annotations

from service.times import rfc3339


def test_a_time_is_written_in_utc_with_its_milliseconds():
    assert rfc3339(1_769_860_800_007) == "2026-01-31T12:00:00.007Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


def test_a_time_that_has_not_come_is_null():
    assert rfc3339(None) is None
