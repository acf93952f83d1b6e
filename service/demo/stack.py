"""The stack that the demo drives: `gradserve up` as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.cli.failure import MISUSED
from service.supervisor.death_pact import death_pact

STOP_SECONDS = 30


@contextmanager
def running(data_dir: Path, port: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the stack, yield its address and process, and stop it in order."""
    command = [sys.executable, "-m", "service.cli", "up"]
    flags = ["--data-dir", str(data_dir), "--port", str(port)]
    with subprocess.Popen(
        [*command, *flags],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the demo, which then stops the stack in order
        preexec_fn=death_pact(signal.SIGTERM),  # noqa: PLW1509 - there is one thread
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("ready "):
                # The stack has said on stderr why it did not start.
                sys.exit(process.wait(STOP_SECONDS) or MISUSED)
            yield line.split()[1], process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
