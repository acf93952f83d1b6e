"""A run from its claim to its end, in this process and on a real database."""

from __future__ import annotations

import json
import math
import threading
import time

import numpy as np
import pytest
from safetensors.numpy import load
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.errors import LeaseLost
from service.models.prediction import LoadedModel
from service.store import blobs, epochs, events, jobs, models
from service.store.sweep import sweep
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import claim, count, expire, read, take_over, write
from worker import fingerprint
from worker import run as run_module

DENSE = {"type": "dense", "units": 2}


def model_of(database, row):
    return read(database, models.get, DEFAULT_TENANT, row.model_id)


def weights_of(database, row):
    return read(database, blobs.read, DEFAULT_TENANT, model_of(database, row).weights_id)


def history_of(database, row):
    return read(database, epochs.history, DEFAULT_TENANT, row.id)


def at_step(number, action):
    """A `stopping` that is never true and does something the nth time it is asked."""
    asked = 0

    def stopping():
        nonlocal asked
        asked += 1
        if asked == number:
            action()
        return False

    return stopping


def test_a_run_leaves_a_model(database, submit, train):
    submit(database, epochs=4, name="mine", test={"fraction": 0.1})
    row = train(database)
    assert (row.status, row.attempt, row.error) == (Status.SUCCEEDED, 1, None)
    assert (row.epoch, row.step, row.steps) == (4, 8, 8)
    model = model_of(database, row)
    assert (model.name, model.task, model.job_id) == ("mine", "classification", row.id)
    assert model.network == row.spec["network"]
    assert model.metrics == row.metrics
    assert set(row.metrics) == {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "test_loss",
        "test_accuracy",
    }
    tensors = load(weights_of(database, row))
    assert {name: value.shape for name, value in tensors.items()} == {
        "dense_1.kernel": (2, 2),
        "dense_1.bias": (2,),
    }


def test_a_model_knows_where_it_comes_from(sqlite, submit, train):
    submit(sqlite, seed=11)
    row = train(sqlite)
    lineage = model_of(sqlite, row).lineage
    assert lineage["job_id"] == row.id
    assert lineage["dataset_id"] == row.dataset_id
    assert lineage["dataset_sha256"] == "0" * 64
    assert lineage["seed"] == 11
    assert set(lineage["versions"]) == {"gradserve", "numpy", "python"}
    assert len(lineage["weights_sha256"]) == 64
    assert lineage["spec"] == row.spec
    assert (lineage["attempt"], lineage["notes"]) == (1, [])
    assert lineage["fingerprint"] == fingerprint.take(shards=1)


def test_history_has_every_epoch_once_in_order(sqlite, submit, train):
    submit(sqlite, epochs=30)
    row = train(sqlite)
    history = history_of(sqlite, row)
    assert [each.number for each in history] == list(range(1, 31))
    assert [each.step for each in history] == [2 * number for number in range(1, 31)]
    assert set(history[0].metrics) == {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "gradient_norm",
    }
    assert history[-1].metrics["loss"] == row.metrics["loss"]
    assert history[-1].metrics["loss"] < history[0].metrics["loss"]


def test_the_stream_tells_the_run_from_start_to_end(sqlite, submit, train):
    submit(sqlite, epochs=2)
    row = train(sqlite)
    told = read(sqlite, events.after, DEFAULT_TENANT, row.id, 0)
    assert [each.kind for each in told if each.kind != "progress"] == [
        "status",
        "status",
        "epoch",
        "epoch",
        "status",
    ]
    assert told[-1].data == {"status": "succeeded"}


def test_the_same_job_gives_the_same_bytes(sqlite, submit, train):
    for _ in range(2):
        submit(
            sqlite,
            network={
                "layers": [
                    {"type": "dense", "units": 8, "activation": "relu"},
                    {"type": "dropout", "rate": 0.5},
                    {"type": "dense", "units": 2},
                ]
            },
        )
    first, again = train(sqlite), train(sqlite)
    assert first.id != again.id
    assert weights_of(sqlite, first) == weights_of(sqlite, again)
    assert [each.metrics for each in history_of(sqlite, first)] == [
        each.metrics for each in history_of(sqlite, again)
    ]


def test_another_seed_gives_other_weights(sqlite, submit, train):
    for seed in (1, 2):
        submit(sqlite, seed=seed)
    assert weights_of(sqlite, train(sqlite)) != weights_of(sqlite, train(sqlite))


