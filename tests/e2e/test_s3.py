"""The whole product on an S3 service: files go straight to it, large results through us."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests import servers
from tests import stack as stacks
from tests.servers import S3Server
from tests.stack import Account, Stack


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Not the session's: here the whole bucket is looked at."""
    with servers.s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def s3_stack(s3_server: S3Server) -> Iterator[Stack]:
    settings = {
        "PICLOUD_S3_BUCKET": s3_server.bucket,
        "PICLOUD_S3_ENDPOINT_URL": s3_server.endpoint_url,
        "PICLOUD_S3_ACCESS_KEY": s3_server.access_key,
        "PICLOUD_S3_SECRET_KEY": s3_server.secret_key,
    }
    with stacks.stack(**settings) as one:
        yield one


@pytest.fixture(scope="module")
def alice(s3_stack: Stack) -> Account:
    return s3_stack.account("alice")


def stored(server: S3Server) -> dict[str, int]:
    """What lies in the bucket: keys and sizes."""
    session = boto3.Session(server.access_key, server.secret_key, region_name="us-east-1")
    answer = session.client("s3", endpoint_url=server.endpoint_url).list_objects_v2(Bucket=server.bucket)
    return {entry["Key"]: entry["Size"] for entry in answer.get("Contents", [])}


def test_file_goes_there_and_back_and_into_a_job(alice: Account, s3_server: S3Server, tmp_path: Path) -> None:
    script = """
import cloud
data = bytes(range(256)) * 8192
cloud.files.putf(data, "data")
with cloud.files.getf("data") as file:
    assert file.read() == data
with cloud.files.getf("data", 1000, 2000) as file:
    assert file.read() == data[1000:2000]

def turn():
    import cloud
    with cloud.files.getf("data") as file:
        cloud.files.putf(file.read()[::-1], "turned")

cloud.result(cloud.call(turn), timeout=60)
with cloud.files.getf("turned") as file:
    assert file.read() == data[::-1]
cloud.files.delete("data")
print(cloud.files.list())
"""
    assert alice.run(script, cwd=tmp_path) == "['turned']\n"
    assert [size for key, size in stored(s3_server).items() if key.startswith("files/")] == [2 << 20]


def test_large_arguments_and_results_lie_in_the_bucket(alice: Account, s3_server: S3Server, tmp_path: Path) -> None:
    script = """
import cloud
data = bytes(5_000_000)
jid = cloud.call(lambda data: data + b"!", data)
assert cloud.result(jid, timeout=60) == data + b"!"
input()
"""
    client = alice.start(script.replace("input()", "print('there')"), cwd=tmp_path)
    assert stacks.finish(client) == "there\n"
    large = [key.partition("/")[0] for key, size in stored(s3_server).items() if size > 4_000_000]
    assert sorted(large) == ["blobs", "results"]


def test_deleted_jobs_leave_no_bytes(alice: Account, s3_server: S3Server, tmp_path: Path) -> None:
    script = """
import cloud
jid = cloud.call(lambda data: data, bytes(range(250)) * 4000)
cloud.result(jid, timeout=60)
cloud.delete(jid)
"""
    alice.run(script, cwd=tmp_path)
    assert [key for key, size in stored(s3_server).items() if 1_000_000 <= size < 1_100_000] == []
