"""Operations on crons."""

from api.operations.base import Operation, answer, content, in_path, in_query, question
from api.operations.jobs import SUBMIT_ERRORS
from api.shapes import array, flag, obj, or_null, ref, text, whole
from common.packs import CONTENT_TYPE as PACK
from crons.models import MAX_LABEL

LABEL = in_path("label", text(maxLength=MAX_LABEL), "Label of a cron of the account, percent-encoded.")
TERM_ERRORS = ("bad_schedule", "unknown_zone", "bad_option")
# Of what a submit can be refused for, all but what a single call that waits for nothing cannot have.
REGISTER_ERRORS = tuple(
    code
    for code in SUBMIT_ERRORS
    if code not in ("map_too_large", "submit_unknown", "submit_differs", "job_unknown", "bad_option")
)

CRONS = [
    Operation(
        id="listCrons",
        method="GET",
        path="/crons",
        tag="crons",
        summary="List crons by label",
        parameters=(
            in_query("text", text(), "Only crons with this in their label or the name of their function."),
            in_query("after", text(), "Go on after this label: `next` of the page before."),
            in_query("limit", whole(minimum=1, maximum=200, default=50), "Crons in one answer."),
        ),
        answers={
            200: answer(
                "A page of crons.",
                obj({"crons": array(ref("Cron")), "next": or_null(text("Pass it as `after` for the next page."))}),
            )
        },
        errors=("bad_number", "bad_request"),
    ),
    Operation(
        id="registerCron",
        method="POST",
        path="/crons",
        tag="crons",
        summary="Let a function run by a schedule",
        description="A cron of the same label is replaced, and keeps its history. A repeated request gets the answer "
        "of the first.",
        body={
            "required": True,
            "content": content(
                PACK, {"description": "A pack whose header is a `CronHeader`."}, **{"x-header": ref("CronHeader")}
            ),
        },
        answers={
            201: answer("Registered.", ref("Cron")),
            200: answer("It replaced the cron of this label.", ref("Cron")),
        },
        errors=(*REGISTER_ERRORS, *TERM_ERRORS, "too_many_crons"),
    ),
    Operation(
        id="getCron",
        method="GET",
        path="/crons/{label}",
        tag="crons",
        summary="Everything about one cron",
        parameters=(LABEL,),
        answers={200: answer("The cron.", ref("Cron"))},
        errors=("cron_unknown",),
    ),
    Operation(
        id="changeCron",
        method="PATCH",
        path="/crons/{label}",
        tag="crons",
        summary="Change when and how a cron runs, pause and resume it",
        description="What is left out stays as it is. Nothing is changed when a part is refused.",
        parameters=(LABEL,),
        body=question(
            obj(
                {
                    "schedule": ref("Schedule"),
                    "timezone": text("IANA name."),
                    "paused": flag(),
                    "overlap": text(enum=["allow", "skip", "replace"]),
                    "catch_up": text(enum=["last", "none", "all"]),
                    "start_grace_s": whole("Seconds.", minimum=1),
                    "alerts": flag("Whether changes of its state are mailed."),
                },
                optional=("schedule", "timezone", "paused", "overlap", "catch_up", "start_grace_s", "alerts"),
                additionalProperties=False,
            )
        ),
        answers={200: answer("The cron as it is now.", ref("Cron"))},
        errors=("bad_json", "too_large", "cut_off", "cron_unknown", "unknown_option", *TERM_ERRORS),
    ),
    Operation(
        id="removeCron",
        method="DELETE",
        path="/crons/{label}",
        tag="crons",
        summary="Remove a cron with its history",
        description="Its jobs stay, and what is running goes on.",
        parameters=(LABEL,),
        answers={204: {"description": "Removed."}},
        errors=("cron_unknown",),
    ),
    Operation(
        id="runCron",
        method="POST",
        path="/crons/{label}/run",
        tag="crons",
        summary="Run a cron now, outside of its schedule",
        parameters=(LABEL,),
        answers={201: answer("The job.", ref("Submitted"))},
        errors=("cron_unknown", "disk_full"),
    ),
    Operation(
        id="listRuns",
        method="GET",
        path="/crons/{label}/runs",
        tag="crons",
        summary="History of a cron, newest first",
        parameters=(
            LABEL,
            in_query("before", whole(), "Go on before this run: `next` of the page before."),
            in_query("limit", whole(minimum=1, maximum=200, default=50), "Runs in one answer."),
        ),
        answers={
            200: answer(
                "A page of runs.",
                obj({"runs": array(ref("Run")), "next": or_null(whole("Pass it as `before` for the next page."))}),
            )
        },
        errors=("cron_unknown", "run_unknown", "bad_number", "bad_request"),
    ),
    Operation(
        id="previewSchedule",
        method="POST",
        path="/schedule",
        tag="crons",
        summary="What a schedule means, and when it would fire",
        body=question(
            obj({"schedule": ref("Schedule"), "timezone": text("IANA name.", default="UTC")}, optional=("timezone",))
        ),
        answers={200: answer("It would be accepted.", ref("Preview"))},
        errors=("bad_json", "too_large", "cut_off", "bad_schedule", "unknown_zone"),
    ),
]
