"""How commands answer: tables for people, tables without a header for scripts, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

Rows = Sequence[dict[str, Any]]


def print_rows(rows: Rows, columns: Iterable[str], *, style: str) -> None:
    """Print rows as a table, or as the JSON list that they are."""
    if style == "json":
        print_json(rows)
        return
    names = list(columns)
    cells = [[cell(row.get(name)) for name in names] for row in rows]
    if style == "default":
        cells.insert(0, names)
    widths = [max((len(row[index]) for row in cells), default=0) for index in range(len(names))]
    for row in cells:
        write("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def print_fields(fields: dict[str, Any], *, style: str) -> None:
    """Print one thing: a line for each field, or JSON."""
    if style == "json":
        print_json(fields)
        return
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        text = cell(value)
        if "\n" in text:
            write(f"{name}:\n{text.rstrip()}")
        else:
            write(f"{name.ljust(width)}  {text}".rstrip())


def print_json(value: Any) -> None:
    """Print any value as JSON; times in ISO 8601."""
    write(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))


def write(text: str) -> None:
    """Print one text and a line end."""
    sys.stdout.write(f"{text}\n")


def say(text: str) -> None:
    """Tell the person at the terminal something that is no output."""
    sys.stderr.write(f"{text}\n")


def cell(value: Any) -> str:
    """A value as it stands in a table."""
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return str(value)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no JSON form; ask without `-o json`")
