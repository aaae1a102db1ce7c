"""Every operation of the API: one method of one address, what it takes, and what it answers."""

from django.conf import settings

from api.describing import Operation, answer, content, in_header, in_path, in_query, pack, question, raw
from api.schemas import SUBMIT_EXAMPLE, array, flag, mapping, obj, or_null, ref, text, whole
from common.packs import CONTENT_TYPE as PACK
from jobs.services.submission import MAX_MODULES
from jobs.states import Status

JIDS = ("bad_json", "too_large", "bad_jids", "too_many_jids", "job_unknown")


JID = in_path("jid", whole(minimum=1), "Number of a job of the account.")
NAME = in_path("name", text(maxLength=255), "Name of a file, percent-encoded. There are no folders.")
KEY_ID = in_path("key_id", whole(minimum=1), "Number of an API key of the account.")
DAY = text(format="date")
SUBMIT_ERRORS = (
    *("bad_pack", "bad_submit", "bad_option", "unknown_option", "bad_label", "bad_jids", "too_many_jids"),
    *("payload_too_large", "map_too_large", "unknown_core_type", "cores_not_allowed", "python_version", "bad_digest"),
    *("bad_modules", "modules_unknown"),
    *("cut_off", "job_unknown", "function_unknown", "submit_unknown", "submit_differs", "environment_unknown"),
    *("too_large", "restarting", "disk_full"),
)

DIGEST = in_path("digest", text(pattern="^[0-9a-f]{64}$"), "SHA-256 of the archive.")

MODULES = [
    Operation(
        id="findModules",
        method="POST",
        path="/modules",
        tag="modules",
        summary="Ask which archives of modules are not stored yet",
        body=question(obj({"digests": array(text(pattern="^[0-9a-f]{64}$"), maxItems=MAX_MODULES)})),
        answers={200: answer("Those to be sent.", obj({"missing": array(text())}))},
        errors=("bad_json", "too_large", "bad_modules"),
    ),
    Operation(
        id="putModules",
        method="PUT",
        path="/modules/{digest}",
        tag="modules",
        summary="Store an archive of modules",
        description=f"A zip of at most {settings.MAX_ARCHIVE:,} bytes. It is kept for the account, and opened only "
        "inside the sandboxes of its jobs. What no job refers to is deleted after some days.",
        parameters=(DIGEST,),
        body={"required": True, "content": content("application/zip", {})},
        answers={204: {"description": "Stored."}},
        errors=("bad_digest", "cut_off", "length_required", "archive_too_large", "disk_full"),
    ),
]

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

FILE_HEADERS = {
    "Content-Disposition": "Always `attachment`.",
    "ETag": "Changes with the bytes.",
    "X-PiCloud-MD5": "MD5 sum in hexadecimal.",
}
FILE_ERRORS = ("bad_file_name", "file_unknown")

FILES = [
    Operation(
        id="listFiles",
        method="GET",
        path="/files",
        tag="files",
        summary="List files by name",
        answers={200: answer("All files of the account.", obj({"files": array(ref("File"))}))},
    ),
    Operation(
        id="getFile",
        method="GET",
        path="/files/{name}",
        tag="files",
        summary="Fetch a file, whole or in part",
        parameters=(
            NAME,
            in_header("Range", "One range of bytes."),
            in_header("If-Range", "ETag that the range is of."),
            in_header("If-None-Match", "ETag of what the caller has."),
        ),
        answers={
            200: raw("The file.", "application/octet-stream", **FILE_HEADERS),
            206: raw("The range.", "application/octet-stream", **FILE_HEADERS, **{"Content-Range": "Where it lies."}),
            302: {
                "description": "The file is at another address, for a quarter of an hour; do not send the key there.",
                "headers": {"Location": {"schema": text(format="uri")}},
            },
            304: answer("The caller has it already."),
            416: answer("The range begins behind the end."),
        },
        errors=FILE_ERRORS,
    ),
    Operation(
        id="headFile",
        method="HEAD",
        path="/files/{name}",
        tag="files",
        summary="Size and sums of a file",
        parameters=(NAME,),
        answers={200: {"description": "As GET, without the bytes."}},
        errors=FILE_ERRORS,
    ),
    Operation(
        id="putFile",
        method="PUT",
        path="/files/{name}",
        tag="files",
        summary="Store a file, in the place of one with the same name",
        description=f"At most {settings.MAX_FILE:,} bytes. The old file stays until all of the new one has arrived.",
        parameters=(NAME, in_header("Content-MD5", "MD5 sum of the bytes in base 64; they are checked against it.")),
        body={"required": True, "content": content("*/*", {})},
        answers={200: answer("Stored.", ref("File"))},
        errors=("bad_file_name", "bad_size", "bad_md5", "cut_off", "length_required", "file_too_large", "disk_full"),
    ),
    Operation(
        id="deleteFile",
        method="DELETE",
        path="/files/{name}",
        tag="files",
        summary="Delete a file",
        parameters=(NAME,),
        answers={204: {"description": "Deleted."}},
        errors=FILE_ERRORS,
    ),
    Operation(
        id="prepareUpload",
        method="POST",
        path="/files/{name}/upload",
        tag="files",
        summary="Ask where to send the bytes of a file",
        description="`direct` is false where files go through this server: then PUT the file. Otherwise send the bytes "
        "to `url` with `method` and `headers` within a quarter of an hour, then finish the upload.",
        parameters=(NAME,),
        body=question(
            obj(
                {"size": whole(minimum=0, maximum=settings.MAX_FILE), "content_type": text()},
                optional=("content_type",),
            )
        ),
        answers={
            200: answer(
                "Where to.",
                obj(
                    {
                        "direct": flag(),
                        "method": text(),
                        "url": text(format="uri"),
                        "headers": mapping(text()),
                        "upload": text("Token to finish with."),
                    },
                    optional=("method", "url", "headers", "upload"),
                ),
            )
        },
        errors=("bad_json", "too_large", "cut_off", "bad_upload", "bad_file_name", "bad_size", "file_too_large"),
    ),
    Operation(
        id="finishUpload",
        method="POST",
        path="/files/{name}/finish",
        tag="files",
        summary="Make directly uploaded bytes the file",
        parameters=(NAME,),
        body=question(obj({"upload": text(), "md5": or_null(text("In hexadecimal."))}, optional=("md5",))),
        answers={200: answer("Stored.", ref("File"))},
        errors=("bad_json", "too_large", "cut_off", "bad_upload", "bad_file_name", "bad_md5", "upload_missing"),
    ),
]

