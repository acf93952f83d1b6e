"""The section on the job service, from what has been measured so far."""

from benchmarks.jobs import report
from benchmarks.jobs.figures import Goal, summary
from benchmarks.training.results import Results


def test_what_is_measured_is_told_with_its_verdict_and_the_rest_left_out(tmp_path):
    results = Results(tmp_path)
    posts = summary([1.0, 2.0, 9.0])
    rate = {"jobs": 200, "clients": 4, "per_second": [15.0, 19.5, 30.0], "post": posts}
    results.keep("jobs", "rate", rate)

    (goal,) = report.goals(results)
    assert (goal.value, goal.sign, goal.wanted, goal.met) == (19.5, ">=", 20, False)
    section = report.section(results)
    assert section.startswith("## The job service")
    assert "MISSED" in section
    assert "100,000" not in section


def test_a_goal_is_met_at_its_very_value():
    assert Goal("wait", 7.0, "s", "<=", 7).met
    assert not Goal("wait", 7.1, "s", "<=", 7).met


def test_samples_are_kept_as_their_percentiles():
    assert summary(range(1, 101)) == {"p50": 50, "p99": 99, "max": 100, "count": 100}
