import pytest

from benchmarks.training.__main__ import PARTS
from benchmarks.training.profiles import slowest
from benchmarks.training.report import report
from benchmarks.training.results import Results
from benchmarks.training.workloads import workloads

MACHINE = {
    **dict.fromkeys(("cpu", "system", "python", "numpy", "torch", "blas_kernel", "coretype"), "x"),
    "cores": 2,
    "memory_gib": 8.0,
    "threads": 2,
    "gemm_peak_gflops": {"1": 50.0, "2": 100.0},
}


def ours(train_ms=1.0, infer_ms=1.0):
    line = {"train_ms": train_ms, "infer_ms": infer_ms, "predict_ms": 1.0, "peak_rss_mib": 100.0}
    line |= {"shards": 2, "train_gflop": 0.1, "infer_gflop": 0.1, "gemm_peak_gflops": 100.0}
    return line


def torch(train_ms=2.0, infer_ms=2.0):
    return {"train_ms": train_ms, "infer_ms": infer_ms, "peak_rss_mib": 300.0}


def steps(results, name, torch_lines, busy=0.0, **times):
    stamp = {"busy": busy, "state": "abc1234", "day": "2030-01-01"}
    results.keep("steps", name, {**stamp, "ours": ours(**times), "torch": torch_lines})


def verdicts(text):
    """Verdict and figure of each row of the table of goals."""
    table = text.partition("### Goals\n")[2].partition("###")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line]
    return {row[0]: (row[2], row[3]) for row in rows[2:]}


def test_every_goal_has_a_row_before_anything_is_measured(tmp_path):
    found = verdicts(report(Results(tmp_path), list(PARTS)))

    assert {verdict for verdict, _ in found.values()} == {"not measured"}
    assert len(found) == 24


def test_without_the_other_side_ratios_are_not_measured(tmp_path):
    results = Results(tmp_path)
    for workload in workloads():
        steps(results, workload.name, {})

    found = verdicts(report(results, list(PARTS)))

    for word in ("training", "inference"):
        assert found[f"{word}: each workload"] == ("not measured", "")
        assert found[f"{word}: xor, digits_mlp"] == ("not measured", "")
        assert found[f"{word}: geometric mean"] == ("not measured", "")
    assert found["training: peak memory, of PyTorch's leanest mode"][0] == "not measured"
    assert found["share of the GEMM peak reported"][0] == "met"
    assert found["training: share of the GEMM peak, vgg"] == ("met", "100%")


def test_ratios_stand_against_the_fastest_mode_and_failed_ones_are_named(tmp_path):
    results = Results(tmp_path)
    slow = {"error": "compile took > 120 s"}
    modes = {"eager": torch(train_ms=9.0), "channels_last": torch(train_ms=0.5), "compile": slow}
    steps(results, "vgg", modes)
    steps(results, "lstm", {"eager": torch(infer_ms=3.0)})

    text = report(results, list(PARTS))

    verdict, words = verdicts(text)["training: each workload"]
    assert verdict == "MISSED"
    assert "vgg 0.50" in words
    assert "(2 of 11 measured)" in words
    assert "not measured: compile took > 120 s" in text
    assert slowest(results) == [("vgg", "train"), ("lstm", "train"), ("vgg", "infer")]


def test_verdicts_from_a_busy_machine_are_unsure(tmp_path):
    results = Results(tmp_path)
    steps(results, "vgg", {"eager": torch()}, busy=0.5)
    results.keep("machine", "here", MACHINE)

    text = report(results, list(PARTS))

    assert verdicts(text)["training: share of the GEMM peak, vgg"][0] == "met, unsure"
    assert "**others used the machine**" in text
    assert "code: commit abc1234, measured on 2030-01-01" in text


@pytest.mark.parametrize("written", [True, False])
def test_the_notes_say_why_or_the_report_asks_for_them(tmp_path, written):
    results, notes = Results(tmp_path / "results"), tmp_path / "notes.md"
    steps(results, "vgg", {"eager": torch(train_ms=0.5)})
    if written:
        notes.write_text("vgg waits for its poolings.\n", encoding="utf-8")

    why = report(results, list(PARTS), notes).partition("### Why\n\n")[2].partition("\n\n###")[0]

    assert why.startswith("vgg waits" if written else "Missed: ")
    assert written or "training: each workload" in why


def test_a_goal_of_all_workloads_is_not_met_by_some(tmp_path):
    results = Results(tmp_path)
    steps(results, "vgg", {"eager": torch()})

    some = verdicts(report(results, list(PARTS)))
    for workload in workloads():
        steps(results, workload.name, {"eager": torch(train_ms=5.0)})
    whole = verdicts(report(results, list(PARTS)))

    assert some["training: geometric mean"] == ("not measured", "2.00 (1 of 13 measured)")
    assert some["training: each workload"][0] == "not measured"
    assert some["training: peak memory, of PyTorch's leanest mode"][0] == "not measured"
    assert whole["training: geometric mean"] == ("met", "5.00")
    assert whole["training: each workload"] == ("met", "least 5.00")
    assert whole["training: peak memory, of PyTorch's leanest mode"] == ("met", "most 0.33")
