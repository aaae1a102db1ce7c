"""One line on a terminal's stderr that tells how far a long wait has come, and is gone afterwards."""

import shutil
import sys
import time
from types import TracebackType
from typing import Self

from cloud._config import config, running_on_cloud
from cloud._jids import Ranges, count

_QUIET_SECONDS = 0.5
_BAR = 24


class Line:
    """A line that is written over again and again, at most ten times a second; nothing when stderr is no terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.is_shown = not quiet and config.progress and not running_on_cloud() and is_terminal()
        self._started = time.monotonic()
        self._written = 0.0
        self._dirty = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._dirty:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def draw(self, done: float, text: str) -> None:
        """Show a bar of the share done, and a text."""
        now = time.monotonic()
        if not self.is_shown or now - self._started < _QUIET_SECONDS or now - self._written < 0.1:
            return
        self._written, self._dirty = now, True
        filled = round(_BAR * done)
        line = f"[{'█' * filled}{'·' * (_BAR - filled)}] {text}  {_clock(now - self._started)}"
        sys.stderr.write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        sys.stderr.flush()


class Progress(Line):
    """The line of a wait for jobs: how many are finished, and how many stand in each status."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet or total < 2)
        self._total = total

    def update(self, counts: dict[str, int], pending: Ranges) -> None:
        """Show how many are finished, and the counts by status of those that were asked about last."""
        done = self._total - count(pending)
        shown = ", ".join(f"{count} {status}" for status, count in counts.items() if count and status != "done")
        self.draw(done / self._total, f"{done}/{self._total} finished{', ' if shown else ''}{shown}")


def is_terminal() -> bool:
    """Whether somebody looks at what is written to stderr."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
