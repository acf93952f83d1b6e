import pytest

from benchmarks.training import tasks
from benchmarks.training.processes import SideFailed
from benchmarks.training.results import Results
from benchmarks.training.tasks import Run, Task


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(tasks, "settled", lambda: 0.0)


def run_of(names, results, *, measure, identity="same", again=False, seconds=60.0):
    todo = [Task("steps", name, seconds, lambda name=name: measure(name)) for name in names]
    return Run(todo, results, identity, "abc1234", again)


def nothing(name):
    return {}


def test_the_plan_names_the_parts_with_their_minutes(tmp_path):
    run = run_of(["xor", "mlp"], Results(tmp_path), measure=nothing)

    lines = list(run.plan())

    assert lines[0].split() == ["steps", "2", "steps,", "about", "2.0", "minutes"]
    assert "together" in lines[-1]


def test_a_stopped_run_keeps_what_it_has_and_goes_on(tmp_path):
    results, measured = Results(tmp_path), []

    def stopped_at_mlp(name):
        if name == "mlp":
            raise KeyboardInterrupt
        return {"ours": name}

    with pytest.raises(KeyboardInterrupt):
        run_of(["xor", "mlp"], results, measure=stopped_at_mlp).carry_out(45, lambda: None)
    assert results.read("steps")["xor"]["ours"] == "xor"
    assert results.read("steps")["xor"]["state"] == "abc1234"

    def count(name):
        measured.append(name)
        return {}

    run_of(["xor", "mlp"], results, measure=count).carry_out(45, lambda: None)
    assert measured == ["mlp"]
    run_of(["xor", "mlp"], results, measure=count).carry_out(45, lambda: None)
    assert measured == ["mlp", "xor", "mlp"], "a run that has ended is no reason to skip anything"


@pytest.mark.parametrize("change", [{"identity": "other code"}, {"again": True}])
def test_other_code_or_again_begins_anew(tmp_path, change):
    results = Results(tmp_path)
    results.write(tasks.JOURNAL, {"identity": "same", "done": ["steps xor"], "finished": False})

    assert not run_of(["xor"], results, measure=dict).left
    assert run_of(["xor"], results, measure=dict, **change).left


def test_one_that_fails_loses_its_old_figure_and_stops_nobody(tmp_path):
    results = Results(tmp_path)
    results.keep("steps", "xor", {"ours": "old"})

    def fail_at_xor(name):
        if name == "xor":
            raise SideFailed("no room")
        return {}

    run = run_of(["xor", "mlp"], results, measure=fail_at_xor)
    assert run.carry_out(45, lambda: None) == []

    assert run.failed == {"steps xor": "no room"}
    assert list(results.read("steps")) == ["mlp"]
    assert [task.case for task in run_of(["xor", "mlp"], results, measure=dict).left] == ["xor"]


def test_what_does_not_fit_into_the_minutes_is_left_for_the_next_run(tmp_path):
    results = Results(tmp_path)

    late = run_of(["xor", "mlp"], results, measure=nothing, seconds=100).carry_out(
        1.0, lambda: None
    )

    assert [task.case for task in late] == ["xor", "mlp"]
    assert results.read("steps") == {}
