#!/usr/bin/env python3
"""Django's command line for this site, in the environment that `make up` made for it whatever python is called."""

import os
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parent / ".venv"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picloud_site.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 - may be missing
    except ModuleNotFoundError:
        python = ENVIRONMENT / "bin" / "python"
        if Path(sys.prefix) == ENVIRONMENT or not python.exists():
            sys.exit("PiCloud's packages are not installed here: `make up` does that.")
        os.execv(python, [str(python), *sys.argv])  # noqa: S606 - ourselves, with our own Python
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
