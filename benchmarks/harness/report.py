"""Tables as text, as Markdown and as JSON."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.harness.figures import Table

RESULTS = Path(__file__).resolve().parent.parent / "results"


def as_text(table: Table) -> str:
    """For the terminal."""
    rows = [table.columns, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    notes = [f"  {note}" for note in table.notes]
    return "\n".join([f"\n{table.key}. {table.title}", *(f"  {line}" for line in lines), *notes])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    yield row[0].ljust(widths[0])
    for text, width in zip(row[1:], widths[1:], strict=True):
        yield text.rjust(width)


def as_markdown(table: Table) -> str:
    lines = [f"## {table.key}. {table.title}", ""]
    lines.append("| " + " | ".join(table.columns) + " |")
    lines.append("| --- |" + " ---: |" * (len(table.columns) - 1))
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows]
    lines += ["", *(f"- {note}" for note in table.notes)]
    return "\n".join(lines).rstrip() + "\n"


def write(tables: Sequence[Table], *, machine: dict[str, str]) -> Path:
    """Write both files; answers the path of the Markdown one."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.md"
    head = ["# Benchmarks", "", *(f"- {name}: {text}" for name, text in machine.items()), ""]
    path.write_text("\n".join([*head, *(as_markdown(table) for table in tables)]))
    document = {"machine": machine, "tables": [table.as_dict() for table in tables]}
    path.with_suffix(".json").write_text(json.dumps(document, indent=1))
    return path
