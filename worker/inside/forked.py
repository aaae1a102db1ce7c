"""What the parent knows of the child that is running, and how it reads the child's reports."""

import json
import os
import signal
from contextlib import suppress
from itertools import starmap
from typing import NamedTuple

from worker.inside.frames import Buffer
from worker.inside.run import KINDS, MAGIC, OK, RAISED, REPORT, STREAMS, Pipes


class Report(NamedTuple):
    place: int
    kind: int
    blob: bytes
    error: str
    run_us: int
    user_us: int
    system_us: int
    peak: int


class Forked:
    """A running child: its process, the reading ends of its pipes, and how far it has come."""

    def __init__(self, *, pid: int, first: int, stop: int, pipes: Pipes) -> None:
        self.pid, self.first, self.stop = pid, first, stop
        self.readers: dict[str, int] = dict(zip((*STREAMS, "reports"), pipes.readers, strict=True))
        self.status: int | None = None
        self.buffer = bytearray()
        self.reported = first - 1
        self.announced = first - 1
        self.listen_at = 0.0  # when reports are read again
        self.kill_at: tuple[float, int] | None = None  # when SIGKILL follows, and for which item
        self.broken = ""

    def close(self, name: str) -> None:
        os.close(self.readers.pop(name))

    def take_reports(self, data: bytes) -> list[Report]:
        """The reports that are whole now. Anything else than a report marks the child as broken."""
        self.buffer += data
        reports: list[Report] = []
        offset = 0
        while not self.broken and len(self.buffer) - offset >= REPORT.size:
            magic, index, kind, size, error_size, *figures = REPORT.unpack_from(self.buffer, offset)
            if magic != MAGIC or not self.reported < index < self.stop or kind >= len(KINDS):
                self.broken = "The job wrote into the pipe that its runner listens on."
                break
            middle = offset + REPORT.size + size
            if len(self.buffer) < middle + error_size:
                break
            blob = bytes(self.buffer[offset + REPORT.size : middle])
            error = self.buffer[middle : middle + error_size].decode("utf-8", "replace")
            reports.append(Report(index, kind, blob, error, *figures))
            self.reported = index
            offset = middle + error_size
        del self.buffer[:offset]
        return reports


def outcomes_json(jobs: list[int], reports: list[Report]) -> str:
    return f"[{','.join(starmap(outcome_json, zip(jobs, reports, strict=True)))}]"


def outcome_json(job: int, report: Report) -> str:
    # Written by hand: json.dumps of a dict takes three times as long, ten thousand times a map.
    error = json.dumps(report.error) if report.error else '""'
    return (
        f'{{"job":{job},"ok":{"true" if report.kind == OK else "false"},"reason":"{KINDS[report.kind]}",'
        f'"size":{len(report.blob)},"exception":{"true" if report.kind in RAISED else "false"},"error":{error},'
        f'"run_ms":{report.run_us / 1000},"user_ms":{report.user_us / 1000},"system_ms":{report.system_us / 1000},'
        f'"max_rss":{report.peak}}}'
    )


def joined(reports: list[Report]) -> list[Buffer]:
    """The results one after another, without a copy when there is but one."""
    return [b"".join(report.blob for report in reports)] if len(reports) > 1 else [r.blob for r in reports]


def crash_of(code: int, *, stopped: bool) -> dict[str, object]:
    """Reason, error text and details of a child that ended without a report. `code` as of waitstatus_to_exitcode."""
    if code >= 0:
        text = f"The job's process ended with exit status {code} before the function returned."
        return {"reason": "exited", "error": text, "exit_code": code}
    name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
    text = f"The job's process was ended by {name} ({signal.strsignal(-code) or 'unknown'})."
    return {"reason": "crashed", "error": text, "signal": name, "stopped": stopped}


def signal_group(pid: int, number: int) -> None:
    for send in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            send(pid, number)
