"""Files in forms: taken where a view asks for them, which it does when it knows who sends them."""

from typing import NoReturn

from django.core.files.uploadhandler import (
    FileUploadHandler,
    MemoryFileUploadHandler,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest


class NoUploads(FileUploadHandler):
    """What every form starts with: its first file ends the reading. Else anybody could fill the disk."""

    def new_file(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """There never is one."""


def allow_uploads(request: HttpRequest) -> None:
    """Take the files of this form. To be called before anything reads it."""
    request.upload_handlers = [MemoryFileUploadHandler(request), TemporaryFileUploadHandler(request)]
