"""Operations on jobs."""

from api.operations.base import JID, Operation, answer, content, in_query, pack, question, raw
from api.schemas import SUBMIT_EXAMPLE
from api.shapes import array, mapping, obj, or_null, ref, text, whole
from common.packs import CONTENT_TYPE as PACK
from jobs.states import Status

JIDS = ("bad_json", "too_large", "bad_jids", "too_many_jids", "job_unknown")
DAY = text(format="date")
SUBMIT_ERRORS = (
    *("bad_pack", "bad_submit", "bad_option", "unknown_option", "bad_label", "bad_jids", "too_many_jids"),
    *("payload_too_large", "map_too_large", "unknown_core_type", "cores_not_allowed", "python_version", "bad_digest"),
    *("bad_modules", "modules_unknown"),
    *("cut_off", "job_unknown", "function_unknown", "submit_unknown", "submit_differs", "environment_unknown"),
    *("too_large", "restarting", "disk_full"),
)

JOBS = [
    Operation(
        id="submit",
        method="POST",
        path="/jobs",
        tag="jobs",
        summary="Submit a call or a map",
        description="A long map is sent in several requests with the same idempotency key, `total` and options; the "
        "first of them reserves the jids of all. A repeated request gets the answer of the first.",
        body={
            "required": True,
            "content": content(
                PACK,
                {"description": "A pack whose header is a `SubmitHeader`."},
                **{"x-header": ref("SubmitHeader"), "x-header-example": SUBMIT_EXAMPLE},
            ),
        },
        answers={
            201: answer("Accepted.", ref("Submitted")),
            200: answer("It had been accepted before.", ref("Submitted")),
        },
        errors=SUBMIT_ERRORS,
    ),
    Operation(
        id="listJobs",
        method="GET",
        path="/jobs",
        tag="jobs",
        summary="List submits, newest first",
        parameters=(
            in_query("status", text(enum=[status.value for status in Status]), "Submits with a job of this status."),
            in_query("label", text(maxLength=200), "Exactly this label."),
            in_query("function", text(), "Exactly this function, by name or as module.name."),
            in_query("type", text(), "Code of a core type."),
            in_query("since", DAY, "First day of submission."),
            in_query("until", DAY, "Last day of submission."),
            in_query("text", text(maxLength=200), "Text in the function's name or the label, or a jid."),
            in_query("before", whole(), "Go on after this submit: `next` of the page before."),
            in_query("limit", whole(minimum=1, maximum=200, default=50), "Submits in one answer."),
        ),
        answers={
            200: answer(
                "A page of submits.",
                obj({"jobs": array(ref("Submit")), "next": or_null(whole("Pass it as `before` for the next page."))}),
            )
        },
        errors=("bad_filter", "bad_number", "bad_request"),
    ),
    Operation(
        id="results",
        method="POST",
        path="/results",
        tag="jobs",
        summary="Wait for jobs and fetch their results",
        description="Answers as soon as every asked job is finished; or some are and a quarter of a second went by; "
        "or the wait is over. Ask again for those that are pending or did not fit.",
        body=question(ref("ResultsQuestion")),
        answers={200: pack("What has finished.", "ResultsHeader")},
        errors=(*JIDS, "bad_wait", "bad_max_bytes", "bad_data", "cut_off", "restarting"),
    ),
    Operation(
        id="info",
        method="POST",
        path="/info",
        tag="jobs",
        summary="Describe jobs",
        body=question(
            obj(
                {
                    "jids": ref("Ranges"),
                    "fields": or_null(
                        array(ref("FieldName"), 'null: status, stdout, stderr, runtime. ["all"]: every one.')
                    ),
                },
                optional=("fields",),
                examples=[{"jids": [[17, 19]], "fields": ["status", "runtime", "cost"]}],
            )
        ),
        answers={200: answer("By jid.", obj({"jobs": mapping(ref("JobFields"))}))},
        errors=(*JIDS, "bad_fields", "unknown_field", "cut_off"),
    ),
    Operation(
        id="getJob",
        method="GET",
        path="/jobs/{jid}",
        tag="jobs",
        summary="Everything about one job",
        parameters=(JID,),
        answers={200: answer("The job.", ref("Job"))},
        errors=("job_unknown",),
    ),
    Operation(
        id="getFunction",
        method="GET",
        path="/jobs/{jid}/function",
        tag="jobs",
        summary="The pickled function of a job",
        parameters=(JID,),
        answers={200: raw("The pickle.", "application/octet-stream")},
        errors=("job_unknown",),
    ),
    Operation(
        id="getArguments",
        method="GET",
        path="/jobs/{jid}/arguments",
        tag="jobs",
        summary="The pickled arguments of a job",
        parameters=(JID,),
        answers={200: raw("The pickle of (args, kwargs).", "application/octet-stream")},
        errors=("job_unknown", "arguments_unknown"),
    ),
    Operation(
        id="getLog",
        method="GET",
        path="/jobs/{jid}/logs",
        tag="jobs",
        summary="What a job wrote",
        parameters=(
            JID,
            in_query("stream", text(enum=["stdout", "stderr", "logging"], default="stdout"), "Which stream."),
        ),
        answers={200: raw("All that is kept; a notice stands where bytes were left out.", "text/plain")},
        errors=("job_unknown", "unknown_stream", "bad_request"),
    ),
    Operation(
        id="rerun",
        method="POST",
        path="/jobs/{jid}/rerun",
        tag="jobs",
        summary="Submit a job's function, arguments and options again",
        parameters=(JID,),
        answers={201: answer("The new job.", ref("Submitted"))},
        errors=("job_unknown", "arguments_unknown", "disk_full"),
    ),
    Operation(
        id="kill",
        method="POST",
        path="/kill",
        tag="jobs",
        summary="Kill jobs",
        body=question(
            obj({"jids": {"anyOf": [ref("Ranges"), {"type": "null"}], "description": "null: all of the account's."}})
        ),
        answers={
            200: answer(
                "Done; jobs that had finished stay as they are.",
                obj({"killed": whole("Had not begun."), "stopping": whole("Are running, and end within seconds.")}),
            )
        },
        errors=(*JIDS, "cut_off"),
    ),
    Operation(
        id="delete",
        method="POST",
        path="/delete",
        tag="jobs",
        summary="Delete finished jobs with all that they left",
        body=question(obj({"jids": ref("Ranges")})),
        answers={200: answer("Done.", obj({"deleted": whole()}))},
        errors=(*JIDS, "job_unfinished", "cut_off"),
    ),
]
