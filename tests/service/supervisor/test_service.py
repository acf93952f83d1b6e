from service.supervisor.service import Pace


def test_the_wait_between_starts_doubles_up_to_a_limit() -> None:
    waits = [Pace().back_off(crashes) for crashes in (1, 2, 3, 7, 5000)]
    assert waits == [0.2, 0.4, 0.8, 10.0, 10.0]
