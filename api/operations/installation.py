"""Operations on the account and its keys, and what an installation tells of itself."""

from api.operations.base import Operation, answer, in_path, question
from api.shapes import array, mapping, obj, ref, text, whole

KEY_ID = in_path("key_id", whole(minimum=1), "Number of an API key of the account.")

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
