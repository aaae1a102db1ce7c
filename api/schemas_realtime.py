"""What travels about reserved cores."""

from api.shapes import MONEY, Schema, array, moment, obj, or_null, text, whole
from realtime.pricing import Rule
from realtime.states import EndReason, State
from realtime.terms import MOST_CORES

CORES = whole("Number of cores.", minimum=1, maximum=MOST_CORES)
HOURS = or_null(whole("Hours of being ready after which it ends by itself; null: when it is released.", minimum=1))
KEPT = obj(
    {
        "hours": whole("Of the last 30 days."),
        "with": {**MONEY, "description": "Dollars of these hours with the cores."},
        "without": {**MONEY, "description": "Dollars of these hours without."},
    }
)
WINDOW = {
    "type": text("Code of a core type."),
    "cores": CORES,
    "weekdays": array(whole(minimum=0, maximum=6), "Days on which it begins; Monday is 0.", minItems=1, maxItems=7),
    "begins": text("Time of day, as 09:00."),
    "ends": text("Time of day; on the next day when it is not after the beginning."),
    "timezone": text("IANA name of the zone whose wall clock is meant.", default="UTC"),
}

REALTIME: dict[str, Schema] = {
    "CoresQuestion": obj(
        {
            "type": text("Code of a core type."),
            "cores": CORES,
            "max_hours": HOURS,
            "starts_at": or_null(moment("Not ready before; null or left out: as soon as can be.")),
            "request_key": or_null(text("Makes a request that is sent again harmless.", minLength=8, maxLength=64)),
        },
        optional=("max_hours", "starts_at", "request_key"),
        additionalProperties=False,
        examples=[{"type": "c1", "cores": 80, "max_hours": 3}],
    ),
    "Reservation": obj(
        {
            "request_id": whole("Counts from 1 in each account.", minimum=1),
            "type": text("Code of the core type."),
            "cores": CORES,
            "state": text(enum=State.values),
            "start_time": or_null(moment("When the cores stood ready; null until then.")),
            "requested": moment(),
            "not_before": moment("The start that was asked for."),
            "max_hours": HOURS,
            "ends_by": or_null(moment("When it ends by itself, as far as one knows.")),
            "ended": or_null(moment()),
            "end_reason": or_null(text(enum=[*filter(None, EndReason.values), None])),
            "note": or_null(text("Why cores are missing, or why it was ended.")),
            "expected": or_null(moment("When the missing cores are to be expected; null when nobody knows.")),
            "window": or_null(whole("Number of the window that made it.")),
            "busy_cores": whole("Of its cores, those that run something now."),
            "per_hour": {**MONEY, "description": "Dollars of an hour of all its cores."},
            "used": {**MONEY, "description": "Dollars of what ran in its hours, as far as counted."},
            "paid": {**MONEY, "description": "The same, and what the hours add to it."},
            "counted": or_null(moment("When these were counted.")),
        }
    ),
    "WindowQuestion": obj(WINDOW, optional=("timezone",), additionalProperties=False),
    "Window": obj(
        {
            "window_id": whole("Counts from 1 in each account.", minimum=1),
            **WINDOW,
            "words": text("The same for people."),
            "next": or_null(moment("Start of the next reservation that it makes.")),
        }
    ),
    "CoresQuote": obj(
        {
            "type": text("Code of the core type."),
            "cores": CORES,
            "rule": text(enum=[rule.value for rule in Rule]),
            "dollars_per_reserved_core_hour": MONEY,
            "dollars_per_core_hour": {**MONEY, "description": "Of what runs."},
            "per_hour": {**MONEY, "description": "Of all the cores."},
            "in_all": or_null({**MONEY, "description": "Of the hours that were asked for."}),
            "last_30_days": obj(
                {
                    "kept_always": KEPT,
                    "kept_while_used": KEPT,
                    "break_even_always": whole("Cores that would have cost nothing more in any hour."),
                    "break_even_mostly": whole("Cores that would not have in half of the hours with jobs."),
                }
            ),
        }
    ),
}
