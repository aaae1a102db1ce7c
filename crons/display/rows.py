"""Lines of the list of crons."""

from collections.abc import Iterable
from dataclasses import dataclass

from crons.display.looks import look_of_cron, look_of_run
from crons.display.strip import Strip, strip_of
from crons.models import Cron, CronRun
from crons.selectors import CronLine, Price
from jobs.display.looks import Look


@dataclass(frozen=True)
class Row:
    """What a line shows of one cron. `last` is its newest run."""

    cron: Cron
    look: Look
    words: str
    strip: Strip
    last: CronRun | None
    last_look: Look | None
    price: Price


def row_of(line: CronLine) -> Row:
    last = line.last_run
    return Row(
        cron=line.cron,
        look=look_of_cron(line.cron),
        words=line.schedule.words,
        strip=strip_of(line.runs),
        last=last,
        last_look=look_of_run(last) if last else None,
        price=line.price,
    )


def rows_of(lines: Iterable[CronLine]) -> list[Row]:
    return [row_of(line) for line in lines]
