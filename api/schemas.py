"""What travels through the API, as JSON Schema."""

from django.conf import settings

from api.codes import ERRORS
from api.fields import FIELDS
from api.schemas_estimates import WAITING_FOR, estimate_schemas
from api.schemas_realtime import REALTIME
from api.shapes import COUNTS, JID, MONEY, Schema, array, flag, mapping, moment, number, obj, or_null, ref, text, whole
from crons.fields import MAX_TEXT
from crons.models import MAX_LABEL as MAX_CRON_LABEL
from crons.states import CatchUp, Mark, Outcome, Overlap, State, Trigger
from jobs.services.submission import MAX_DEPENDENCIES, MAX_ENV_VARS, MAX_LABEL, MAX_MODULES
from jobs.states import Reason, Status

_MARKS = [mark.value for mark in Mark]

_OPTIONS = obj(
    {
        "type": text("Code of a core type.", default="c1"),
        "cores": whole("Cores of each job.", default=1, minimum=1),
        "label": or_null(text("Printable ASCII.", maxLength=MAX_LABEL)),
        "priority": whole("Lower goes first.", default=5),
        "max_runtime": or_null(number("Minutes after which a running job is killed.", exclusiveMinimum=0)),
        "max_cost": or_null(number("Dollars that a call or a whole map may cost.", exclusiveMinimum=0)),
        "restartable": flag("Whether a job may run again when its worker is lost.", default=True),
        "kill_process": flag("Whether each item of a map gets a process of its own.", default=False),
        "depends_on": {**ref("Ranges"), "description": f"Jobs to wait for, at most {MAX_DEPENDENCIES:,}."},
        "depends_on_errors": text("What becomes of it when one of those fails.", enum=["abort", "ignore"]),
        "env_vars": mapping(text(maxLength=32_000), f"Environment variables, at most {MAX_ENV_VARS}."),
    },
    optional=(
        *("type", "cores", "label", "priority", "max_runtime", "max_cost", "restartable", "kill_process"),
        *("depends_on", "depends_on_errors", "env_vars"),
    ),
    additionalProperties=False,
)

_FUNCTION = obj(
    {
        "digest": text("SHA-256 of the pickled function.", pattern="^[0-9a-f]{64}$"),
        "size": whole("Its bytes in the body; 0 when the server is believed to have it.", minimum=0),
        "name": text(),
        "module": text(),
    },
    optional=("size", "name", "module"),
)

SUBMIT_EXAMPLE = {
    "idempotency_key": "0b7f4f0f2f4c4b6f9d8f3a5f6c1e2d3a",
    "map": False,
    "total": 1,
    "first": 0,
    "sizes": [29],
    "function": {"digest": "9f86d081" * 8, "size": 1043, "name": "encode", "module": "__main__"},
    "options": {"type": "c2", "label": "videos"},
    "client": {"python": "3.11", "version": "0.1.0", "hostname": "laptop", "pid": 4711},
}

_SUBMIT_HEADER = obj(
    {
        "idempotency_key": text("The same in every retry and part of one submit.", pattern="^[0-9A-Za-z_-]{8,64}$"),
        "map": flag("Whether this is a map rather than a call.", default=False),
        "total": whole("Jobs of the whole submit.", minimum=1, maximum=settings.MAX_MAP),
        "first": whole("Index of this request's first item among them.", minimum=0),
        "sizes": array(whole(minimum=0, maximum=settings.MAX_PAYLOAD), "Bytes of each item.", minItems=1),
        "function": _FUNCTION,
        "options": _OPTIONS,
        "modules": array(
            obj({"digest": text("SHA-256.", pattern="^[0-9a-f]{64}$"), "name": text(maxLength=200)}),
            "Archives of modules that the function needs, stored beforehand.",
            maxItems=MAX_MODULES,
        ),
        "client": obj(
            {"python": text("Minor version, such as 3.11."), "version": text(), "hostname": text(), "pid": whole()},
            optional=("version", "hostname", "pid"),
        ),
    },
    optional=("map", "total", "first", "options", "modules"),
    description="Header of the pack of a submit. The body: the function's bytes, then those of each item.",
    examples=[SUBMIT_EXAMPLE],
)

