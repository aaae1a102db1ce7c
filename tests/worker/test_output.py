"""What is kept of what a job prints."""

from worker.output import HEAD, TAIL, JobOutput, storable


def test_short_output_is_kept_whole() -> None:
    output = JobOutput(1)
    output.add("stdout", "grüß ".encode()[:3])
    output.add("stdout", "grüß ".encode()[3:])
    (log,) = output.kept()
    assert (log.stream, log.head, log.tail, log.dropped) == ("stdout", "grüß ", "", 0)


def test_flood_keeps_its_beginning_and_end() -> None:
    output = JobOutput(1)
    output.add("stdout", b"first")
    for _ in range(100):
        output.add("stdout", bytes([65]) * 65_536)
    output.add("stdout", b"last")
    (log,) = output.kept()
    assert log.head.startswith("first")
    assert log.tail.endswith("last")
    assert log.dropped == 9 + 100 * 65_536 - HEAD - TAIL


def test_streams_are_apart() -> None:
    output = JobOutput(1)
    output.add("stdout", b"out")
    output.add("stderr", b"err")
    assert {log.stream: log.head for log in output.kept()} == {"stdout": "out", "stderr": "err"}


def test_what_no_database_takes_is_made_visible() -> None:
    assert storable("a\0b\ud800") == "a\N{SYMBOL FOR NULL}b?"


def test_invalid_utf8_is_escaped() -> None:
    output = JobOutput(1)
    output.add("stdout", b"\xff\xfe")
    assert output.kept()[0].head == "\\xff\\xfe"
