"""The object store in a bucket of an S3-compatible service."""

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from django.utils.functional import cached_property
from storages.backends.s3 import S3Storage

from storage.bucket import CHUNK, ObjectMissing, Readable

# boto3's own threads would read a request's body out of the thread that may.
ONE_THREAD = TransferConfig(use_threads=False, multipart_chunksize=16 * 1024 * 1024)


class S3Bucket(S3Storage):
    """Objects of one bucket, through one client for all threads; boto3's clients allow that, its resources do not."""

    _lock = threading.Lock()

    @cached_property
    def client(self) -> Any:
        # Making two clients at once is what boto3 does not allow.
        with self._lock:
            session = boto3.Session(aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key)
            return session.client(
                "s3", region_name=self.region_name, endpoint_url=self.endpoint_url, config=self._client_settings()
            )

    def _client_settings(self) -> Config:
        return Config(
            signature_version=self.signature_version,
            s3={"addressing_style": self.addressing_style},
            connect_timeout=5,
            read_timeout=60,
            retries={"max_attempts": 4, "mode": "standard"},
            max_pool_connections=50,
            # Checksums in trailers are AWS's own; compatible servers refuse or store them.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )

    def put_bytes(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket_name, Key=key, Body=data)

    def put_stream(self, key: str, stream: Readable) -> None:
        self.client.upload_fileobj(_Unseekable(stream), self.bucket_name, key, Config=ONE_THREAD)

    def read_bytes(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        if end is not None and end <= start:
            return b""
        body: bytes = self._get(key, start, end).read()
        return body

    def read_stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        if end is not None and end <= start:
            return iter(())
        chunks: Iterator[bytes] = self._get(key, start, end).iter_chunks(CHUNK)
        return chunks

    def _get(self, key: str, start: int, end: int | None) -> Any:
        wanted = {} if start == 0 and end is None else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        try:
            return self.client.get_object(Bucket=self.bucket_name, Key=key, **wanted)["Body"]
        except ClientError as error:
            raise _missing_or(error, key) from error

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket_name, Key=key)

    def keys_before(self, moment: datetime, prefix: str) -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name, Prefix=prefix)
        for page in pages:
            for entry in page.get("Contents", ()):
                if entry["LastModified"] < moment:
                    yield entry["Key"]

    def head(self, key: str) -> dict[str, Any]:
        """The service's description of an object: ContentLength, ETag and so on. Raises ObjectMissing."""
        try:
            answer: dict[str, Any] = self.client.head_object(Bucket=self.bucket_name, Key=key)
        except ClientError as error:
            raise _missing_or(error, key) from error
        return answer

    def presign(self, operation: str, key: str, *, expires: int, **parameters: object) -> str:
        """An address with which its holder may do this one operation until it expires, in seconds."""
        url: str = self.client.generate_presigned_url(
            operation, Params={"Bucket": self.bucket_name, "Key": key, **parameters}, ExpiresIn=expires
        )
        return url


class _Unseekable:
    """A stream as boto3 wants it: with `read` alone, so that it never tries to rewind."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


def _missing_or(error: ClientError, key: str) -> Exception:
    return ObjectMissing(key) if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404 else error
