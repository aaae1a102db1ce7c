"""What jobs are expected to take, from the run times that were learned."""

from collections.abc import Iterable, Mapping

from common.sql import fetch_all
from realtime.capacity.estimate import Basis, Estimate, estimate
from realtime.capacity.stats import Stats
from realtime.keys import Key, Likeness

# In one statement; both databases take far more parameters than these have.
KEYS_AT_ONCE = 1_000


def stats_of(keys: Iterable[Key]) -> dict[Key, Stats]:
    """What is known by these keys; those of which nothing is known are left out."""
    wanted = sorted(set(keys))
    found: dict[Key, Stats] = {}
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        part = wanted[start : start + KEYS_AT_ONCE]
        marks = ", ".join(["(%s, %s, %s, %s, %s)"] * len(part))
        rows = fetch_all(
            f"""
            SELECT account_id, function_id, version, core_type_id, cores, n, mean, m2 FROM realtime_runtime
            WHERE (account_id, function_id, version, core_type_id, cores) IN (VALUES {marks})
            """,
            [value for key in part for value in key],
        )
        found |= {Key(*row[:5]): Stats(*row[5:]) for row in rows}
    return found


def known_of(likeness: Likeness, known: Mapping[Key, Stats]) -> tuple[Basis, Stats] | None:
    """The finest of what is known of jobs like these."""
    for basis, key in likeness.keys().items():
        if key in known:
            return basis, known[key]
    return None


def estimates_of(alike: Mapping[int, Likeness], *, counts: Mapping[int, int] | None = None) -> dict[int, Estimate]:
    """What so many runs take, by the numbers of the likenesses; nothing where nothing is known."""
    known = stats_of(key for likeness in alike.values() for key in likeness.keys().values())
    found = {}
    for number, likeness in alike.items():
        best = known_of(likeness, known)
        if best is not None:
            found[number] = estimate(best[1], best[0], count=(counts or {}).get(number, 1))
    return found
