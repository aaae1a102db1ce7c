"""Operations on reserved cores."""

from api.operations.base import Operation, answer, in_path, in_query, question
from api.schemas_realtime import HOURS
from api.shapes import array, flag, obj, or_null, ref, text, whole

NUMBER = in_path("number", whole(minimum=1), "The `request_id` of a request of the account.")
WINDOW = in_path("number", whole(minimum=1), "The `window_id` of a window of the account.")
JSON_ERRORS = ("bad_json", "too_large", "cut_off", "unknown_option")
CORES_ERRORS = ("unknown_core_type", "bad_cores", "cores_not_allowed", "too_many_cores")

REALTIME = [
    Operation(
        id="listReservations",
        method="GET",
        path="/realtime",
        tag="realtime",
        summary="List requests for cores, newest first",
        parameters=(
            in_query("before", whole(), "Go on before this request: `next` of the page before."),
            in_query("limit", whole(minimum=1, maximum=200, default=50), "Requests in one answer."),
            in_query("open", flag(default=False), "Only those that have not ended."),
        ),
        answers={
            200: answer(
                "A page of requests.",
                obj(
                    {
                        "reservations": array(ref("Reservation")),
                        "next": or_null(whole("Pass it as `before` for the next page.")),
                    }
                ),
            )
        },
        errors=("bad_number", "bad_option", "bad_request"),
    ),
    Operation(
        id="requestCores",
        method="POST",
        path="/realtime",
        tag="realtime",
        summary="Reserve cores",
        description="The request is pending until all its cores stand ready; then its start time is set, and its owner "
        "gets a mail. A repeated request of the same key gets the answer of the first.",
        body=question(ref("CoresQuestion")),
        answers={
            201: answer("The request.", ref("Reservation")),
            200: answer("It was made before.", ref("Reservation")),
        },
        errors=(*JSON_ERRORS, *CORES_ERRORS, "bad_hours", "bad_start", "bad_request_key", "request_differs"),
    ),
    Operation(
        id="quoteCores",
        method="GET",
        path="/realtime/quote",
        tag="realtime",
        summary="What cores would cost, and what the use of the last 30 days says about that",
        parameters=(
            in_query("type", text(), "Code of a core type."),
            in_query("cores", whole(minimum=1), "Number of cores."),
            in_query("hours", whole(minimum=1), "For how long."),
        ),
        answers={200: answer("By the prices of this moment.", ref("CoresQuote"))},
        errors=("unknown_core_type", "bad_cores", "cores_not_allowed", "bad_hours", "bad_number", "bad_request"),
    ),
    Operation(
        id="getReservation",
        method="GET",
        path="/realtime/{number}",
        tag="realtime",
        summary="One request for cores",
        parameters=(NUMBER,),
        answers={200: answer("The request.", ref("Reservation"))},
        errors=("reservation_unknown",),
    ),
    Operation(
        id="changeReservation",
        method="PATCH",
        path="/realtime/{number}",
        tag="realtime",
        summary="Change the maximum duration of a request",
        parameters=(NUMBER,),
        body=question(obj({"max_hours": HOURS}, additionalProperties=False)),
        answers={200: answer("The request as it is now.", ref("Reservation"))},
        errors=(*JSON_ERRORS, "bad_hours", "reservation_unknown", "reservation_ended"),
    ),
    Operation(
        id="releaseReservation",
        method="POST",
        path="/realtime/{number}/release",
        tag="realtime",
        summary="Give cores back",
        description="What runs on them runs on. One that is not ready yet is withdrawn, and costs nothing.",
        parameters=(NUMBER,),
        answers={200: answer("The request, which has ended.", ref("Reservation"))},
        errors=("reservation_unknown", "reservation_ended"),
    ),
    Operation(
        id="listWindows",
        method="GET",
        path="/realtime/windows",
        tag="realtime",
        summary="List windows, newest first",
        answers={200: answer("All of them.", obj({"windows": array(ref("Window"))}))},
    ),
    Operation(
        id="addWindow",
        method="POST",
        path="/realtime/windows",
        tag="realtime",
        summary="Reserve cores in the same hours of every week",
        body=question(ref("WindowQuestion")),
        answers={201: answer("The window.", ref("Window"))},
        errors=(*JSON_ERRORS, *CORES_ERRORS, "bad_window", "unknown_zone", "too_many_windows"),
    ),
    Operation(
        id="removeWindow",
        method="DELETE",
        path="/realtime/windows/{number}",
        tag="realtime",
        summary="Reserve no more cores by a window",
        description="What it has made and is active goes on.",
        parameters=(WINDOW,),
        answers={204: {"description": "Removed."}},
        errors=("window_unknown",),
    ),
]
