"""A small share of each campaign, on both stacks; `make faults` runs them at their full size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.faults import brokers, hammer, rests
from tests.faults.campaign import Campaign, attempt, load
from tests.faults.stack import KINDS, Kind, Stack

SEED = 1
SETUPS = [campaign.setup for campaign in load().values()]
SHARE = [
    pytest.param(kind, campaign, id=f"{kind}-{campaign.name}")
    for kind in KINDS
    # Side by side, those that want the same stack share it.
    for campaign in sorted(load().values(), key=lambda each: SETUPS.index(each.setup))
    if campaign.few and kind in campaign.kinds
]
Wanted = Callable[[Kind, Campaign], Stack]


@pytest.fixture(scope="module")
def stack_for() -> Iterator[Wanted]:
    """The stack that a campaign wants: the one that runs, if that is like it, else another."""
    with ExitStack() as running:
        current: list[Stack] = []

        def stack_for(kind: Kind, campaign: Campaign) -> Stack:
            setup = campaign.setup_of(0)
            if not current or (current[0].kind, current[0].setup) != (kind, setup):
                running.close()
                current[:] = [running.enter_context(Stack(kind, setup))]
            return current[0]

        yield stack_for


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """How quick the service is belongs to the campaign: here other tests run beside it."""
    for module, limit in (
        (rests, "HONOURED_SECONDS"),
        (rests, "SETTLED_SECONDS"),
        (hammer, "ANSWER_SECONDS"),
        (brokers, "ACCEPT_SECONDS"),
    ):
        monkeypatch.setattr(module, limit, 20.0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "campaign"), SHARE)
def test_nothing_is_violated(kind: Kind, campaign: Campaign, stack_for: Wanted) -> None:
    stack = stack_for(kind, campaign)
    for trial in range(campaign.few):
        result = attempt(campaign, stack, SEED, trial)
        assert result["violations"] == [], result["note"]
