"""Settings that would be dangerous are refused at the start, by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = Path(__file__).resolve().parents[2]


def refusal_of(**settings: str) -> str:
    command = [sys.executable, "-c", "import picloud_site.settings"]
    done = subprocess.run(command, cwd=CODE, env=os.environ | settings, capture_output=True, text=True, check=False)
    return done.stderr


def test_secret_key_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    refusal = refusal_of(SECRET_KEY="changeme", PICLOUD_HOME=str(tmp_path))
    assert "SECRET_KEY must be at least 32 random characters" in refusal


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "99999", "PORT must be from 1 to 65535, not 99999."),
        ("PICLOUD_WORKERS", "1000", "PICLOUD_WORKERS must be from 0 to 999, not 1000."),
        ("REDIS_URL", "localhost:6379", "REDIS_URL must begin with redis:// or rediss:// or unix://."),
        ("PICLOUD_S3_ENDPOINT_URL", "s3.example.org", "PICLOUD_S3_ENDPOINT_URL must begin with http:// or https://."),
        ("EMAIL_HOST_PASSWORD_FILE", "/none", "EMAIL_HOST_PASSWORD_FILE cannot be read: "),
        ("PICLOUD_HOME", "/proc/none", "PICLOUD_HOME cannot be made: "),
    ],
)
def test_value_that_cannot_work_is_refused_by_name(name: str, value: str, sentence: str, tmp_path: Path) -> None:
    home = {"PICLOUD_HOME": str(tmp_path), "SECRET_KEY": ""}
    assert sentence in refusal_of(**(home | {name: value}))