def test_what_was_learned_is_what_predicts(sqlite, submit, train):
    submit(sqlite, epochs=60, optimizer={"type": "adam", "learning_rate": 0.1})
    model = model_of(sqlite, row := train(sqlite))
    assert row.metrics["accuracy"] > 0.9
    loaded = LoadedModel.load(model.network, model.preprocessing, weights_of(sqlite, row))
    low, high = loaded.predict([{"a": 0, "b": 1}, {"a": 4, "b": 1}])
    assert (low["label"], high["label"]) == ("low", "high")


def test_a_regression_is_measured_and_answers_in_its_own_unit(sqlite, submit, train):
    rows = [{"x": n, "y": 1000.0 + 10 * n} for n in range(40)]
    submit(
        sqlite,
        rows=rows,
        network={"layers": [{"type": "dense", "units": 1}]},
        optimizer={"type": "sgd", "learning_rate": 0.1},
        epochs=60,
        metrics=["mean_absolute_error", "r2"],
    )
    row = train(sqlite)
    assert row.metrics["r2"] > 0.99
    assert 0 < row.metrics["mean_absolute_error"] < 20
    model = model_of(sqlite, row)
    loaded = LoadedModel.load(model.network, model.preprocessing, weights_of(sqlite, row))
    assert loaded.predict([{"x": 20}])[0]["value"] == pytest.approx(1200, abs=10)


