from service.cli.events import Event, parse


def test_events_are_read_from_the_lines_of_a_stream() -> None:
    lines = [
        "event: status",
        "id: 1",
        'data: {"status": "running"}',
        "",
        ": still there",
        "",
        "id:2",
        "event:epoch",
        'data:{"epoch": 1,',
        'data: "loss": 0.5}',
        "",
    ]
    assert list(parse(lines)) == [
        Event("1", "status", {"status": "running"}),
        Event("2", "epoch", {"epoch": 1, "loss": 0.5}),
    ]


def test_an_event_that_a_broken_connection_cut_off_is_left_out() -> None:
    assert list(parse(["event: status", "id: 1", 'data: {"status"'])) == []
