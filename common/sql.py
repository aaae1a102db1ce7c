"""Small helps for the few statements that are written as SQL because thousands of rows pass through them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    TextField,
)


def db_time(moment: datetime | None) -> Any:
    """A moment as the parameter of a raw statement; SQLite keeps times as text."""
    if moment is None or connection.vendor != "sqlite":
        return moment
    return _as_text(moment)


def db_times(moments: Iterable[datetime]) -> list[Any]:
    """Many moments as parameters of raw statements."""
    return list(map(_as_text, moments)) if connection.vendor == "sqlite" else list(moments)


def read_time(value: Any) -> datetime:
    """A moment that a raw statement answered."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


@lru_cache(maxsize=1024)
def _as_text(moment: datetime) -> str:
    """As Django writes it: in UTC, without the zone. Kept, because the jobs of a chunk share their moments."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def among(numbers: Iterable[int]) -> tuple[str, Any]:
    """What follows a column that is one of these numbers, and its one parameter, however many they are."""
    if connection.vendor == "sqlite":
        return "IN (SELECT value FROM json_each(%s))", json.dumps(list(numbers))
    return "= ANY(%s)", list(numbers)


def from_json(value: Any) -> Any:
    """A JSON column of a raw statement: PostgreSQL answers what it holds, SQLite its text."""
    return json.loads(value) if isinstance(value, str) else value


def for_update(*, skip_locked: bool = False) -> str:
    """The row-locking clause, or nothing on SQLite, where a writing transaction holds the whole file."""
    if connection.vendor == "sqlite":
        return ""
    return " FOR UPDATE SKIP LOCKED" if skip_locked else " FOR UPDATE"


@lru_cache(maxsize=512)
def _in_sqlite(sql: str, marks: int) -> str:
    """The statement with SQLite's own marks, which Django would otherwise put in at each call."""
    return sql % (("?",) * marks)


def _execute(sql: str, params: Sequence[Any]) -> Any:
    """A cursor that has run the statement. On SQLite past Django's layers, which cost as much as the statement."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "sqlite" or database.queries_logged or database.execute_wrappers:
        cursor = database.cursor()
        cursor.execute(sql, params)
        return cursor
    database.ensure_connection()
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        return database.connection.execute(_in_sqlite(sql, len(params)), params)


def fetch_all(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = _execute(sql, params).fetchall()
    return rows


def fetch_one(sql: str, params: Sequence[Any]) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = _execute(sql, params).fetchone()
    return row


def execute(sql: str, params: Sequence[Any]) -> None:
    _execute(sql, params)


def execute_many(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    if len(rows) == 1:
        execute(sql, rows[0])
    elif rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)


# Fields whose values go into the database as they are.
_PLAIN = (BooleanField, CharField, IntegerField, TextField, ForeignKey)
Prepare = Callable[[Any], Any]


@cache
def _insert_plan(model: type[Model]) -> tuple[str, list[tuple["Field[Any, Any]", Prepare | None]]]:
    """The INSERT of a model's rows without their key; the fields in its order, and what their values go through."""
    fields = [field for field in model._meta.local_concrete_fields if field.attname != "id"]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    sql = f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks})'
    return sql, [(field, _preparation(field)) for field in fields]


def _preparation(field: "Field[Any, Any]") -> Prepare | None:
    if isinstance(field, _PLAIN):
        return None
    if isinstance(field, DateTimeField):
        return db_time
    return lambda value: field.get_db_prep_save(value, connection=connection)


def _row(plan: Sequence[tuple["Field[Any, Any]", Prepare | None]], values: Mapping[str, Any]) -> list[Any]:
    row = []
    for field, prepare in plan:
        name = field.attname
        value = values[name] if name in values else field.get_default()
        row.append(prepare(value) if prepare else value)
    return row


def insert_row(model: type[Model], **values: Any) -> int:
    """Insert one row by the names of its columns, with the model's defaults; answers its key.

    A third of the time of `objects.create`, which matters where each call of a function passes.
    """
    sql, plan = _insert_plan(model)
    row = fetch_one(f"{sql} RETURNING id", _row(plan, values))
    assert row is not None
    return int(row[0])


def insert_rows(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows by the names of their columns, with the model's defaults."""
    sql, plan = _insert_plan(model)
    execute_many(sql, [_row(plan, values) for values in rows])


# In one statement: its text and its one parameter stay small enough for either database.
ROWS_AT_ONCE = 2_000


class Copied(NamedTuple):
    """Columns that new rows have like rows of another table; each row names its by `source_id`."""

    source: type[Model]
    columns: Sequence[str]


def insert_many(
    model: type[Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    copied: Copied | None = None,
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert many rows in few statements, with the model's defaults; answers these columns of each, in any order.

    All rows name the same columns. They travel as one parameter in JSON: to bind each value costs more than the rest.
    """
    if not rows:
        return []
    names, alike = list(rows[0]), list(copied.columns) if copied else []
    fields = {field.attname: field for field in model._meta.local_concrete_fields if field.attname != "id"}
    given = {name: value for name, value in zip(names, _in_json(names, fields), strict=True) if name != "source_id"}
    others = [field for name, field in fields.items() if name not in given and name not in alike]
    columns = ", ".join(f'"{fields[name].column}"' for name in (*given, *alike, *(field.attname for field in others)))
    values = ", ".join((*given.values(), *(f"source.{name}" for name in alike), *["%s"] * len(others)))
    sql = f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {values} FROM {_rows_in_json()}'
    if copied:
        # CROSS, or SQLite might look through all of them for each row.
        number = _in_json(names, fields)[names.index("source_id")]
        sql += f' CROSS JOIN "{copied.source._meta.db_table}" source WHERE source.id = {number}'
    if returning:
        sql += f" RETURNING {', '.join(returning)}"
    defaults = _row([(field, _preparation(field)) for field in others], {})
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = [[row[name] for name in names] for row in rows[start : start + ROWS_AT_ONCE]]
        parameters = [*defaults, json.dumps(part, separators=(",", ":"), default=_as_text)]
        if returning:
            found += fetch_all(sql, parameters)
        else:
            execute(sql, parameters)
    return found


def _rows_in_json() -> str:
    """Each row of a parameter in JSON as `row.value`, a list of its values."""
    return "json_each(%s) row" if connection.vendor == "sqlite" else "jsonb_array_elements(CAST(%s AS jsonb)) row"


def _in_json(names: Sequence[str], fields: Mapping[str, "Field[Any, Any]"]) -> list[str]:
    """The values of a row in JSON, each as its column takes it."""
    if connection.vendor == "sqlite":
        return [f"json_extract(row.value, '$[{place}]')" for place in range(len(names))]
    types = {name: field.db_type(connection) for name, field in fields.items()} | {"source_id": "bigint"}
    # An object is itself, anything else is read from its text.
    return [
        f"row.value -> {place}" if types[name] == "jsonb" else f"CAST(row.value ->> {place} AS {types[name]})"
        for place, name in enumerate(names)
    ]
