import socket

import pytest

from service.supervisor import listener
from service.supervisor.problem import StartProblem


def test_port_0_takes_a_free_one_and_the_address_names_it() -> None:
    with listener.listen("127.0.0.1", 0) as opened:
        port = opened.getsockname()[1]
        assert listener.url("127.0.0.1", opened) == f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_port_in_use_is_refused_with_the_mend() -> None:
    with listener.listen("127.0.0.1", 0) as opened:
        port = opened.getsockname()[1]
        with pytest.raises(StartProblem) as problem:
            listener.listen("127.0.0.1", port)
    assert str(problem.value) == (
        f"port {port} is already in use; stop the other program or choose another with --port"
    )


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1"])
def test_a_host_that_is_not_this_machine_is_refused(host: str) -> None:
    with pytest.raises(StartProblem, match="choose another with --host"):
        listener.listen(host, 0)


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.5", False),
        ("example.org", False),
    ],
)
def test_only_loopback_addresses_are_this_machine_alone(host: str, alone: bool) -> None:
    assert listener.is_loopback(host) is alone


def test_an_address_for_all_interfaces_is_reached_over_loopback() -> None:
    with listener.listen("0.0.0.0", 0) as opened:
        assert listener.reachable(opened) == ("127.0.0.1", opened.getsockname()[1])
