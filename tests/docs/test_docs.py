"""The documentation names what there is, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

from crons.display.looks import MARKS, STATES
from jobs.display.looks import Look
from jobs.states import MOVES, Reason, Status

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
ROOMS = [
    "accounts",
    "api",
    "billing",
    "cloud",
    "common",
    "crons",
    "environments",
    "jobs",
    "picloud_site",
    "realtime",
    "storage",
    "worker",
]
READS = re.compile(
    r'env_(?:str|int|bool|list|url|dollars|choice)\(\s*"([A-Z][A-Z0-9_]+)"|environ(?:\.get\(|\[)"(PICLOUD_[A-Z0-9_]+)"'
)
# Passed between processes of ours; nobody sets them.
OURS_ALONE = {"PICLOUD_BEGAN", "PICLOUD_MODULES"}


def settings_in_code() -> set[str]:
    sources = [path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {name for source in sources for pair in READS.findall(source) for name in pair if name} - OURS_ALONE


def test_every_setting_is_explained() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text()
    assert {name for name in settings_in_code() if f"`{name}`" not in text} == set()


def test_no_setting_is_explained_that_does_not_exist() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}
    # What the client reads has its own place in its code.
    assert named - settings_in_code() <= {"PICLOUD_URL", "PICLOUD_API_KEY", "PICLOUD_API_SECRETKEY"}


def test_moves_are_those_of_the_table() -> None:
    text = (ROOT / "docs/explanation/job-states.md").read_text()
    told = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", text, re.MULTILINE))
    told = {(before, after) for before, after in told if before in Status and after in Status}
    assert told == {(str(before), str(after)) for before, allowed in MOVES.items() for after in allowed}


@pytest.mark.parametrize("word", [*Status, *filter(None, Reason)])
def test_every_status_and_reason_is_explained(word: str) -> None:
    assert f"| `{word}` |" in (ROOT / "docs/explanation/job-states.md").read_text()


@pytest.mark.parametrize("look", [*STATES.values(), *MARKS.values()], ids=lambda look: look.word)
def test_every_state_of_a_cron_and_mark_of_a_run_is_explained(look: Look) -> None:
    assert f"| `{look.word}` |" in (ROOT / "docs/reference/dashboard.md").read_text()


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
