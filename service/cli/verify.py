"""`gradserve verify`: train a model again from its receipt and compare the weights."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from service.cli.calls import LOCAL, Url, call
from service.cli.events import follow
from service.cli.failure import Refused, fail
from service.store.fingerprints import differences

SAME = 0
DIFFERS = 1
UNVERIFIABLE = 2

_UNEXPLAINED = (
    "nothing that was recorded explains it: look at the machine's memory and disk, "
    "and report it with both receipts"
)


def verify(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model's id.")],
    clean: Annotated[
        bool, typer.Option("--clean", help="Delete the second job and its model afterwards.")
    ] = False,
    url: Url = LOCAL,
) -> None:
    """Train a model again and compare the weights.

    The exit status is 0 if they are the same, 1 if they differ, 2 if it cannot be found out.
    """
    try:
        first = call(url, "GET", "models", model, "receipt")
        _check_dataset(url, first)
        second = _train_again(url, first, clean)
    except Refused as refused:
        fail(f"{model} cannot be verified: {refused}", UNVERIFIABLE)
    same = first["weights_sha256"] == second["weights_sha256"]
    typer.echo("\n  ".join(_verdict(first, second, same)))
    raise typer.Exit(SAME if same else DIFFERS)


def _check_dataset(url: str, receipt: dict[str, Any]) -> None:
    found = call(url, "GET", "datasets", receipt["dataset_id"])["sha256"]
    if found != receipt["dataset_sha256"]:
        raise Refused(
            f"its dataset {receipt['dataset_id']} has the SHA-256 {found}, "
            f"its receipt says {receipt['dataset_sha256']}"
        )


def _train_again(url: str, receipt: dict[str, Any], clean: bool) -> dict[str, Any]:
    """The receipt of a second model from the same spec and data; raises Refused if none comes."""
    spec = receipt["spec"]
    tagged = spec | {"tags": {**spec["tags"], "verifies": receipt["model_id"]}}
    job = call(url, "POST", "jobs", json=tagged)["id"]
    typer.echo(f"training again as {job}; `gradserve jobs watch {job}` shows how far it is")
    for _ in follow(url, job):
        pass
    done = call(url, "GET", "jobs", job)
    again = call(url, "GET", "models", done["model_id"], "receipt") if done["model_id"] else None
    if clean:
        _remove(url, done)
    if again is None:
        reason = (done["error"] or {}).get("detail", "start again to find out")
        raise Refused(f"the second job {job} is {done['status']}: {reason}")
    found: dict[str, Any] = again
    return found


def _remove(url: str, job: dict[str, Any]) -> None:
    if job["model_id"]:
        call(url, "DELETE", "models", job["model_id"])
    call(url, "DELETE", "jobs", job["id"])


def _verdict(first: dict[str, Any], second: dict[str, Any], same: bool) -> list[str]:
    """The verdict, then a line for each thing that differs between the runs."""
    known = [
        *differences(first["fingerprint"], second["fingerprint"]),
        *(f"the first run: {note}" for note in first["notes"]),
        *(f"the second run: {note}" for note in second["notes"]),
    ]
    if same:
        says = f"same: {first['model_id']}, trained again, has the same weights"
        return [says, f"SHA-256 {first['weights_sha256']}", *known]
    says = f"differs: {first['model_id']}, trained again, has other weights"
    sums = f"SHA-256 {first['weights_sha256']}, then {second['weights_sha256']}"
    return [says, sums, *(known or [_UNEXPLAINED])]
