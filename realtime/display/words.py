"""Estimates in words."""

from datetime import timedelta

from common.money import format_dollars
from common.times import format_duration
from realtime.capacity.estimate import Basis, Range
from realtime.capacity.tags import Amount, Tag, Verdict

RESTS_ON: dict[Basis, str] = {
    Basis.CODE: "of this version of the function",
    Basis.FUNCTION: "of other versions of the function",
    Basis.ACCOUNT: "of other functions of yours",
    Basis.INSTALLATION: "of functions of others",
}


def plural(number: int, word: str) -> str:
    """1 run, 2 runs, 10,000 runs."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def seconds(value: float) -> str:
    return format_duration(timedelta(seconds=value))


def soon(value: float) -> str:
    """How far off something is, as far as that can be told: within a second, in about 12 s."""
    return "within a second" if value < 1 else f"in about {seconds_of(value)}"


def seconds_of(value: float) -> str:
    """A duration to the second: 12 s, 1 m 00 s."""
    whole = round(value)
    return f"{whole} s" if whole < 60 else seconds(whole)


def band(found: Range) -> str:
    """Bounds of a time: 2.9 s–5.8 s."""
    return f"{seconds(found.low)}–{seconds(found.high)}"


def hours(value: float) -> str:
    """Core-hours with enough digits that some never read as none."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 1e-4 else f"{value:.1e}"


def money_band(amount: Amount) -> str:
    return f"{format_dollars(amount.low)}–{format_dollars(amount.high)}"


def rests_on(runs: int, basis: Basis) -> str:
    """What an estimate rests on: 312 runs of this version of the function."""
    return f"{plural(runs, 'run')} {RESTS_ON[basis]}"


def sentence(tag: Tag) -> str:
    """The whole tag in one line."""
    found = tag.estimate
    each = f"{seconds(found.each.expected)} each ({band(found.each)}, from {rests_on(found.runs, found.basis)})"
    cores = f"{tag.core_type} × {tag.cores}" if tag.cores > 1 else tag.core_type
    cost = f"{hours(tag.core_hours.expected)} core-hours on {cores}, {format_dollars(tag.price.expected)}"
    if not tag.slots:
        over = "no core is there for it now"
    elif tag.elapsed is None:
        over = f"no machine here has the {tag.cores} cores that it needs"
    else:
        over = (
            f"done in about {seconds(tag.elapsed)} on the {plural(tag.slots, 'core')} there are, if nothing else runs"
        )
    return f"{plural(found.count, 'call')}: {each} → {cost} ({money_band(tag.price)}); {over}."


def verdict_words(verdict: Verdict) -> str:
    """How far off an expectation was: 4 % more than expected, which is within the bounds."""
    if verdict.percent == 0:
        return "as expected"
    more = "more" if verdict.percent > 0 else "less"
    beyond = "" if verdict.held else ", beyond the bounds"
    return f"{abs(verdict.percent):,} % {more}{beyond}"


NOTHING_KNOWN = "Nothing like it has run here yet, so nothing is known of what it takes: try one call first."