def test_no_epochs_leave_a_model_with_its_initial_weights(sqlite, submit, train):
    submit(sqlite, epochs=0)
    row = train(sqlite)
    assert (row.status, row.epoch, row.step) == (Status.SUCCEEDED, 0, 0)
    assert set(row.metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history_of(sqlite, row) == []
    assert not load(weights_of(sqlite, row))["dense_1.bias"].any()


def test_early_stopping_ends_a_run_before_its_last_epoch(sqlite, submit, train):
    submit(
        sqlite,
        epochs=500,
        optimizer={"type": "sgd", "learning_rate": 0.0},
        early_stopping={"metric": "loss", "patience": 2, "restore_best": True},
    )
    row = train(sqlite)
    assert row.status == Status.SUCCEEDED
    assert row.epoch < 10
    assert len(history_of(sqlite, row)) == row.epoch


def test_a_picture_in_a_row_is_trained_as_a_picture(sqlite, submit, train):
    rows = [{f"p{k}": (n * k) % 16 for k in range(16)} | {"y": n % 2} for n in range(20)]
    network = {
        "input": {"shape": [4, 4, 1]},
        "layers": [
            {"type": "conv2d", "filters": 2, "kernel_size": 3, "activation": "relu"},
            {"type": "max_pool2d", "pool_size": 2},
            {"type": "flatten"},
            {"type": "dense", "units": 2},
        ],
    }
    submit(sqlite, rows=rows, network=network, task="classification")
    row = train(sqlite)
    assert row.status == Status.SUCCEEDED, row.error
    assert load(weights_of(sqlite, row))["conv2d_1.kernel"].shape == (3, 3, 1, 2)


def test_a_reconstruction_learns_its_own_input(sqlite, submit, train):
    rows = [{"a": n % 5, "b": n % 3} for n in range(30)]
    submit(
        sqlite,
        rows=rows,
        target=None,
        task="reconstruction",
        network={"layers": [{"type": "dense", "units": 2}]},
    )
    row = train(sqlite)
    assert row.status == Status.SUCCEEDED, row.error
    assert "mean_absolute_error" in row.metrics


def test_a_cancel_stops_the_run_between_steps(sqlite, submit, train):
    job_id = submit(sqlite, epochs=1_000_000)

    def cancel():
        write(sqlite, jobs.cancel, DEFAULT_TENANT, job_id)

    row = train(sqlite, stopping=at_step(5, cancel))
    assert (row.status, row.model_id) == (Status.CANCELLED, None)
    assert [each.number for each in history_of(sqlite, row)] == list(range(1, row.epoch + 1))
    assert count(sqlite, "models") == [0]


def test_a_worker_that_stops_gives_the_job_back(sqlite, submit, train):
    submit(sqlite, epochs=5)
    asked = iter([False] * 5 + [True] * 100)
    row = train(sqlite, stopping=lambda: next(asked))
    assert (row.status, row.attempt, row.lease_until) == (Status.QUEUED, 0, None)
    assert (row.step, [each.number for each in history_of(sqlite, row)]) == (6, [1, 2])
    again = train(sqlite)
    assert (again.id, again.status, again.attempt) == (row.id, Status.SUCCEEDED, 1)
    assert [each.number for each in history_of(sqlite, row)] == [1, 2, 3, 4, 5]


def test_an_interrupted_job_ends_as_if_it_had_never_been(sqlite, submit, train):
    submit(sqlite, epochs=5)
    submit(sqlite, epochs=5)
    asked = iter([False] * 5 + [True] * 100)
    train(sqlite, stopping=lambda: next(asked))
    interrupted, whole = train(sqlite), train(sqlite)
    assert weights_of(sqlite, interrupted) == weights_of(sqlite, whole)
    assert interrupted.metrics == whole.metrics
    assert [each.metrics for each in history_of(sqlite, interrupted)] == [
        each.metrics for each in history_of(sqlite, whole)
    ]


def test_a_run_that_loses_its_lease_stops_and_writes_nothing_more(database, submit, train):
    job_id = submit(database, epochs=1_000_000)
    seen = {}

    def lose():
        seen["claim"] = write(database, take_over, job_id)
        seen["epochs"] = len(read(database, epochs.history, DEFAULT_TENANT, job_id))
        row = read(database, jobs.get, DEFAULT_TENANT, job_id)
        seen["told"] = (row.epoch, row.step, row.metrics)

    row = train(database, stopping=at_step(5, lose))
    assert (row.status, row.worker, row.token) == (Status.RUNNING, "elm", seen["claim"].token)
    assert len(history_of(database, row)) == seen["epochs"]
    assert (row.epoch, row.step, row.metrics) == seen["told"]
    assert count(database, "models") == [0]
    told = read(database, events.after, DEFAULT_TENANT, job_id, 0)
    assert told[-1].data == {"status": "running", "attempt": 2}


def test_a_run_that_finishes_after_it_lost_its_lease_leaves_no_model(sqlite, submit, train):
    job_id = submit(sqlite, epochs=1)

    def lose():
        write(sqlite, take_over, job_id)

    row = train(sqlite, stopping=at_step(2, lose), heartbeat_seconds=60)
    assert (row.status, row.worker) == (Status.RUNNING, "elm")
    assert count(sqlite, "models", "blobs", "job_epochs") == [0, 1, 0]


def test_a_worker_that_cannot_renew_its_lease_stops_before_it_ends(sqlite, submit, train):
    submit(sqlite, epochs=1_000_000)
    row = train(sqlite, lease_seconds=0.5, heartbeat_seconds=60)
    assert row.status == Status.RUNNING
    assert count(sqlite, "models") == [0]


def test_a_heartbeat_keeps_a_long_run_alive(sqlite, submit, train):
    submit(sqlite, epochs=1_000_000)
    began = time.monotonic()
    held = write(sqlite, claim, lease_seconds=4)
    row = train(sqlite, held, lambda: time.monotonic() - began > 5, lease_seconds=4)
    assert row.status == Status.QUEUED, "it was given back, not lost"
    assert row.step > 0


def test_a_run_that_hangs_beyond_its_budget_fails_and_its_process_ends(
    sqlite, submit, train, monkeypatch
):
    ended = threading.Event()

    def hang(_heart):
        assert ended.wait(60)
        raise LeaseLost("the process would be gone")

    monkeypatch.setattr(run_module, "train", hang)
    monkeypatch.setattr(run_module.os, "_exit", lambda _status: ended.set())
    submit(sqlite, budget_seconds=0.05)
    row = train(sqlite, lease_seconds=0.1)
    assert (row.status, row.error["type"]) == (Status.FAILED, "budget_exceeded")


def test_a_run_above_its_budget_fails_and_says_so(sqlite, submit, train):
    submit(sqlite, epochs=1_000_000, budget_seconds=0.05)
    row = train(sqlite)
    assert (row.status, row.model_id) == (Status.FAILED, None)
    assert row.error == {
        "type": "budget_exceeded",
        "detail": "The run took longer than its budget of 0.05 s. Raise budget_seconds.",
    }


def test_a_run_that_diverges_fails_with_the_place_and_the_mend(sqlite, submit, train):
    rows = [{"a": n, "y": n / 7} for n in range(40)]
    submit(
        sqlite,
        rows=rows,
        network={"layers": [{"type": "dense", "units": 1}]},
        optimizer={"type": "sgd", "learning_rate": 1e10},
    )
    row = train(sqlite)
    assert row.status == Status.FAILED
    assert row.error["type"] == "diverged"
    assert row.error["epoch"] >= 1
    assert row.error["step"] >= 1
    assert row.error["detail"].startswith("Training diverged in epoch ")
    assert row.error["detail"].endswith(
        "lower the learning rate, set clip_norm or look for extreme inputs."
    )


def test_a_split_that_leaves_a_class_out_of_training_is_no_failure(sqlite, submit, train):
    rows = [{"a": n, "y": "rare" if n == 7 else "low" if n % 2 else "high"} for n in range(20)]
    network = {"layers": [{"type": "dense", "units": 3}]}
    submit(sqlite, rows=rows, network=network, validation={"fraction": 0.5})
    assert train(sqlite).status == Status.SUCCEEDED


def test_data_that_cannot_be_used_fails_with_its_reason(sqlite, submit, train):
    rows = [{"a": 1e40 + n, "y": n % 2 == 0} for n in range(10)]
    submit(sqlite, rows=rows, features={"scale": "none"})
    row = train(sqlite)
    assert (row.status, row.error["type"]) == (Status.FAILED, "invalid_data")
    assert row.error["detail"] == "a value is too large for float32 after scaling"


def test_a_bug_is_told_as_one_without_its_secrets(sqlite, submit, train, monkeypatch):
    def broken(*_):
        raise RuntimeError("the password is oak")

    monkeypatch.setattr("worker.training.prepare", broken)
    submit(sqlite)
    row = train(sqlite)
    assert row.error == {
        "type": "crashed",
        "detail": "The run failed unexpectedly (RuntimeError); see the worker's log.",
    }


def test_a_job_that_wants_more_memory_than_it_may_have_fails_alone(sqlite, submit, train):
    wide = {"layers": [{"type": "dense", "units": 30_000}, {"type": "dense", "units": 2000}, DENSE]}
    submit(sqlite, network=wide)
    submit(sqlite)
    greedy = train(sqlite, max_job_bytes=100 * 2**20)
    assert (greedy.status, greedy.error["type"]) == (Status.FAILED, "out_of_memory")
    assert train(sqlite, max_job_bytes=100 * 2**20).status == Status.SUCCEEDED


def test_a_database_that_is_away_for_too_long_is_no_fault_of_the_job(
    sqlite, submit, train, monkeypatch
):
    def away(*_):
        raise OperationalError("SELECT 1", {}, Exception("the database is away"))

    submit(sqlite)
    with monkeypatch.context() as patch:
        patch.setattr("worker.training.prepare", away)
        row = train(sqlite)
    assert (row.status, row.error) == (Status.RUNNING, None)
    write(sqlite, expire, row.id)
    assert train(sqlite).status == Status.SUCCEEDED


def test_damaged_data_fails_the_job(sqlite, submit, train):
    submit(sqlite)
    with sqlite.writing() as session:
        session.execute(text("DELETE FROM blob_chunks"))
    row = train(sqlite)
    assert row.error["type"] == "invalid_data"
    assert "do not match their SHA-256" in row.error["detail"]


def test_figures_that_are_not_finite_are_left_out_rather_than_stored(database, submit, train):
    rows = [{"x": 1000 + n, "y": 1e152 * (n - 8)} for n in range(16)]
    far_off = {"type": "dense", "units": 1, "kernel_initializer": "ones"}
    submit(
        database,
        rows=rows,
        features={"scale": "none"},
        target_scale="standard",
        network={"layers": [far_off]},
        metrics=["mean_squared_error", "mean_absolute_error"],
        validation={"fraction": 0.25},
        epochs=1,
    )
    row = train(database)
    assert row.status == Status.SUCCEEDED, row.error
    found = [row.metrics, *(each.metrics for each in history_of(database, row))]
    assert all(math.isfinite(value) for each in found for value in each.values())
    assert "mean_absolute_error" in row.metrics
    json.dumps(found, allow_nan=False)


def test_progress_is_reported_while_a_run_goes_on(sqlite, submit, train):
    job_id = submit(sqlite, epochs=1_000_000)

    def seen():
        return read(sqlite, jobs.get, DEFAULT_TENANT, job_id).step > 0

    began = time.monotonic()
    row = train(sqlite, stopping=lambda: seen() or time.monotonic() - began > 60)
    assert row.step > 0
    assert np.isfinite(row.training_ms)
    assert write(sqlite, sweep, 3) == 1
