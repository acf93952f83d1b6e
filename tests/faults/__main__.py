"""`make faults`: run the campaigns, print what came of them, say how to repeat what failed."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from tests.faults import lanes, report, results
from tests.faults.campaign import Campaign, load
from tests.faults.stack import KINDS


def main() -> int:
    """Run what was asked for; the exit status is 1 if anything was violated."""
    options = _options()
    known = load()
    names = options.only or list(known)
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no campaign {unknown[0]}; there are {', '.join(known)}")
    chosen = [known[name] for name in names]
    works = _works(chosen, options)
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the lanes end their stacks in order
    lanes.run(works, min(options.jobs, len(works)))
    return _report(chosen, options, (time.monotonic() - began) / 60)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stack", choices=KINDS, help="one stack; both by default")
    parser.add_argument("--only", action="append", metavar="NAME", help="one campaign; repeatable")
    parser.add_argument("--trials", type=int, help="at most so many of each campaign")
    parser.add_argument("--trial", type=int, help="this one trial, even if it is done")
    parser.add_argument("--jobs", type=int, default=4, help="stacks side by side")
    parser.add_argument("--again", action="store_true", help="repeat what is done already")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    return parser.parse_args()


def _works(campaigns: Sequence[Campaign], options: argparse.Namespace) -> list[lanes.Work]:
    over = set()
    if not options.again and options.trial is None:
        lines = results.done(options.seed)
        over = {(each["campaign"], each["stack"], each["trial"]) for each in lines}
    found = []
    for campaign in campaigns:
        wanted = range(min(options.trials or campaign.count, campaign.count))
        if options.trial is not None:
            wanted = range(options.trial, options.trial + 1)
        for kind in campaign.kinds:
            if options.stack in (None, kind):
                left = [n for n in wanted if (campaign.name, kind, n) not in over]
                found += lanes.split(campaign, kind, options.seed, left)
    return found


def _report(campaigns: Sequence[Campaign], options: argparse.Namespace, minutes: float) -> int:
    lines = results.done(options.seed)
    names = {campaign.name for campaign in campaigns}
    bad = [line for line in lines if line["violations"] and line["campaign"] in names]
    text = report.table(campaigns, lines)
    print(f"\n{text}\n\nseed {options.seed}, {minutes:.1f} minutes")
    for line in bad:
        print(
            f"\n{line['violations'][0]}\n  make faults ARGS='--seed {line['seed']} "
            f"--stack {line['stack']} --only {line['campaign']} --trial {line['trial']}'"
        )
    if options.write:
        report.write(text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
