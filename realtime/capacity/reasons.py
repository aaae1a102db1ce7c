"""Why the autoscaler decides as it does, in sentences."""

from datetime import timedelta

from common.times import format_duration
from realtime.capacity.need import Need, Stock
from realtime.capacity.snapshot import Rules


def some(number: int, word: str) -> str:
    """1 core, 2 cores."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def are(number: int, word: str) -> str:
    """1 core is, 2 cores are; of "more" and of nothing the number alone changes."""
    counted = f"{number:,} {word}".strip() if word in ("", "more") else some(number, word)
    return f"{counted} is" if number == 1 else f"{counted} are"


def lasting(seconds: float) -> str:
    return format_duration(timedelta(seconds=seconds))


class Reasons:
    """Collects the sentences of one plan, in the order in which a person would think."""

    def __init__(self, core_type: str, rules: Rules) -> None:
        self._core_type = core_type
        self._rules = rules
        self._said: list[str] = []

    def sentences(self) -> tuple[str, ...]:
        return tuple(self._said)

    def _say(self, sentence: str) -> None:
        self._said.append(sentence)

    def need(self, need: Need, stock: Stock, *, most: int) -> None:
        """What cores are needed for, and how many there are."""
        self._standard(need)
        if need.too_large:
            self._say(
                f"A job asks for {some(need.too_large, 'core')} at once, and a machine for {self._core_type} has "
                f"{most}: it stays in the queue until there is a larger one."
            )
        if need.expected or need.expected_later:
            self._say(
                f"Crons and usual load will need {need.expected:.2f} cores when a new machine could be ready, and need "
                f"{need.expected_later:.2f} on average over the next {lasting(self._rules.increment)}."
            )
        if need.reserved:
            self._say(f"{are(need.reserved, 'core')} reserved.")
        boots = f", {are(stock.booting, 'more')} booting and ready in about {lasting(stock.boot_left)}"
        wanted = f"{are(need.wanted, '')} wanted" if need.wanted else "none is wanted"
        self._say(f"{are(stock.there, 'core')} there{boots if stock.booting else ''}; {wanted}.")

    def _standard(self, need: Need) -> None:
        if need.queued:
            self._say(
                f"{some(need.queued, 'queued job')} and what runs have {lasting(need.work)} of work left; with "
                f"{lasting(self._rules.worthwhile)} for each core that is worth {some(need.standard, 'core')}."
            )
        elif need.work:
            self._say(f"Nothing is queued; what runs has {lasting(need.work)} of work left.")
        elif not need.too_large:
            self._say("Nothing is queued or running.")

    def nothing_to_rent(self, lacking: int) -> None:
        self._say(
            f"{some(lacking, 'core')} more would be busy, and no machine can be rented for {self._core_type}: capacity "
            "stays as it is."
        )

    def start(self, started: int, asked: int, slots: int) -> None:
        if started:
            self._say(f"{are(started, 'machine')} started, of {some(slots, 'core')}{' each' if started > 1 else ''}.")
        if started < asked:
            self._say(
                f"{some(asked - started, 'machine')} more would be started, but the limit is "
                f"{some(self._rules.max_machines, 'machine')}."
            )

    def drain(self, number: int) -> None:
        if number:
            self._say(f"{are(number, 'idle machine')} given back, because the time that is paid ends.")