KEYS = [
    Operation(
        id="listKeys",
        method="GET",
        path="/keys",
        tag="account",
        summary="List API keys, newest first",
        answers={200: answer("Without their secrets.", obj({"keys": array(ref("Key"))}))},
    ),
    Operation(
        id="createKey",
        method="POST",
        path="/keys",
        tag="account",
        summary="Make an API key",
        body=question(
            obj({"note": text("Which machine will use it.", maxLength=200)}, optional=("note",)), required=False
        ),
        answers={201: answer("The key, and its secret this once.", ref("NewKey"))},
        errors=("bad_json", "too_large", "cut_off", "bad_note", "note_too_long", "not_in_a_job"),
    ),
    *(
        Operation(
            id=f"{act}Key",
            method="POST",
            path=f"/keys/{{key_id}}/{act}",
            tag="account",
            summary=summary,
            parameters=(KEY_ID,),
            answers={200: answer("The key.", ref("Key"))},
            errors=("key_unknown", "not_in_a_job"),
        )
        for act, summary in (("deactivate", "Refuse a key from now on"), ("activate", "Accept a key again"))
    ),
    Operation(
        id="account",
        method="GET",
        path="/account",
        tag="account",
        summary="Whose key this is",
        answers={200: answer("The account.", ref("Account"))},
    ),
]

PLACE = [
    Operation(
        id="coreTypes",
        method="GET",
        path="/core-types",
        tag="installation",
        summary="Core types that jobs may use, with the prices of this moment",
        answers={200: answer("In their order.", obj({"core_types": array(ref("CoreType"))}))},
    ),
    Operation(
        id="environments",
        method="GET",
        path="/environments",
        tag="installation",
        summary="Environments that jobs run in",
        answers={200: answer("All of them.", obj({"environments": array(ref("Environment"))}))},
    ),
    Operation(
        id="environment",
        method="GET",
        path="/environments/{name}",
        tag="installation",
        summary="One environment",
        parameters=(in_path("name", text(), "Its name, such as base."),),
        answers={200: answer("What there is in it.", ref("Environment"))},
        errors=("unknown_environment",),
    ),
    Operation(
        id="openapi",
        method="GET",
        path="/openapi.json",
        tag="installation",
        summary="This document",
        answers={200: answer("OpenAPI 3.1.", {"type": "object"}), 304: answer("The caller has it already.")},
        security=(),
    ),
    Operation(
        id="health",
        method="GET",
        path="/healthz",
        server="",
        tag="installation",
        summary="Whether each part serves",
        answers={
            200: answer("Every part serves.", mapping(ref("Part"))),
            503: answer("Some part does not.", mapping(ref("Part"))),
        },
        security=(),
    ),
]

STREAM = "text/event-stream"
STREAMS = [
    Operation(
        id="streamAccount",
        method="GET",
        path="/live/account",
        server="",
        tag="streams",
        summary="Numbers of submits as they change",
        answers={200: raw("Events `batches`: a list of numbers, as `batch` in the list of submits.", STREAM)},
        errors=("signed_out",),
        security=("session",),
    ),
    Operation(
        id="streamLog",
        method="GET",
        path="/live/jobs/{jid}/log",
        server="",
        tag="streams",
        summary="Output of a job as it is written",
        description="Events: `snapshot` with all that is kept, by stream; `output` with `stream` and `text`; `status`; "
        "and when the job has finished `end`. A stream may also end without it: come back then.",
        parameters=(JID,),
        answers={200: raw("The events.", STREAM)},
        errors=("signed_out", "job_unknown"),
        security=("session",),
    ),
]

OPERATIONS = [*JOBS, *MODULES, *FILES, *KEYS, *PLACE, *STREAMS]
