"""A small share of each campaign, on both stacks; `make faults` runs them at their full size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.faults.campaign import Campaign, attempt, load
from tests.faults.stack import USUAL, Kind, Stack

SEED = 1
SHARE = [
    pytest.param(kind, campaign, id=f"{kind}-{campaign.name}")
    for campaign in load().values()
    for kind in campaign.kinds
    if campaign.few
]


@pytest.fixture(scope="module")
def stack_for() -> Iterator[Callable[[Kind, Campaign, ExitStack], Stack]]:
    """A stack of a kind: one for all campaigns that want the usual one, else one of their own."""
    with ExitStack() as until_the_end:
        usual: dict[str, Stack] = {}

        def stack_for(kind: Kind, campaign: Campaign, until_then: ExitStack) -> Stack:
            setup = campaign.setup_of(0)
            if setup is not USUAL:
                return until_then.enter_context(Stack(kind, setup))
            if kind not in usual:
                usual[kind] = until_the_end.enter_context(Stack(kind))
            return usual[kind]

        yield stack_for


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "campaign"), SHARE)
def test_nothing_is_violated(kind: Kind, campaign: Campaign, stack_for):
    with ExitStack() as until_then:
        stack = stack_for(kind, campaign, until_then)
        for trial in range(campaign.few):
            result = attempt(campaign, stack, SEED, trial)
            assert result["violations"] == [], result["note"]
