"""What the demo does and says, step by step."""

from __future__ import annotations

import csv
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from service.cli.calls import call
from service.cli.events import follow
from service.cli.failure import REFUSED, fail
from service.demo import jobs
from service.demo.drawing import side_by_side
from service.demo.stack import running

SHOWN = (0, 42, 900, 1234)  # rows of the CSV to draw

console = Console(highlight=False)


def run(data_dir: Path, port: int, exit_when_done: bool) -> None:
    """Start the stack, train digits and XOR over HTTP, show predictions, keep serving."""
    console.print("Starting gradserve: SQLite, an embedded broker, workers, the API ...")
    with running(data_dir, port) as (url, process):
        try:
            _digits(url)
            _xor(url)
            console.print(f"\nThe API's documentation is at [bold]{url}/docs[/bold]")
            if not exit_when_done:
                console.print("Serving until Ctrl-C.")
                process.wait()
        except KeyboardInterrupt:
            console.print("\nStopping.")


def _digits(url: str) -> None:
    dataset = _create(url, "datasets", files={"file": (jobs.DIGITS.name, _bytes(), "text/csv")})
    console.print(f"\nUploaded {dataset['rows']:,} handwritten digits as {dataset['id']}.")
    job = _train(url, jobs.digits(dataset["id"]))
    console.print(f"Test accuracy: [bold]{job['metrics']['test_accuracy']:.4f}[/bold]\n")
    with jobs.DIGITS.open() as file:
        rows = [dict(row) for index, row in enumerate(csv.DictReader(file)) if index in SHOWN]
    truth = [row.pop("label") for row in rows]
    instances = [{name: int(value) for name, value in row.items()} for row in rows]
    answers = _predict(url, job, instances)
    captions = [
        f"{answer['label']} ({answer['score']:.0%}) {_mark(str(answer['label']) == label)}"
        for answer, label in zip(answers, truth, strict=True)
    ]
    pictures = [list(instance.values()) for instance in instances]
    console.print(side_by_side(pictures, captions), markup=False, soft_wrap=True)


def _xor(url: str) -> None:
    dataset = _create(url, "datasets", json={"name": "xor", "rows": jobs.XOR_ROWS})
    console.print("\nExclusive or, with 2-3-1 neurons:")
    job = _train(url, jobs.xor(dataset["id"]))
    instances = [{"a": row["a"], "b": row["b"]} for row in jobs.XOR_ROWS]
    for instance, answer in zip(instances, _predict(url, job, instances), strict=True):
        a, b, label = instance["a"], instance["b"], answer["label"]
        console.print(f"  {a} xor {b} = {label}  (score {answer['score']:.3f})")


def _train(url: str, spec: dict[str, Any]) -> dict[str, Any]:
    job = _create(url, "jobs", json=spec)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task(f"Training {spec['name']}", total=spec["epochs"], told="")
        for event in follow(url, job["id"]):
            if event.kind == "epoch":
                told = _told(event.data)
                progress.update(bar, completed=event.data["epoch"], told=told)
            elif event.kind == "progress":
                progress.update(
                    bar, completed=event.data["step"] * spec["epochs"] / event.data["steps"]
                )
    finished: dict[str, Any] = call(url, "GET", "jobs", job["id"])
    if finished["status"] != "succeeded":
        error = finished["error"] or {}
        fail(f"job {job['id']} is {finished['status']}: {error.get('detail', '')}", REFUSED)
    return finished


def _told(epoch: dict[str, Any]) -> str:
    shown = {key: epoch[key] for key in ("loss", "accuracy", "val_accuracy") if key in epoch}
    return "  ".join(f"{key} {value:.4f}" for key, value in shown.items())


def _create(url: str, kind: str, **request: Any) -> dict[str, Any]:
    """Create once: a repeated demo gets what the first one made, unless it was deleted since."""
    content = json.dumps(request, sort_keys=True, default=str)
    key = "demo-" + sha256(content.encode()).hexdigest()
    made: dict[str, Any] = call(url, "POST", kind, headers={"Idempotency-Key": key}, **request)
    listed = call(url, "GET", kind, params={"limit": 100})["items"]
    if any(item["id"] == made["id"] for item in listed):
        return made
    again: dict[str, Any] = call(url, "POST", kind, **request)
    return again


def _predict(url: str, job: dict[str, Any], instances: list[dict[str, int]]) -> list[Any]:
    answer = call(url, "POST", "models", job["model_id"], "predict", json={"instances": instances})
    predictions: list[Any] = answer["predictions"]
    return predictions


def _bytes() -> bytes:
    return jobs.DIGITS.read_bytes()


def _mark(right: bool) -> str:
    return "✓" if right else "✗"
