"""Operations on archives of modules."""

from django.conf import settings

from api.operations.base import Operation, answer, content, in_path, question
from api.shapes import array, obj, text
from jobs.services.submission import MAX_MODULES

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
