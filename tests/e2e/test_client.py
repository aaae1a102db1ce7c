"""The client and its command against the whole product: what they promise when the other side is real."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import S3Server
from tests.stack import CODE, Account, stack


def picloud(account: Account, *arguments: str, status: int = 0) -> bytes:
    """What the command prints."""
    env = os.environ | account.env | {"PYTHONPATH": str(CODE)}
    command = [sys.executable, "-m", "cloud.cli.main", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, check=False, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def test_own_modules_run_in_a_container_that_has_never_seen_them(account: Account, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("from .prices import Price, total\n")
    (tmp_path / "shop" / "prices.py").write_text(
        "import functools\nfrom dataclasses import dataclass\nfrom . import tax\n"
        "@dataclass\nclass Price:\n    net: int\n"
        "@functools.lru_cache\ndef rate():\n    return tax.RATE\n"
        "def total(prices):\n    from shop import words\n"
        "    return Price(sum(p.net for p in prices) * rate()), words.DONE\n"
    )
    (tmp_path / "shop" / "tax.py").write_text("import threading\nRATE = 2\n")
    (tmp_path / "shop" / "words.py").write_text("DONE = 'done'\n")
    script = """
import cloud, shop
price, word = cloud.result(cloud.call(shop.total, [shop.Price(1), shop.Price(3)]), timeout=60)
print(price == shop.Price(8), word)
"""
    assert account.run(script, cwd=tmp_path) == "True done\n"


def test_files_are_the_same_here_and_in_a_job(account: Account, tmp_path: Path) -> None:
    script = """
import cloud, hashlib, os

def double(name):
    import cloud
    data = cloud.files.getf(name).read()
    cloud.files.putf(data * 2, "doubled")
    cloud.files.get("doubled", "copy")
    return os.path.getsize("copy"), cloud.files.get_md5("doubled")

data = os.urandom(3_000_000)
cloud.files.putf(data, "ü/ ?#%".replace("/", "_"))
size, md5 = cloud.result(cloud.call(double, "ü_ ?#%"), timeout=60)
print(size, md5 == hashlib.md5(data * 2).hexdigest(), cloud.files.getf("doubled", 10, 20).read() == data[10:20])
for name in list(cloud.files.list()):
    cloud.files.delete(name)
print(cloud.files.list(), cloud.files.exists("doubled"))
"""
    assert account.run(script, cwd=tmp_path) == "6000000 True True\n[] False\n"


@pytest.mark.parametrize(
    "name", ["..", "a/b", "a\0b", "x" * 300, "a\u202eb"], ids=["dots", "slash", "nul", "long", "rtl"]
)
def test_bad_file_names_are_refused_by_a_sentence(account: Account, name: str, tmp_path: Path) -> None:
    script = f"""
import cloud
try:
    cloud.files.putf(b"x", {name!r})
except cloud.CloudException as refused:
    print(refused.status, len(str(refused)) > 30)
"""
    assert account.run(script, cwd=tmp_path).endswith(" True\n")


def test_a_wrong_and_a_revoked_key_are_told_apart(account: Account) -> None:
    key = json.loads(picloud(account, "-o", "json", "keys", "create", "--note", "short-lived"))
    flags = ["-a", str(key["api_key"]), "-k", key["api_secretkey"]]
    assert b"alice" in picloud(account, *flags, "account")
    picloud(account, "keys", "deactivate", str(key["api_key"]))
    assert b"key_inactive" in picloud(account, *flags, "account", status=3)
    assert b"bad_key" in picloud(account, "-a", str(key["api_key"]), "-k", "wrong", "account", status=3)


def test_another_account_knows_nothing_of_a_job(account: Account, tmp_path: Path) -> None:
    assert account.run("import cloud; print(cloud.result(cloud.call(abs, -1), timeout=60))", cwd=tmp_path) == "1\n"
    assert b"job_unknown" in picloud(account, "status", "999999999", status=3)


def test_a_command_runs_and_is_run_again(account: Account) -> None:
    jid = picloud(account, "exec", "-l", "shell", "echo to stdout; echo to stderr >&2; id -un").decode().strip()
    assert picloud(account, "result", "-t", "60", jid) == b"to stdout\npicloud\n"
    assert picloud(account, "logs", jid, "--stream", "stderr") == b"to stderr\n"
    again = picloud(account, "rerun", jid).decode().strip()
    assert picloud(account, "result", "-t", "60", again) == b"to stdout\npicloud\n"
    rows = json.loads(picloud(account, "-o", "json", "list", "--label", "shell"))
    assert {row["first_jid"] for row in rows} >= {int(jid), int(again)}


def test_output_is_followed_until_the_job_ends(account: Account) -> None:
    command = "for i in 1 2 3; do echo line $i; sleep 0.4; done"
    jid = picloud(account, "exec", command).decode().strip()
    assert picloud(account, "logs", "-f", jid) == b"line 1\nline 2\nline 3\n"


def test_every_field_is_told_and_what_was_sent_can_be_read_back(account: Account, tmp_path: Path) -> None:
    script = """
