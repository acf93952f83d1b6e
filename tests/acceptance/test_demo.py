"""`gradserve demo`, as `make demo ARGS=--exit` runs it: the first time and once more."""

import re
import subprocess
import sys
from pathlib import Path

GRADSERVE = (sys.executable, "-m", "service.cli")


def run_demo(data_dir: Path) -> str:
    finished = subprocess.run(
        [*GRADSERVE, "demo", "--data-dir", str(data_dir), "--port", "0", "--exit"],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        stdin=subprocess.DEVNULL,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_demo_trains_predicts_and_reuses_what_is_there(tmp_path: Path):
    first = run_demo(tmp_path)
    accuracy = re.search(r"Test accuracy: (0\.\d+)", first)
    assert accuracy is not None
    assert float(accuracy[1]) >= 0.94
    assert "1 xor 0 = 1" in first
    assert "/docs" in first
    assert max(map(len, first.splitlines())) <= 80

    second = run_demo(tmp_path)
    uploaded = re.findall(r"as (ds_\w+)", first + second)
    assert len(uploaded) == 2
    assert uploaded[0] == uploaded[1]
