import json

import pytest

from benchmarks.training.__main__ import main
from benchmarks.training.results import Results
from benchmarks.training.workloads import inference_flops, training_flops, workloads


def test_the_harness_times_xor_and_writes_the_report(tmp_path, monkeypatch, capsys):
    document = tmp_path / "RESULTS.md"
    command = ["--ours", "--parts", "steps", "--only", "xor", "--seconds", "0.05", "--rounds", "1"]
    command += ["--results", str(tmp_path / "results"), "--write", str(document)]
    monkeypatch.setattr("sys.argv", ["bench", *command])

    assert main() == 0, capsys.readouterr().err

    found = Results(tmp_path / "results").read("steps")["xor"]["ours"]
    assert found["parameters"] == 13
    assert {"train_ms", "infer_ms", "peak_rss_mib", "shards"} <= found.keys()
    assert "| xor " in document.read_text(encoding="utf-8")


def test_a_part_measured_again_leaves_the_others(tmp_path):
    results = Results(tmp_path)
    results.keep("steps", "xor", {"ours": 1})
    results.keep("steps", "lenet", {"ours": 2})
    results.keep("steps", "xor", {"ours": 3})

    assert results.read("steps") == {"xor": {"ours": 3}, "lenet": {"ours": 2}}
    assert results.read("cores") == {}


def test_without_pytorch_the_command_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TORCH_PYTHON", str(tmp_path / "python"))
    monkeypatch.setattr("sys.argv", ["bench", "--results", str(tmp_path)])

    assert main() == 1
    assert "make bench-torch-env" in capsys.readouterr().err


def test_an_unknown_workload_is_named_beside_the_known_ones():
    with pytest.raises(ValueError, match="no workload 'lenet5'; known: xor, digits_mlp"):
        workloads(["lenet5"])


def test_operations_are_those_of_the_products():
    (mlp,) = workloads(["mlp"])
    layers = [784 * 512, 512 * 256, 256 * 10]

    assert inference_flops(mlp.network) == 2 * sum(layers)
    assert training_flops(mlp.network) == 6 * sum(layers) - 2 * layers[0]


@pytest.mark.parametrize("name", [workload.name for workload in workloads()])
def test_every_workload_has_examples_that_its_network_takes(name):
    (workload,) = workloads([name])
    x, y = workload.examples(2)

    assert json.dumps(workload.document)
    assert x.shape[1:] == workload.network.input_shape
    assert len(y) == 2
