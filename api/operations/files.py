"""Operations on files."""

from django.conf import settings

from api.operations.base import Operation, answer, content, in_header, in_path, question, raw
from api.shapes import array, flag, mapping, obj, or_null, ref, text, whole

NAME = in_path("name", text(maxLength=255), "Name of a file, percent-encoded. There are no folders.")
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