_TERMS = obj(
    {
        "label": text("Printable ASCII without a slash.", minLength=1, maxLength=MAX_CRON_LABEL),
        "schedule": ref("Schedule"),
        "timezone": or_null(text("IANA name.", default="UTC")),
        "overlap": or_null(text("When it is due while an earlier run is unfinished.", default="allow")),
        "catch_up": or_null(text("What is run of that which was missed: last, none or all.", default="last")),
        "start_grace_s": or_null(whole("Seconds after which a run that has not started is late.", minimum=1)),
    },
    optional=("timezone", "overlap", "catch_up", "start_grace_s"),
    additionalProperties=False,
)

_CRON_HEADER = {
    **_SUBMIT_HEADER,
    "properties": {**_SUBMIT_HEADER["properties"], "cron": _TERMS},
    "required": [*_SUBMIT_HEADER["required"], "cron"],
    "description": "Header of the pack of a registration: that of a call, and the terms of the cron.",
    "examples": [
        {
            **{name: value for name, value in SUBMIT_EXAMPLE.items() if name != "options"},
            "cron": {"label": "tweet", "schedule": "*/5 * * * *", "timezone": "Europe/Berlin"},
        }
    ],
}

_CRON = obj(
    {
        "label": text(),
        "schedule": text("As it was given."),
        "timezone": text(),
        "words": text("The schedule in English."),
        "state": text(enum=[state.value for state in State]),
        "state_since": moment(),
        "paused": flag(),
        "next_run": or_null(moment("When it is due next; null while it is paused.")),
        "next_runs": array(moment(), "The next ones."),
        "last_run": or_null(moment("When the last run that was started was due.")),
        "last_jid": or_null(JID),
        "last_outcome": {"enum": [*_MARKS, None]},
        "overlap": text(enum=[value.value for value in Overlap]),
        "catch_up": text(enum=[value.value for value in CatchUp]),
        "start_grace_s": whole("Seconds."),
        "alerts": flag(),
        "created": moment(),
        "registered": moment("Of the last time."),
        "registration": whole("How often it was registered.", minimum=1),
        "creator_host": or_null(text()),
        "func_name": text(),
        "modules": array(text(), "What travels with the function: names of modules, distributions with versions."),
        "core_type": text(),
        "cores": whole(),
        "max_runtime": or_null(number("Minutes.")),
        "max_cost": or_null(MONEY),
        "cost_this_month": MONEY,
        "projected_cost": or_null(MONEY),
    }
)

_RUN = obj(
    {
        "run": whole("Number of the run; `before` takes it."),
        "scheduled": moment("When it was due."),
        "trigger": text(enum=[value.value for value in Trigger]),
        "outcome": text(enum=[value.value for value in Outcome]),
        "instants": whole("How many runs in a row this stands for; more than one only when they were missed."),
        "mark": text("In one word.", enum=_MARKS),
        "late": flag("Whether it started after the grace."),
        "jid": or_null(JID),
        "registration": whole("Which registration of the cron ran."),
        "submitted": or_null(moment()),
        "started": or_null(moment()),
        "finished": or_null(moment()),
        "runtime": or_null(number("Seconds.")),
        "cost": MONEY,
    }
)

_PREVIEW = obj(
    {
        "schedule": text(),
        "timezone": text(),
        "words": text(),
        "is_interval": flag("Whether it names an interval rather than fixed times."),
        "runs": array(
            obj(
                {
                    "at": moment("In UTC."),
                    "local": moment("In its zone."),
                    "clocks_forward_s": whole("Seconds that clocks go forward on this day; negative when back."),
                }
            )
        ),
    }
)

