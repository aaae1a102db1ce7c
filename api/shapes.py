"""Pieces that JSON Schemas are made of."""

from typing import Any

Schema = dict[str, Any]


def text(description: str = "", **more: Any) -> Schema:
    return {"type": "string", **_described(description), **more}


def whole(description: str = "", **more: Any) -> Schema:
    return {"type": "integer", **_described(description), **more}


def number(description: str = "", **more: Any) -> Schema:
    return {"type": "number", **_described(description), **more}


def flag(description: str = "", **more: Any) -> Schema:
    return {"type": "boolean", **_described(description), **more}


def moment(description: str = "") -> Schema:
    return text(description, format="date-time")


def or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def array(items: Schema, description: str = "", **more: Any) -> Schema:
    return {"type": "array", "items": items, **_described(description), **more}


def mapping(values: Schema, description: str = "") -> Schema:
    return {"type": "object", "additionalProperties": values, **_described(description)}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, **({"required": required} if required else {}), **more}


def _described(description: str) -> Schema:
    return {"description": description} if description else {}


JID = whole("Number of a job in its account.", minimum=1)
COUNTS = mapping(whole(minimum=0), "How many jobs have each status; statuses that none has may be left out.")
MONEY = text("Dollars as a decimal number, exact.", pattern=r"^-?\d+(\.\d+)?$")
