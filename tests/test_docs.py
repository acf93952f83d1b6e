"""The documentation says what the code does: settings, problems, job fields, links, commands."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from nncore import TrainingConfig
from service import problems
from service.jobs.schemas import JobCreate, JobRead
from service.models.schemas import Receipt
from service.settings import Settings
from service.store.transitions import TRANSITIONS
from worker import fingerprint

CHECKOUT = Path(__file__).parents[1]
DOCS = CHECKOUT / "docs"
PAGES = [CHECKOUT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")

every_page = pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])


def sections(page: str, level: str = "##") -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^{level} (.+)$", text, re.MULTILINE)


def table(page: str, heading: str) -> dict[str, list[str]]:
    """The rows of the tables under a heading: by each name in the first cell, all cells."""
    text = (DOCS / page).read_text(encoding="utf-8")
    part = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
    part = re.split(r"^#+ ", part, flags=re.MULTILINE)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: row for row in rows for name in re.findall(r"`(\w+)`", row[0])}


def test_every_setting_is_described_with_its_default() -> None:
    described = {
        name.removeprefix("GRADSERVE_").lower(): row[2].strip("`")
        for name, row in table("settings.md", "Settings").items()
        if len(row) == 4
    }
    defaults = {
        name: "none" if field.default is None else str(field.default)
        for name, field in Settings.model_fields.items()
    }
    assert described == defaults


def test_every_problem_type_has_a_section() -> None:
    known = [
        *problems.PROBLEMS.values(),
        problems.INTERNAL,
        *problems._BY_STATUS.values(),
    ]
    missing = {problem.name for problem in known} - set(sections("problems.md"))
    assert missing == set()


def test_every_reason_of_a_failed_job_has_a_section() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("service", "worker")
        for path in (CHECKOUT / package).rglob("*.py")
    )
    reasons = set(re.findall(r'job_error\(\s*"(\w+)"', code))
    assert {"diverged", "poisoned"} <= reasons
    assert reasons - set(sections("problems.md")) == set()


def test_the_diagram_has_the_ways_between_states_that_there_are() -> None:
    text = (DOCS / "jobs.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^    (\w+) --> (\w+):", text, re.MULTILINE))
    taken_over = {("running", "running")}
    assert drawn == taken_over | {
        (before, after) for before, ways in TRANSITIONS.items() for after in ways
    }


def test_every_field_of_a_job_is_described() -> None:
    sent = table("jobs.md", "What you send").keys()
    assert sent == {*JobCreate.model_fields, *(field.name for field in fields(TrainingConfig))}
    assert table("jobs.md", "What you get").keys() == set(JobRead.model_fields)


def test_every_field_of_a_receipt_is_described() -> None:
    assert table("receipts.md", "What it says").keys() == set(Receipt.model_fields)


def test_every_entry_of_a_fingerprint_is_described() -> None:
    assert table("receipts.md", "The fingerprint").keys() == fingerprint.take(shards=1).keys()


def anchors(page: Path) -> set[str]:
    """What a link into the page may name: its headings, a repeated one with a number."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        name = re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        repeated = sum(name == re.sub(r"-\d+$", "", other) for other in found)
        found.add(f"{name}-{repeated}" if repeated else name)
    return found


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(path)


@every_page
def test_the_make_targets_and_modules_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= set(targets)
    for path in re.findall(r"`((?:nncore|service|worker|tests)/[\w/]+\.py)[:`]", text):
        assert (CHECKOUT / path).exists(), f"{page.name} names {path}"


def test_the_example_is_what_its_generator_prints() -> None:
    from examples.make_fruit import rows

    written = (CHECKOUT / "examples" / "fruit.csv").read_text(encoding="utf-8")
    assert written.splitlines() == rows()
