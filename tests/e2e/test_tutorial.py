"""What newcomers copy from the documentation works as it stands there."""

import re
import shlex
from pathlib import Path

from tests.e2e.test_client import picloud
from tests.stack import CODE, Account


def python_of(page: str) -> str:
    """All Python of a page, one after the other, as a reader would type it."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```", (CODE / page).read_text(), re.DOTALL | re.MULTILINE))


def test_readme(account: Account, tmp_path: Path) -> None:
    assert account.run(python_of("README.md"), cwd=tmp_path) == f"{sum(n * n for n in range(1000))}\n"


def test_first_job(account: Account, tmp_path: Path) -> None:
    said = account.run(python_of("docs/tutorial/first-job.md"), cwd=tmp_path).splitlines()
    assert re.fullmatch(r"\d+ 144", said[0])
    assert said[1] == str(sum(n * n for n in range(1000)))
    assert said[-1] == "ZeroDivisionError('division by zero')"


def test_run_by_schedule(account: Account, tmp_path: Path) -> None:
    page = "docs/how-to/run-by-schedule.md"
    module, _, bot = python_of(page).partition("\nimport random\n")
    (tmp_path / "birds.py").write_text(module)
    said = account.run(f"import random\n{bot}", cwd=tmp_path).splitlines()
    assert said[0] in ("tweet", "chirp", "twitter")
    assert said[1] == f"I sing: {said[0]}"
    assert "['birds'] 0" in said[-1]
    for command in re.findall(r"^picloud (.*)$", (CODE / page).read_text(), re.MULTILINE):
        picloud(account, *shlex.split(command))
    assert account.run("import cloud; print(cloud.cron.list())", cwd=tmp_path) == "[]\n"
