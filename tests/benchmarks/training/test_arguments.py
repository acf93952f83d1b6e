import subprocess
import sys

import pytest

from benchmarks.training import processes, state
from benchmarks.training.__main__ import main


def refused(arguments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    with pytest.raises(SystemExit):
        main()
    return capsys.readouterr().err


def test_lists_apart_are_told_to_take_commas(monkeypatch, capsys):
    said = refused(["--modes", "eager", "compile"], monkeypatch, capsys)

    assert "lists are one argument with commas: --modes eager,compile" in said


@pytest.mark.parametrize(
    ("option", "known"),
    [("--modes", "eager, channels_last, compile"), ("--parts", "steps, "), ("--only", "xor, ")],
)
def test_unknown_names_stand_beside_the_known_ones(option, known, monkeypatch, capsys):
    said = refused([option, "eagre"], monkeypatch, capsys)

    assert "'eagre'; known: " in said
    assert known in said


def test_a_case_that_the_parts_do_not_have_is_no_silent_success(monkeypatch, capsys, tmp_path):
    told = ["--ours", "--parts", "characters", "--only", "lenet", "--results", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["bench", *told, "--write", str(tmp_path / "page.md")])

    assert main() == 1
    assert "leaves nothing of the parts characters" in capsys.readouterr().err


def test_a_process_that_takes_too_long_is_stopped(tmp_path):
    script = tmp_path / "sleeps.py"
    script.write_text("import threading; threading.Event().wait()", encoding="utf-8")

    with pytest.raises(processes.TookTooLong, match="took > 0.5 s"):
        processes.theirs(sys.executable, str(script), threads=1, limit=0.5)


def test_the_state_of_the_code_counts_changes_but_not_results(monkeypatch, tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
        subprocess.run(["git", *identity, *arguments], check=True, cwd=tmp_path)

    monkeypatch.setattr(state, "ROOT", tmp_path)
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "code.py").write_text("x = 1\n", encoding="utf-8")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "First")

    (tmp_path / "benchmarks" / "results" / "steps.json").write_text("{}", encoding="utf-8")
    (tmp_path / "benchmarks" / "RESULTS.md").write_text("# Benchmarks\n", encoding="utf-8")
    clean = state.state()
    (tmp_path / "code.py").write_text("x = 2\n", encoding="utf-8")

    assert "changes" not in clean
    assert state.state().startswith(f"{clean} with changes")