import cloud
def area(a, b=2):
    return a * b
jid = cloud.call(area, 3, b=4, _label="fields")
cloud.join(jid, timeout=60)
row = cloud.info(jid, "all")[jid]
print(row["label"], row["created"] <= row["started"] <= row["finished"])
row = cloud.info(jid, ["args", "kwargs", "func_object", "cost"])[jid]
print(row["args"], row["kwargs"], row["func_object"](5), row["cost"])
"""
    assert account.run(script, cwd=tmp_path).startswith("fields True\n(3,) {'b': 4} 10 0")


def test_tables_of_the_account(account: Account) -> None:
    assert picloud(account, "core-types").splitlines()[1].startswith(b"c1 ")
    assert b"base" in picloud(account, "environments")
    assert json.loads(picloud(account, "-o", "json", "account"))["server"] == account.url


def test_the_example_encodes_a_sample(account: Account, tmp_path: Path) -> None:
    script = [sys.executable, str(CODE / "examples" / "encode_videos.py"), "--sample", "--output-dir", str(tmp_path)]
    env = os.environ | account.env | {"PYTHONPATH": str(CODE)}
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "h264/aac" in done.stdout
    assert "vp9/opus" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample.mp4", "sample.webm"]


def test_the_quickstart_runs(account: Account, tmp_path: Path) -> None:
    printed = account.run((CODE / "examples" / "quickstart.py").read_text(), cwd=tmp_path)
    assert "is 2147483647 prime? True" in printed
    assert "ZeroDivisionError('division by zero')" in printed


def test_the_bot_is_registered_and_removed(account: Account) -> None:
    script = [sys.executable, str(CODE / "examples" / "cron_bot.py")]
    env = os.environ | account.env | {"PYTHONPATH": str(CODE)}
    printed = subprocess.run(script, env=env, capture_output=True, text=True, check=True, timeout=60).stdout
    assert re.search(r"run by hand, says: \d\d:\d\d \w+", printed)
    assert "Every 5 minutes in UTC, next at " in printed
    subprocess.run([*script, "--remove"], env=env, check=True, timeout=60)
    assert picloud(account, "-o", "no-header", "cron", "list") == b""


def test_files_go_straight_to_the_object_store(s3_server: S3Server, tmp_path: Path) -> None:
    script = """
import cloud, hashlib, os
data = os.urandom(2_000_000)
cloud.files.putf(data, "big")
cloud.files.get("big", "copy")
print(open("copy", "rb").read() == data, cloud.files.getf("big", 5, 9).read() == data[5:9])
print(cloud.files.get_md5("big") == hashlib.md5(data).hexdigest())
print(cloud.result(cloud.call(lambda: len(cloud.files.getf("big").read())), timeout=60))
"""
    settings = {
        "PICLOUD_S3_BUCKET": s3_server.bucket,
        "PICLOUD_S3_ENDPOINT_URL": s3_server.endpoint_url,
        "PICLOUD_S3_ACCESS_KEY": s3_server.access_key,
        "PICLOUD_S3_SECRET_KEY": s3_server.secret_key,
    }
    with stack(PICLOUD_SANDBOX="process", **settings) as one:
        assert one.account("alice").run(script, cwd=tmp_path) == "True True\nTrue\n2000000\n"
