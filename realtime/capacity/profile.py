"""What an account that submits by habit will bring in an hour, from what it brought in hours like it."""

from collections.abc import Sequence

# Of what came one week or one day further back, so much less counts.
DECAY = 0.7
# A habit is what came in most of the weeks or days, by these weights, and at least so often.
HABIT = 0.6
LEAST = 3
DAYS_OF_WEEK = 7


def habitual_load(weeks: Sequence[float], days: Sequence[float]) -> float:
    """The load to expect: 0 where there is no habit.

    `weeks` is the load in this hour of the week, in each week back from the last one for as long as the account is
    known; `days` is that in this hour of the day.
    """
    if _is_habit(weeks):
        return _mean(weeks)
    if _is_habit(days) and not _pauses_today(weeks, days):
        return _mean(days)
    return 0.0


def _is_habit(loads: Sequence[float]) -> bool:
    came = [1.0 if load > 0 else 0.0 for load in loads]
    return sum(came) >= LEAST and _mean(came) >= HABIT


def _pauses_today(weeks: Sequence[float], days: Sequence[float]) -> bool:
    """Whether nothing came on this day of last week, though it had come on the day before: as on a Saturday."""
    return len(days) > DAYS_OF_WEEK and not weeks[0] and days[DAYS_OF_WEEK] > 0


def _mean(values: Sequence[float]) -> float:
    """With weights that fall with the time gone by."""
    weights = [DECAY**place for place in range(len(values))]
    return sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)