_SUBMITTED = obj(
    {"first_jid": JID, "last_jid": JID, "count": whole(minimum=1), "url": text("Page of the first job.")},
    examples=[{"first_jid": 17, "last_jid": 17, "count": 1, "url": "/jobs/17/"}],
)

_RESULTS_QUESTION = obj(
    {
        "jids": ref("Ranges"),
        "wait": number("Seconds to wait at most.", default=0, minimum=0, maximum=60),
        "data": flag("Whether to send the results themselves.", default=True),
        "max_bytes": whole("Of results in one answer; the first comes whatever its size.", minimum=0),
    },
    optional=("wait", "data", "max_bytes"),
    examples=[{"jids": [[17, 19]], "wait": 50}],
)

_FINISHED_JOB: Schema = {
    "type": "array",
    "description": "jid, status, reason, whether the result is an exception, and its bytes in the body.",
    "prefixItems": [JID, ref("Status"), ref("Reason"), flag(), whole(minimum=0)],
    "items": False,
    "minItems": 5,
}

_RESULTS_HEADER = obj(
    {
        "jobs": array(_FINISHED_JOB, "Finished jobs in the order of their jids."),
        "errors": mapping(text(), "By jid: the remote traceback, or the sentence that says what ended the job."),
        "counts": COUNTS,
        "pending": ref("Ranges"),
    },
    description="Header of the pack of an answer. The body: the pickled results in the order of `jobs`.",
    examples=[
        {
            "jobs": [[17, "done", "", False, 5], [18, "error", "exception", True, 212]],
            "errors": {"18": "Traceback (most recent call last): ..."},
            "counts": {"done": 1, "error": 1, "queued": 1},
            "pending": [[19, 19]],
        }
    ],
)

_EVENT = obj(
    {
        "name": text(),
        "status": text("The status it led to; empty when it changed none."),
        "reason": ref("Reason"),
        "attempt": or_null(whole()),
        "worker": text(),
        "detail": text(),
        "at": moment(),
    }
)

_CPU = obj({"user": or_null(number()), "system": or_null(number())}, description="Seconds.")

_JOB_FIELDS: dict[str, Schema] = {
    "status": ref("Status"),
    "reason": ref("Reason"),
    "held_by": or_null(text("What holds a job back that is ready, and until when, in a sentence.")),
    "stdout": text("The end of the output, at most 65,536 characters."),
    "stderr": text(),
    "logging": text("What the job wrote through Python's logging."),
    "exception": or_null(text("The remote traceback, or what ended the job.")),
    "runtime": or_null(number("Seconds.")),
    "created": moment(),
    "queued": or_null(moment()),
    "started": or_null(moment()),
    "finished": or_null(moment()),
    "env": text("Name of the environment."),
    "function": text(),
    "label": or_null(text()),
    "attributes": {"type": "object", "description": "Everything that was fixed at the submit."},
    "attempt": whole("How often it was begun.", minimum=0),
    "cost": or_null(MONEY),
    "compute_hours": or_null(text("Core-hours times compute units, as a decimal number.")),
    "core_type": text(),
    "cores": whole(),
    "priority": whole(),
    "memory": obj({"max_usage": or_null(whole("Bytes."))}),
    "cputime": _CPU,
    "events": array(_EVENT, "What happened to it, oldest first."),
    "waiting_for": WAITING_FOR,
}

_BATCH = obj(
    {
        "batch": whole("Number of the submit; `before` takes it."),
        "first_jid": JID,
        "last_jid": JID,
        "is_map": flag(),
        "function": text(),
        "label": or_null(text()),
        "type": text(),
        "cores": whole(),
        "counts": COUNTS,
        "created": moment(),
        "finished": or_null(moment()),
        "runtime": number("Seconds of all its jobs together."),
        "cost": MONEY,
        "compute_hours": text(),
    },
    description="One submit: a call, or all jobs of a map.",
)

