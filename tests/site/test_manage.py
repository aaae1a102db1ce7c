"""python manage.py, typed by somebody who never heard of virtual environments."""

import subprocess
import sys

from tests.stack import CODE


def test_python_without_our_packages_hands_over_to_the_one_with_them() -> None:
    command = [sys.executable, "-S", "manage.py", "create_account", "--help"]
    answer = subprocess.run(command, cwd=CODE, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "--password" in answer.stdout
