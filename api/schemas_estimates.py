"""What travels when somebody asks what a call or map would cost, or why a job does not run yet."""

from django.conf import settings

from api.shapes import MONEY, Schema, array, moment, number, obj, or_null, text, whole
from jobs.services.submission import MAX_MODULES
from realtime.capacity.estimate import Basis
from realtime.selectors.waiting import Cause

_DIGEST = text("SHA-256.", pattern="^[0-9a-f]{64}$")

WAITING_FOR = or_null(
    obj(
        {
            "cause": text(enum=[cause.value for cause in Cause]),
            "sentence": text("For people."),
            "expected_start": or_null(moment("Where that can be told.")),
        },
        description="Why it does not run yet; null once it does.",
    )
)


def _range(value: Schema, description: str) -> Schema:
    """Null when nothing is known."""
    names = ("expected", "low", "high")
    return or_null(obj(dict.fromkeys(names, value), description=f"{description} Nine times of ten from low to high."))


def estimate_schemas(options: Schema) -> dict[str, Schema]:
    """The schemas by name; `options` are those of a submit."""
    return {
        "EstimateQuestion": obj(
            {
                "function": obj({"digest": _DIGEST, "name": text(), "module": text()}, optional=("name", "module")),
                "modules": {
                    **array(
                        obj({"digest": _DIGEST, "name": text(maxLength=200)}),
                        "Archives that would travel with it; null when that is not known.",
                        maxItems=MAX_MODULES,
                    ),
                    "type": ["array", "null"],
                },
                "options": options,
                "count": whole("Number of runs.", default=1, minimum=1, maximum=settings.MAX_MAP),
            },
            optional=("modules", "options", "count"),
            examples=[
                {
                    "function": {"digest": "9f86d081" * 8, "name": "encode", "module": "videos"},
                    "options": {"type": "c2"},
                    "count": 1000,
                }
            ],
        ),
        "Estimate": obj(
            {
                "count": whole(),
                "type": text(),
                "cores": whole(),
                "runs": whole("How many runs it rests on.", minimum=0),
                "basis": {
                    "description": "What those have in common with the ones to come; null when there are none.",
                    "enum": [*(basis.value for basis in Basis), None],
                },
                "seconds": _range(number(), "Run time of each."),
                "core_hours": _range(number(), "Of all together."),
                "price": _range(MONEY, "Of all together, at the prices of this moment."),
                "elapsed": or_null(
                    number(
                        "Seconds until all are over on the cores there are, if nothing else runs. Null when unknown."
                    )
                ),
                "words": text("All of it in a sentence."),
            }
        ),
    }
