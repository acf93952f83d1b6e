"""The summary table of a campaign, for the terminal and for docs/reliability.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from benchmarks.report import aligned, percentile
from tests.faults.campaign import Campaign
from tests.faults.results import ROOT
from tests.faults.stack import KINDS

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- campaign -->", "<!-- /campaign -->"
HEADS = ["", "stack", "trials", "of", "violations", "recovery p50", "slowest", "minutes"]


def table(campaigns: Sequence[Campaign], lines: Sequence[dict[str, Any]]) -> str:
    """A row for each campaign and stack that has trials."""
    rows = [HEADS]
    for campaign in campaigns:
        for kind in KINDS:
            mine = [
                line for line in lines if (line["campaign"], line["stack"]) == (campaign.name, kind)
            ]
            if mine:
                rows.append(_row(campaign, kind, mine))
    return aligned(rows)


def write(text: str) -> None:
    """Put the summary between the markers of the page."""
    page = PAGE.read_text(encoding="utf-8")
    between = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
    PAGE.write_text(between.sub(lambda _: f"{BEGIN}\n{text}\n{END}", page), encoding="utf-8")


def _row(campaign: Campaign, kind: str, lines: Sequence[dict[str, Any]]) -> list[str]:
    recoveries = [each["recovery_seconds"] for each in lines if each["recovery_seconds"]]
    shown = (
        [f"{percentile(recoveries, 50):.1f} s", f"{max(recoveries):.1f} s"]
        if recoveries
        else ["", ""]
    )
    bad = sum(bool(line["violations"]) for line in lines)
    minutes = sum(line["seconds"] for line in lines) / 60
    counts = [str(len(lines)), str(campaign.count), str(bad)]
    return [campaign.title, kind, *counts, *shown, f"{minutes:.1f}"]
