"""Stacks side by side: a trial mostly waits, for a lease to end or a process to be back."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue

from tests.faults import results
from tests.faults.campaign import Campaign, attempt, load
from tests.faults.stack import Kind, Stack


@dataclass(frozen=True)
class Work:
    """Trials that share a stack."""

    campaign: str
    kind: Kind
    seed: int
    code: str  # that it began with
    trials: tuple[int, ...]


def split(campaign: Campaign, kind: Kind, seed: int, trials: Sequence[int]) -> list[Work]:
    """Trials in portions, each for a stack of its own."""
    size = 1 if callable(campaign.setup) else campaign.chunk
    portions = [trials[start : start + size] for start in range(0, len(trials), size)]
    code = results.code_sha256()
    return [Work(campaign.name, kind, seed, code, tuple(portion)) for portion in portions]


def run(works: Sequence[Work], lanes: int) -> None:
    """Work everything off in so many processes, each with a stack at a time."""
    context = multiprocessing.get_context("spawn")
    queue: Queue[Work | None] = context.Queue()
    for work in (*works, *[None] * lanes):
        queue.put(work)
    processes = [context.Process(target=_lane, args=(queue,)) for _ in range(lanes)]
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join()
    except (KeyboardInterrupt, SystemExit):
        for process in processes:
            process.terminate()
            process.join()
        raise


def _lane(queue: Queue[Work | None]) -> None:
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load()
    while (work := queue.get()) is not None:
        left = list(work.trials)
        try:
            _work(work, left)
        except Exception as problem:
            detail = f"the stack: {type(problem).__name__}: {problem}"
            print(f"{work.campaign} {work.kind}: {detail}\n{traceback.format_exc()}", flush=True)
            for trial in left:
                _tell(work, _unstarted(work, trial, detail))


def _work(work: Work, left: list[int]) -> None:
    """Run the trials that are left on one stack.

    After a violation a trial gets another one, since it may be left in pieces.
    """
    campaign = load()[work.campaign]
    while left:
        with Stack(work.kind, campaign.setup_of(left[0])) as stack:
            while left:
                line = attempt(campaign, stack, work.seed, left.pop(0))
                _tell(work, line)
                if line["violations"]:
                    break


def _tell(work: Work, line: dict[str, object]) -> None:
    results.append(line | {"code": work.code})
    if line["violations"]:
        print(f"VIOLATED {line}", flush=True)


def _unstarted(work: Work, trial: int, detail: str) -> dict[str, object]:
    key = {"campaign": work.campaign, "stack": work.kind, "seed": work.seed, "trial": trial}
    told = {"violations": [detail], "note": "", "recovery_seconds": None, "seconds": 0.0}
    return key | told


def _end(*_: object) -> None:
    raise SystemExit(1)
