"""The kept output of a job, made ready for a page and for a file."""

from dataclasses import dataclass

from common.text import terminal_text
from jobs.models import JobLog


@dataclass(frozen=True)
class Output:
    """One stream: its beginning and end as plain text, and how many bytes lie between."""

    stream: str
    head: str
    tail: str = ""
    dropped: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.head or self.tail)


def output_of(stream: str, log: JobLog | None, live: str = "") -> Output:
    """What a page shows of a stream: the kept log, or the live tail of a job that still runs."""
    if log is None:
        return Output(stream, terminal_text(live))
    return Output(stream, terminal_text(log.head), terminal_text(log.tail), log.dropped)


def as_file(log: JobLog) -> str:
    """The stream as it was kept, with a line where something is left out."""
    if not log.dropped:
        return log.head + log.tail
    return f"{log.head}\n[... {log.dropped} bytes were left out here ...]\n{log.tail}"
