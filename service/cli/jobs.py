"""`gradserve jobs ...`: submit, list, show, watch, cancel, pause, resume, retry."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from service.cli import events
from service.cli.calls import LOCAL, Limit, Url, call, is_terminal, read_document, show, show_table
from service.cli.failure import REFUSED, fail

app = typer.Typer(help="Train networks.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(metavar="ID")]

_ERASE_LINE = "\r\x1b[K"
_COUNTERS = ("epoch", "step")


@app.command()
def submit(
    file: Annotated[str, typer.Argument(help="The job as JSON; - for stdin")], url: Url = LOCAL
) -> None:
    """Submit a training run; prints the job's id."""
    job = call(url, "POST", "jobs", json=read_document(file))
    typer.echo(job["id"])


@app.command("list")
def list_jobs(
    status: Annotated[str | None, typer.Option(help="Only those with this status.")] = None,
    limit: Limit = 20,
    url: Url = LOCAL,
) -> None:
    """List jobs, newest first."""
    wanted = {"limit": limit} | ({} if status is None else {"status": status})
    items = call(url, "GET", "jobs", params=wanted)["items"]
    show_table(items, "id", "name", "status", "model_id", "created_at")


@app.command("show")
def show_job(job: JobId, url: Url = LOCAL) -> None:
    """Show a job: its status, progress, metrics and resolved settings."""
    show(call(url, "GET", "jobs", job))


@app.command()
def watch(job: JobId, url: Url = LOCAL) -> None:
    """Follow a job to its end; the exit status is 0 when it succeeded."""
    for event in events.follow(url, job):
        line = _line(event)
        if event.kind == "progress":
            if is_terminal():
                print(f"{_ERASE_LINE}{line}", end="", flush=True)
        else:
            typer.echo(f"{_ERASE_LINE if is_terminal() else ''}{line}")
    _finish(call(url, "GET", "jobs", job))


@app.command()
def cancel(job: JobId, url: Url = LOCAL) -> None:
    """Cancel a job that is not over; prints its status."""
    typer.echo(call(url, "POST", "jobs", job, "cancel")["status"])


@app.command()
def pause(job: JobId, url: Url = LOCAL) -> None:
    """Let a job stand still until it is resumed; prints its status."""
    typer.echo(call(url, "POST", "jobs", job, "pause")["status"])


@app.command()
def resume(job: JobId, url: Url = LOCAL) -> None:
    """Let a paused job go on; prints its status."""
    typer.echo(call(url, "POST", "jobs", job, "resume")["status"])


@app.command()
def retry(job: JobId, url: Url = LOCAL) -> None:
    """Train a final job's settings anew; prints the id of the job that does."""
    typer.echo(call(url, "POST", "jobs", job, "retry")["id"])


def _finish(job: dict[str, Any]) -> None:
    if job["status"] == "succeeded":
        typer.echo(f"model {job['model_id']}")
        return
    error = job.get("error") or {}
    reason = f": {error['detail']}" if "detail" in error else ""
    fail(f"the job is {job['status']}{reason}", REFUSED)


def _line(event: events.Event) -> str:
    data = event.data
    if event.kind == "status":
        return str(data["status"])
    if event.kind == "log":
        return str(data["message"])
    if event.kind == "progress":
        return f"epoch {data['epoch']}/{data['epochs']}  step {data['step']}/{data['steps']}"
    numbers = (f"{name} {value:.4g}" for name, value in data.items() if name not in _COUNTERS)
    return "  ".join([f"epoch {data['epoch']}", *numbers])