_FILE = obj(
    {
        "name": text(maxLength=255),
        "size": whole("Bytes.", minimum=0, maximum=settings.MAX_FILE),
        "md5": text("In hexadecimal; empty where the store does not tell."),
        "created": moment(),
        "modified": moment(),
        "content_type": text(),
    }
)

_KEY = {
    "api_key": whole("Its number, which is public."),
    "note": text(),
    "active": flag(),
    "created": moment(),
    "last_used": or_null(moment("To the minute.")),
}

_CORE_TYPE = obj(
    {
        "code": text(),
        "description": text(),
        "compute_units": number(),
        "memory_mb": whole("For each core."),
        "disk_mb": whole(),
        "allowed_cores": array(whole(minimum=1)),
        "dollars_per_core_hour": MONEY,
        "dollars_per_reserved_core_hour": {**MONEY, "description": "Of a core that is only kept ready."},
    }
)

SCHEMAS: dict[str, Schema] = {
    "Error": obj(
        {
            "error": obj(
                {
                    "code": text("Stable, for programs.", enum=list(ERRORS)),
                    "message": text("A sentence for people: what is wrong, and what to do."),
                    "id": text("Under it the server's log has the reason of a server_error."),
                    "jid": JID,
                    "limit": whole("Bytes."),
                },
                optional=("id", "jid", "limit"),
                additionalProperties=True,
            )
        },
        examples=[{"error": {"code": "job_unknown", "message": "There is no job 17.", "jid": 17}}],
    ),
    "Ranges": array(
        {"anyOf": [JID, array(JID, minItems=2, maxItems=2)]},
        "Inclusive ranges of jids, [[first, last], ...]. A lone jid may stand for [jid, jid].",
        examples=[[[1, 10], [12, 12]]],
    ),
    "Status": text(enum=[status.value for status in Status]),
    "Reason": text(
        "Why a job ended, or is as it is; empty when all is well.", enum=[reason.value for reason in Reason]
    ),
    "SubmitHeader": _SUBMIT_HEADER,
    "Submitted": _SUBMITTED,
    "Schedule": {
        "description": "Five Unix fields or a name such as @daily; or the five fields in a list.",
        "anyOf": [text(maxLength=MAX_TEXT), array({"type": ["string", "integer"]})],
        "examples": ["*/5 * * * *", "@daily", [0, 9, "*", "*", "mon-fri"]],
    },
    "CronHeader": _CRON_HEADER,
    "Cron": _CRON,
    "Run": _RUN,
    "Preview": _PREVIEW,
    "ResultsQuestion": _RESULTS_QUESTION,
    "ResultsHeader": _RESULTS_HEADER,
    "Job": obj({"jid": JID, **_JOB_FIELDS}),
    "JobFields": obj(
        _JOB_FIELDS,
        optional=tuple(_JOB_FIELDS),
        description="The fields that were asked for; one such as `memory.max_usage` is a part of a field.",
        additionalProperties=True,
    ),
    "FieldName": text("Name of a field, or of a part of one after a dot.", examples=[*FIELDS, "memory.max_usage"]),
    "Submit": _BATCH,
    "File": _FILE,
    "Key": obj(_KEY),
    "NewKey": obj({**_KEY, "api_secretkey": text("Told only this once.")}),
    "CoreType": _CORE_TYPE,
    "Environment": obj(
        {
            "name": text(),
            "python": text(),
            "size": whole("Bytes."),
            "built": moment(),
            "platform": mapping(text(), "system, machine, libc and libc_version, as its Python tells them."),
            "packages": mapping(text(), "Version of each Python distribution, by its normalized name."),
        }
    ),
    **estimate_schemas(_OPTIONS),
    **REALTIME,
    "Account": obj({"username": text(), "email": or_null(text()), "time_zone": text(), "joined": moment()}),
    "Part": obj({"ok": flag(), "detail": text()}),
}
