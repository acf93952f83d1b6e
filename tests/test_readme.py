"""The README's commands run for real, in order: who has only the README gets predictions."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.waiting import wait_until

CHECKOUT = Path(__file__).parents[1]
SERVED_AT = "http://127.0.0.1:8000"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEXT_BLOCK = "\x1e"  # printed between the blocks, so that each one's output can be told
IDENTIFIER = re.compile(r"(urn:uuid:|ds_|job_|model_)[0-9a-z-]+")
FINAL = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and its place, for messages."""

    language: str
    text: str
    place: str


def blocks(heading: str) -> list[Block]:
    """The blocks of one section."""
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    start = readme.index(f"\n## {heading}\n") + 1
    end = readme.find("\n## ", start)
    return [
        Block(
            found[1], found[2], f"README.md, line {readme.count(chr(10), 0, start + found.start())}"
        )
        for found in BLOCK.finditer(readme[start:end])
    ]


def walkthrough() -> list[Block]:
    """What a reader types and is shown, without the first block, which starts the service."""
    first, *rest = blocks("Five calls")
    assert first.text == "make setup\n.venv/bin/gradserve up\n"
    return rest + blocks("A wrong network")


@dataclass(frozen=True)
class Walked:
    """What each shell block printed, by its place, and where the service is."""

    url: str
    printed: dict[str, str]
    job: dict[str, Any]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a `gradserve up` of this module's own."""
    data_dir = tmp_path_factory.mktemp("data")
    command = [sys.executable, "-m", "service.cli", "up", "--port", "0", "--data-dir"]
    with subprocess.Popen(
        [*command, str(data_dir)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready http"), "the service did not start; stderr says why"
        yield line.split()[1]
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def walked(url: str, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """The walkthrough, typed into one shell in a directory with the examples."""
    directory = tmp_path_factory.mktemp("clone")
    shutil.copytree(CHECKOUT / "examples", directory / "examples")
    typed = [block for block in walkthrough() if block.language == "sh"]
    script = "\n".join(f"printf '\\036'\n{block.text.replace(SERVED_AT, url)}" for block in typed)
    python = str(Path(sys.executable).parent)
    finished = subprocess.run(
        ["sh", "-eu"],
        input=script,
        cwd=directory,
        env={**os.environ, "PATH": f"{python}{os.pathsep}{os.environ['PATH']}", "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    printed = finished.stdout.split(NEXT_BLOCK)[1:]
    if finished.returncode != 0:
        block = typed[len(printed) - 1]
        pytest.fail(
            f"{block.place} failed:\n{block.text}\nit printed:\n{printed[-1]}{finished.stderr}",
            pytrace=False,
        )
    job = json.loads((directory / "job.json").read_text(encoding="utf-8"))
    places = [block.place for block in typed]
    return Walked(url, dict(zip(places, printed, strict=True)), job)


def test_every_block_of_the_walkthrough_runs(walked: Walked) -> None:
    assert len(walked.printed) == len([b for b in walkthrough() if b.language == "sh"]) >= 6


def test_the_answers_are_those_that_the_readme_shows(walked: Walked) -> None:
    shown_after = ""
    compared = 0
    for block in walkthrough():
        if block.language == "sh":
            shown_after = block.place
            continue
        answer = json.loads(walked.printed[shown_after])
        assert alike(json.loads(block.text), answer), f"{block.place}: the answer is {answer}"
        compared += 1
    assert compared == 2


def test_watching_shows_each_epoch_and_the_end(walked: Walked) -> None:
    watched = next(text for text in walked.printed.values() if "event: " in text)
    assert watched.count("event: epoch\n") == walked.job["epochs"]
    assert 'data: {"status": "succeeded"}' in watched
    assert watched.endswith("\nsucceeded\n")


def test_the_same_job_repeats_bit_for_bit(walked: Walked) -> None:
    with httpx.Client(base_url=walked.url, timeout=30, trust_env=False) as client:
        first, second = (trained(client, walked.job) for _ in range(2))
    assert first["id"] != second["id"]
    assert first["lineage"]["weights_sha256"] == second["lineage"]["weights_sha256"]


def test_the_library_example_learns_exclusive_or() -> None:
    (example,) = blocks("The library")
    finished = subprocess.run(
        [sys.executable, "-c", example.text],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, f"{example.place}:\n{finished.stderr}"
    loss, *outputs = [float(number) for number in re.findall(r"\d+\.\d*", finished.stdout)]
    assert loss < 0.1
    assert [round(output) for output in outputs] == [0, 1, 1, 0]


def trained(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """The model of a job, once it is there."""
    path = client.post("/v1/jobs", json=job).raise_for_status().headers["Location"]
    wait_until(lambda: client.get(path).json()["status"] in FINAL, 30, "the job ends")
    model: dict[str, Any] = client.get(client.get(path).json()["links"]["model"]).json()
    return model


def alike(shown: Any, real: Any) -> bool:
    """Whether two answers differ in nothing but ids and the last digits of a machine."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return list(shown) == list(real) and all(alike(shown[key], real[key]) for key in shown)
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(map(alike, shown, real))
    if isinstance(shown, float) and isinstance(real, float):
        return shown == pytest.approx(real, abs=1e-3)
    if isinstance(shown, str) and isinstance(real, str):
        return IDENTIFIER.sub(r"\1", shown) == IDENTIFIER.sub(r"\1", real)
    return bool(shown == real)
