"""Ids that sort by time."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from service.store.identifiers import new_id


def test_an_id_says_what_it_names():
    assert re.fullmatch(r"job_[0-9a-hjkmnp-tv-z]{26}", new_id("job"))


def test_later_ids_are_greater():
    ids = [new_id("job") for _ in range(2000)]
    assert ids == sorted(set(ids))


def test_threads_never_get_the_same_id():
    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(lambda _: new_id("job"), range(2000)))
    assert len(set(ids)) == 2000
