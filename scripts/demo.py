"""What `make demo` does once the stack serves: encode a video as a new user would, then say where to look."""

import io
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

NAME = "demo"


def _account() -> dict[str, str]:
    """The demo account of this installation, made the first time and remembered beside the database."""
    path = settings.PICLOUD_HOME / "demo.json"
    if not path.exists():
        password = secrets.token_urlsafe(9)
        answer = io.StringIO()
        # In this process: other users of the machine can read the arguments of a program.
        call_command("create_account", NAME, password=password, stdout=answer)
        path.touch(mode=0o600)
        path.write_text(json.dumps(json.loads(answer.getvalue()) | {"password": password}))
    account: dict[str, str] = json.loads(path.read_text())
    return account


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picloud_site.settings")
    django.setup()
    account = _account()
    keys = {
        "PICLOUD_URL": settings.PUBLIC_URL,
        "PICLOUD_API_KEY": str(account["api_key"]),
        "PICLOUD_API_SECRETKEY": account["api_secretkey"],
    }
    video = os.environ.get("VIDEO")
    command = [sys.executable, str(ROOT / "examples" / "encode_videos.py"), *([video] if video else [])]
    command += ["--output-dir", str(settings.PICLOUD_HOME / "demo")]
    encoded = subprocess.run(command, env=os.environ | keys | {"PYTHONPATH": str(ROOT)}, check=False)
    if encoded.returncode == 0:
        print()
        print(f"Dashboard:  {settings.PUBLIC_URL}/jobs/")
        print(f"Sign in as: {account['username']}   password: {account['password']}")
        print("It keeps serving. Ctrl-C stops it.")
    return encoded.returncode


if __name__ == "__main__":
    sys.exit(main())
