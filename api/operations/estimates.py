"""The operation that asks what something would cost."""

from api.operations.base import Operation, answer, question
from api.shapes import ref

ESTIMATES = [
    Operation(
        id="estimate",
        method="POST",
        path="/estimate",
        tag="jobs",
        summary="What a call or map would take and cost",
        description="Nothing is submitted. It rests on the runs so far: of the same version of the function with the "
        "same options, or else of the function, the account, or everybody on the core type; `basis` says which.",
        body=question(ref("EstimateQuestion")),
        answers={200: answer("What is expected; `runs` is 0 when nothing like it has run yet.", ref("Estimate"))},
        errors=(
            *("bad_json", "too_large", "cut_off", "bad_submit", "bad_option", "unknown_option", "bad_label"),
            *("bad_jids", "too_many_jids", "bad_modules", "unknown_core_type", "cores_not_allowed"),
        ),
    ),
]
