"""The tests of stored bytes run on both object stores: a file system, and a real S3 service."""

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from storage.bucket import Bucket, bucket
from tests.servers import S3Server

FILES = "storage.file_bucket.FileBucket"
S3 = "storage.s3_bucket.S3Bucket"


def on_files(settings: Any, location: Path) -> Bucket:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": FILES, "OPTIONS": {"location": str(location)}}}
    return bucket()


def on_s3(settings: Any, server: S3Server) -> Bucket:
    """A bucket of its own on the S3 service, empty."""
    name = f"test-{secrets.token_hex(6)}"
    options = {
        "bucket_name": name,
        "endpoint_url": server.endpoint_url,
        "region_name": "us-east-1",
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "signature_version": "s3v4",
        "addressing_style": "path",
    }
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": S3, "OPTIONS": options}}
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = name, server.endpoint_url
    store: Any = bucket()
    store.client.create_bucket(Bucket=name)
    return bucket()


@pytest.fixture
def file_store(settings: Any, tmp_path: Path) -> Bucket:
    return on_files(settings, tmp_path)


@pytest.fixture
def s3_store(settings: Any, s3_server: S3Server) -> Bucket:
    return on_s3(settings, s3_server)


@pytest.fixture(params=["files", "s3"])
def store(request: pytest.FixtureRequest) -> Bucket:
    found: Bucket = request.getfixturevalue("file_store" if request.param == "files" else "s3_store")
    return found


@pytest.fixture
def keys() -> Callable[[], set[str]]:
    """A function: all keys in the store of the test."""

    def keys() -> set[str]:
        future = timezone.now() + timedelta(days=1)
        return {key for prefix in ("blobs/", "files/", "results/") for key in bucket().keys_before(future, prefix)}

    return keys


@pytest.fixture
def full_disk(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """An object store on a disk of 1 MB."""
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "picloud-test", str(tmp_path)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("only a superuser can mount a small disk")
    try:
        on_files(settings, tmp_path / "bucket")
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
