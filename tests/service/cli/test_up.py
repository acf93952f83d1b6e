"""`gradserve up` with the real broker, worker and API."""

from __future__ import annotations

import signal
from collections.abc import Callable

import httpx
import psutil
import pytest

from service.settings import Settings
from tests.service.cli.conftest import Up, run
from tests.service.supervisor.conftest import all_gone
from tests.waiting import wait_until

MEGABYTE = 2**20


def processes(stack: Up) -> list[psutil.Process]:
    return psutil.Process(stack.popen.pid).children(recursive=True)


def child(stack: Up, words: str) -> psutil.Process:
    """The supervisor's child whose command line has these words."""
    for process in psutil.Process(stack.popen.pid).children():
        if words in " ".join(process.cmdline()):
            return process
    raise AssertionError(f"no child has {words}")


def answers(stack: Up) -> bool:
    return httpx.get(f"{stack.url}/readyz", timeout=30).json()["status"] == "ready"


def test_the_stack_serves_and_stops_in_order(up: Callable[..., Up]) -> None:
    stack = up()
    wait_until(lambda: answers(stack), 30, "it is ready")
    everything = processes(stack)
    socket = Settings(data_dir=stack.data_dir).broker_socket
    assert socket.exists()
    assert stack.stop() == (0, "", "gradserve: stopping; a second signal stops at once\n")
    wait_until(lambda: all_gone(everything), 30, "nothing is left")
    assert not socket.parent.exists()


def test_nothing_survives_a_killed_stack_and_it_starts_again(up: Callable[..., Up]) -> None:
    stack = up()
    everything = processes(stack)
    stack.stop(signal.SIGKILL)
    wait_until(lambda: all_gone(everything), 30, "nothing is left")
    again = up()
    wait_until(lambda: answers(again), 30, "it is ready")


@pytest.mark.parametrize("words", ["service.cli.serve", "-m worker", "valkey-server"])
def test_a_killed_process_comes_back(stack: Up, words: str) -> None:
    killed = child(stack, words)
    killed.kill()
    wait_until(lambda: is_back(stack, words, killed), 30, f"{words} is started again")
    wait_until(lambda: answers(stack), 60, "the stack is ready again")


def is_back(stack: Up, words: str, killed: psutil.Process) -> bool:
    try:
        return child(stack, words).pid != killed.pid
    except (AssertionError, psutil.Error):
        return False


def test_a_second_stack_on_the_same_data_is_refused(stack: Up) -> None:
    finished = run("up", "--port", 0, "--data-dir", stack.data_dir)
    assert finished.returncode == 2
    assert finished.stderr.startswith(
        f"gradserve: another `gradserve up` (process {stack.popen.pid}) is running"
    )


def test_a_host_that_others_reach_is_warned_about(up: Callable[..., Up]) -> None:
    stack = up("--host", "0.0.0.0")
    assert stack.ready_line.startswith("ready http://0.0.0.0:")
    _, _, stderr = stack.stop()
    assert stderr.startswith("gradserve: warning: there is no authentication")


def test_the_idle_stack_is_small(stack: Up) -> None:
    wait_until(lambda: answers(stack), 30, "it is ready")
    supervisor = psutil.Process(stack.popen.pid)
    sizes = {p: p.memory_full_info().uss for p in (supervisor, *processes(stack))}
    assert sizes[supervisor] < 25 * MEGABYTE
    shown = {" ".join(p.cmdline())[-60:]: size // MEGABYTE for p, size in sizes.items()}
    assert sum(sizes.values()) < 350 * MEGABYTE, shown
