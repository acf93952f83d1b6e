"""The life of a stack: ready line, stop, crash, and what is left behind."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.service.supervisor.conftest import Start, all_gone
from tests.waiting import wait_until

SERVE = """
import os, time
print(os.getpid())
open(os.path.join(os.environ["FOLDER"], "served"), "w").close()
time.sleep(600)
"""
# Ends in order, and says when: the order of the lines is the order of the ends.
ORDERLY = """
import os, signal, sys, time
def end(*_):
    with open(os.path.join(os.environ["FOLDER"], "ends"), "a") as ends:
        ends.write("NAME\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print(os.getpid())
open(os.path.join(os.environ["FOLDER"], "NAME"), "w").close()
while True:
    time.sleep(600)
"""
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid())
open(os.path.join(os.environ["FOLDER"], "stubborn"), "w").close()
while True:
    time.sleep(600)
"""
WITH_GRANDCHILD = """
import os, time
print(os.getpid())
if os.fork() == 0:
    open(os.path.join(os.environ["FOLDER"], "forked"), "w").close()
time.sleep(600)
"""


def serving(code: str = SERVE, marker: str = "served") -> dict[str, str]:
    return {"code": code, "marker": marker}


def orderly(name: str) -> dict[str, str]:
    return serving(ORDERLY.replace("NAME", name), name)


def test_one_line_says_that_the_stack_is_ready(start: Start) -> None:
    stack = start({"first": serving()}, {"second": orderly("second")})
    stack.wait_for_ready()
    stack.send(signal.SIGTERM)
    assert stack.status() == 0
    assert stack.popen.stdout is not None
    assert stack.popen.stdout.read() == ""


def test_a_stage_starts_when_the_one_before_is_ready_and_its_task_done(start: Start) -> None:
    task = {
        "code": "import os; open(os.path.join(os.environ['FOLDER'], 'done'), 'w')",
        "once": True,
    }
    needs_both = (
        "import os, time; f = os.environ['FOLDER']; "
        "print(os.path.exists(f + '/done'), os.path.exists(f + '/served')); "
        "open(f + '/second', 'w'); time.sleep(600)"
    )
    stack = start({"first": serving(), "task": task}, {"second": serving(needs_both, "second")})
    stack.wait_for_ready()
    assert stack.log("second") == "True True\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_ends_everything_in_reverse_order(start: Start, number: signal.Signals) -> None:
    stack = start({"broker": orderly("broker")}, {"api": orderly("api")})
    stack.wait_for_ready()
    processes = stack.processes()
    stack.send(number)
    assert stack.status() == 0
    assert (stack.folder / "ends").read_text() == "api\nbroker\n"
    wait_until(lambda: all_gone(processes), 30, "nothing is left")


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(start: Start) -> None:
    stack = start({"stubborn": {**serving(STUBBORN, "stubborn"), "grace": 0.2}})
    stack.wait_for_ready()
    processes = stack.processes()
    stack.send(signal.SIGTERM)
    assert stack.status() == 0
    wait_until(lambda: all_gone(processes), 30, "nothing is left")


def test_a_second_signal_does_not_wait_for_the_grace(start: Start) -> None:
    stack = start({"stubborn": {**serving(STUBBORN, "stubborn"), "grace": 600}})
    stack.wait_for_ready()
    stack.send(signal.SIGINT)
    wait_until(lambda: "stopping" in stack.stderr, 30, "the first signal is seen")
    stack.send(signal.SIGINT)
    assert stack.status() == 0


def test_a_stop_ends_the_children_of_children(start: Start) -> None:
    stack = start({"parent": serving(WITH_GRANDCHILD, "forked")})
    stack.wait_for_ready()
    processes = stack.processes()
    assert len(processes) == 3  # the guard, the parent and its child
    stack.send(signal.SIGTERM)
    assert stack.status() == 0
    wait_until(lambda: all_gone(processes), 30, "nothing is left")


def test_nothing_survives_a_killed_supervisor(start: Start) -> None:
    stack = start({"parent": serving(WITH_GRANDCHILD, "forked"), "other": serving()})
    stack.wait_for_ready()
    processes = stack.processes()
    stack.send(signal.SIGKILL)
    stack.status()
    wait_until(lambda: all_gone(processes), 30, "nothing is left")


def command(process: psutil.Process) -> str:
    """Its command line; nothing once it has ended, which it may between two looks."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_nothing_survives_even_when_the_guard_was_killed_first(start: Start) -> None:
    stack = start({"parent": serving(WITH_GRANDCHILD, "forked")})
    stack.wait_for_ready()

    def guards() -> list[psutil.Process]:
        return [p for p in stack.processes() if "guard.py" in command(p)]

    (guard,) = guards()
    guard.kill()
    wait_until(lambda: guards() not in ([], [guard]), 30, "there is another guard")
    supervisor = psutil.Process(stack.popen.pid)
    wait_until(lambda: supervisor.status() == psutil.STATUS_SLEEPING, 30, "the guard was told")
    processes = stack.processes()
    stack.send(signal.SIGKILL)
    stack.status()
    wait_until(lambda: all_gone(processes), 30, "nothing is left")


def test_the_data_directory_is_free_after_a_kill(start: Start) -> None:
    killed = start({"parent": serving(WITH_GRANDCHILD, "forked")})
    killed.wait_for_ready()
    killed.send(signal.SIGKILL)
    killed.status()
    start({"parent": serving(WITH_GRANDCHILD, "forked")}).wait_for_ready()


def test_a_second_stack_on_the_same_directory_is_told_of_the_first(start: Start) -> None:
    first = start({"only": serving()})
    first.wait_for_ready()
    second = start({"only": serving()})
    assert second.status() == 2
    assert f"another `gradserve up` (process {first.popen.pid}) is running" in second.stderr
    assert "--data-dir" in second.stderr


def test_a_killed_child_is_started_again(start: Start) -> None:
    stack = start({"only": serving()})
    stack.wait_for_ready()
    first = stack.process("only")
    first.kill()
    wait_until(lambda: len(stack.log("only").split()) == 2, 30, "it is started again")
    assert stack.process("only").pid != first.pid
    assert "only was killed by SIGKILL; starting it again in 0.05 s" in stack.stderr


def test_the_children_of_a_crashed_child_end_before_it_is_started_again(start: Start) -> None:
    stack = start({"parent": serving(WITH_GRANDCHILD, "forked")})
    stack.wait_for_ready()
    leader = stack.process("parent")
    family = [leader, *leader.children()]
    assert len(family) == 2
    leader.kill()
    wait_until(lambda: all_gone(family), 30, "its child ends too")


def test_every_crash_in_a_row_doubles_the_wait(start: Start) -> None:
    crash = (
        "import os, sys, time; f = os.environ['FOLDER'] + '/served'; again = os.path.exists(f); "
        "again or print(os.getpid()); sys.exit(3) if again else open(f, 'w'); time.sleep(600)"
    )
    stack = start({"only": serving(crash)})
    stack.wait_for_ready()
    stack.process("only").kill()
    wait_until(
        lambda: "ended with status 3; starting it again in 0.2 s" in stack.stderr, 30, "it waits"
    )
    assert "again in 0.05 s" in stack.stderr
    assert "again in 0.1 s" in stack.stderr


def test_a_stack_that_restarts_a_child_can_be_stopped(start: Start) -> None:
    stack = start({"only": serving()})
    stack.wait_for_ready()
    stack.process("only").kill()
    wait_until(lambda: "starting it again" in stack.stderr, 30, "the crash is seen")
    stack.send(signal.SIGTERM)
    assert stack.status() == 0


def test_a_child_that_ends_before_it_is_ready_stops_the_start(start: Start) -> None:
    broken = {"code": "raise SystemExit('the reason')", "marker": "never"}
    stack = start({"broker": orderly("broker")}, {"api": broken})
    assert stack.status() == 1
    assert "api ended with status 1 before it was ready" in stack.stderr
    assert "the reason" in stack.stderr
    assert (stack.folder / "ends").read_text() == "broker\n"


def test_a_child_that_never_becomes_ready_stops_the_start(start: Start) -> None:
    stack = start({"slow": serving(SERVE, "never")}, start_seconds=0.5)
    assert stack.status() == 1
    assert "slow is not ready after 0.5 s (never is missing)" in stack.stderr


def test_a_task_that_fails_stops_the_start(start: Start) -> None:
    stack = start({"migrate": {"code": "raise SystemExit('no database')", "once": True}})
    assert stack.status() == 1
    assert "migrate ended with status 1" in stack.stderr
    assert "no database" in stack.stderr


def test_a_stop_while_starting_is_orderly(start: Start) -> None:
    stack = start({"broker": orderly("broker")}, {"slow": serving(SERVE, "never")})
    wait_until((stack.folder / "served").exists, 30, "the second stage starts")
    processes = stack.processes()
    stack.send(signal.SIGTERM)
    assert stack.status() == 0
    assert (stack.folder / "ends").read_text() == "broker\n"
    wait_until(lambda: all_gone(processes), 30, "nothing is left")


def test_children_lead_groups_of_their_own_so_that_ctrl_c_reaches_the_supervisor_alone(
    start: Start,
) -> None:
    stack = start({"only": serving()})
    stack.wait_for_ready()
    child = stack.process("only").pid
    assert os.getpgid(child) == child
    assert os.getsid(child) == child


def test_the_supervisor_stays_lean(start: Start) -> None:
    stack = start({"only": serving()})
    stack.wait_for_ready()
    assert psutil.Process(stack.popen.pid).memory_full_info().uss < 30 * 2**20
