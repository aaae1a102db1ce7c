"""Small helps for the few statements that are written as SQL because thousands of rows pass through them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection


def db_time(moment: datetime | None) -> Any:
    """A moment as the parameter of a raw statement; SQLite keeps times as text."""
    return None if moment is None else connection.ops.adapt_datetimefield_value(moment)


def for_update(*, skip_locked: bool = False) -> str:
    """The row-locking clause, or nothing on SQLite, where a writing transaction holds the whole file."""
    if connection.vendor == "sqlite":
        return ""
    return " FOR UPDATE SKIP LOCKED" if skip_locked else " FOR UPDATE"


def fetch_all(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def execute_many(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)
