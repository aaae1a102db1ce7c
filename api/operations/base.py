"""What an operation is, and the small words that the tables of operations are written in."""

from dataclasses import dataclass, field
from typing import Any

from api.shapes import Schema, ref, text, whole
from common.packs import CONTENT_TYPE as PACK


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one address. `answers` has what succeeds, by status; `errors` the codes of what fails."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    answers: dict[int, Schema]
    description: str = ""
    body: Schema | None = None
    parameters: tuple[Schema, ...] = ()
    errors: tuple[str, ...] = ()
    security: tuple[str, ...] = ("key", "job")
    server: str = field(default="/api/v1", compare=False)


def content(media_type: str, schema: Schema, **more: Any) -> Schema:
    return {media_type: {"schema": schema, **more}}


def answer(description: str, schema: Schema | None = None) -> Schema:
    """An answer in JSON, or one without a body."""
    body = {"content": content("application/json", schema)} if schema else {}
    return {"description": description, **body}


def raw(description: str, media_type: str, **headers: str) -> Schema:
    """An answer of bytes."""
    named = {name: {"description": about, "schema": text()} for name, about in headers.items()}
    body: Schema = {"description": description, "content": content(media_type, {})}
    return {**body, "headers": named} if named else body


def pack(description: str, header: str) -> Schema:
    about = f"{description} A pack whose header is a `{header}`."
    return {"description": about, "content": content(PACK, {"description": about}, **{"x-header": ref(header)})}


def question(schema: Schema, *, required: bool = True) -> Schema:
    return {"required": required, "content": content("application/json", schema)}


def in_path(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def in_query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def in_header(name: str, description: str) -> Schema:
    return {"name": name, "in": "header", "description": description, "schema": text()}


JID = in_path("jid", whole(minimum=1), "Number of a job of the account.")
