"""Settings that would be dangerous are refused at the start, by name."""

import os
import subprocess
import sys
from pathlib import Path

CODE = Path(__file__).resolve().parents[2]


def test_secret_key_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    env = os.environ | {"SECRET_KEY": "changeme", "PICLOUD_HOME": str(tmp_path)}
    command = [sys.executable, "-c", "import picloud_site.settings"]
    done = subprocess.run(command, cwd=CODE, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SECRET_KEY must be at least 32 random characters" in done.stderr
