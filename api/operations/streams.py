"""Streams of events, for the pages of the dashboard."""

from api.operations.base import JID, Operation, raw

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
