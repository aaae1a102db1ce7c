"""The parts a team uses: PostgreSQL for the database, S3 for files and large results."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.settings import HOME
from tests.stack import Account, stack

SCRIPT = """
import cloud, os

def shout(name):
    import cloud
    cloud.files.get(name)
    text = open(name).read().upper()
    cloud.files.putf(text.encode(), "loud.txt")
    return os.urandom(2_000_000)

open("quiet.txt", "w").write("hello")
cloud.files.put("quiet.txt")
big = cloud.result(cloud.call(shout, "quiet.txt"), timeout=60)
print(len(big), cloud.files.getf("loud.txt").read(), cloud.files.list())
print(sum(cloud.result(cloud.map(lambda n: n * n, range(500)), timeout=60)))
"""


@pytest.fixture
def account(s3_server: servers.S3Server) -> Iterator[Account]:
    directory = HOME.with_name(f"{HOME.name}-team")
    settings = {
        "DATABASE_URL": f"postgresql://picloud@/picloud?host={directory}",
        "PICLOUD_S3_BUCKET": s3_server.bucket,
        "PICLOUD_S3_ENDPOINT_URL": s3_server.endpoint_url,
        "PICLOUD_S3_ACCESS_KEY": s3_server.access_key,
        "PICLOUD_S3_SECRET_KEY": s3_server.secret_key,
    }
    with servers.postgres(directory, database="picloud"), stack(**settings) as one:
        yield one.account("alice")


def test_files_and_jobs_work_on_postgresql_and_s3(account: Account, tmp_path: Path) -> None:
    said = account.run(SCRIPT, cwd=tmp_path, timeout=120)
    assert said == f"2000000 b'HELLO' ['loud.txt', 'quiet.txt']\n{sum(n * n for n in range(500))}\n"
