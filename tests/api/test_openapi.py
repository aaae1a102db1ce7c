"""The document of the API is the API: its addresses, methods, answers and codes are those that there are."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from api import live, urls
from api.codes import ERRORS
from api.fields import FIELDS
from api.openapi import document
from api.operations import OPERATIONS
from common import packs
from tests.submitting import Api, header, run_all, submit

ROOT = Path(__file__).resolve().parents[2]


def address_of(pattern: URLPattern) -> str:
    """The address as the document writes it: /api/v1/jobs/{jid}/function."""
    written = str(pattern.pattern).removeprefix("^").removesuffix("\\Z")
    written = re.sub(r"\(\?P<(\w+)>\(\?s:\.\+\)\)", r"{\1}", written)
    return "/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", written)


def methods_at(client: Client, address: str) -> set[str]:
    """What the server says it takes there."""
    answer = client.generic("OPTIONS", re.sub(r"{\w+}", "1", address))
    assert answer.status_code == 405
    allowed = set(answer["Allow"].split(", "))
    # Said by itself only where it is a method of its own.
    return allowed - {"HEAD"} if address != "/api/v1/files/{name}" else allowed


def served(client: Client) -> Iterator[tuple[str, str]]:
    addresses = ["/healthz", *(address_of(pattern) for pattern in urls.urlpatterns if pattern.name)]
    for address in addresses:
        yield from ((method, address) for method in methods_at(client, address))
    for route in live.application.routes:
        written = re.sub(r"{(\w+):\w+}", r"{\1}", route.path)  # type: ignore[attr-defined]
        yield from ((method, written) for method in route.methods - {"HEAD"})  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_every_address_and_method_is_in_the_document_and_the_other_way_round(client: Client) -> None:
    described = {(op.method, op.server + op.path) for op in OPERATIONS}
    assert len(described) == len(OPERATIONS)
    assert described == set(served(client))


def test_document_is_valid() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_document_is_for_anybody_and_kept_for_a_while(client: Client) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.json() == document()
    assert answer["Cache-Control"] == "public, max-age=300"
    assert client.get("/api/v1/openapi.json", headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_fields_of_a_job_are_those_of_info() -> None:
    properties = document()["components"]["schemas"]["JobFields"]["properties"]
    assert list(properties) == list(FIELDS)


# -- codes -------------------------------------------------------------------------------------

# What pages and commands alone can run into.
OF_PAGES = {
    *("bad_email", "bad_password", "bad_theme", "bad_username", "email_taken", "sign_up_closed", "too_many_tries"),
    *("bad_kind", "bad_price", "bad_time", "page_unknown", "rate_overlaps"),
    *("bad_move", "name_taken", "not_draining", "not_managed", "provider_failed"),
    *("batch_unknown", "no_file", "no_queue", "stream_unknown", "too_many", "username_taken"),
}
ROOMS = ["api", "billing", "realtime", "crons", "jobs", "storage", "accounts", "common", "picloud_site"]


def makers() -> set[str]:
    """Names of what is called with a code first: the exceptions and what makes them."""
    classes = {
        node.name
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and any("Refused" in ast.unparse(base) for base in node.bases)
    }
    return {"Refused", "error_body", "_refuse", "_problem", "__init__", *classes}


def codes_in_code() -> set[str]:
    known = makers()
    return {
        node.args[0].value
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in known
        and len(node.args) > 1
        and isinstance(node.args[0], ast.Constant)
        and re.fullmatch("[a-z0-9_]+", str(node.args[0].value))
    }


def test_every_code_is_explained_and_can_come() -> None:
    assert set(ERRORS) == codes_in_code() - OF_PAGES
    assert codes_in_code() >= OF_PAGES


def test_every_code_belongs_to_an_operation() -> None:
    text = json.dumps(document()["paths"])
    assert [code for code in ERRORS if f"`{code}`" not in text and code != "address_unknown"] == []


def test_page_about_the_api_explains_the_same_codes() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", (ROOT / "docs/reference/rest.md").read_text(), re.MULTILINE)
    assert dict(rows) == {code: str(status) for code, (status, _) in ERRORS.items()}


# -- answers -----------------------------------------------------------------------------------


def closed(schema: Any) -> Any:
    """The schema, in which an object has nothing but what is described."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    more = {name: closed(part) for name, part in schema.items()}
    return {"additionalProperties": False, **more} if "properties" in schema else more


def check(answer: Any, method: str, path: str) -> None:
    """Hold an answer in JSON against what the document promises for it."""
    responses = document()["paths"][path][method.lower()]["responses"]
    schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
    whole = {"components": closed(document()["components"]), **closed(schema)}
    Draft202012Validator(whole).validate(answer.json())


@pytest.fixture
def some_jobs(alice: Any, base_environment: Any) -> None:
    submit(alice, count=2, options={"label": "videos"})
    run_all(alice)
    submit(alice, options={"depends_on": [[1, 1]]})


READS = [
    *("/jobs", "/files", "/keys", "/account", "/core-types", "/environments", "/jobs/{jid}", "/crons"),
    *("/realtime", "/realtime/windows", "/billing"),
]


@pytest.mark.parametrize("path", READS)
@pytest.mark.usefixtures("base_environment", "file_store", "some_jobs")
def test_reads_answer_as_described(alice_api: Api, path: str) -> None:
    alice_api.client.put("/api/v1/files/a.txt", b"some text", content_type="text/plain")
    for jid in (1, 3):
        check(alice_api.get(path[1:].replace("{jid}", str(jid))), "GET", f"/api/v1{path}")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/info", {"jids": [[1, 3]], "fields": ["all"]}, 200),
        ("/info", {"jids": [1, [2, 3]], "fields": ["memory.max_usage"]}, 200),
        ("/info", {"jids": [[1, 9]]}, 404),
        ("/kill", {"jids": [[1, 3]]}, 200),
        ("/kill", {"jids": None}, 200),
        ("/delete", {"jids": [[1, 2]]}, 200),
        ("/delete", {"jids": [[3, 3]]}, 409),
        ("/keys", {"note": "laptop"}, 201),
        ("/keys", {"note": 5}, 400),
        ("/files/{name}/upload", {"size": 5}, 200),
        ("/files/{name}/upload", {"size": 10**12}, 413),
        ("/jobs/{jid}/rerun", {}, 201),
    ],
)
@pytest.mark.usefixtures("base_environment", "file_store", "some_jobs")
def test_posts_answer_as_described(alice_api: Api, path: str, body: Any, status: int) -> None:
    answer = alice_api.post(path[1:].replace("{jid}", "1").replace("{name}", "a"), body)
    assert answer.status_code == status
    check(answer, "POST", f"/api/v1{path}")


def test_health_answers_as_described(client: Client, db: None) -> None:
    check(client.get("/healthz"), "GET", "/healthz")


def test_headers_of_packs_are_as_described(alice: Any, some_jobs: None) -> None:
    schemas = closed(document()["components"])
    submitted = header([b"a"], options={"label": None, "depends_on": [], "env_vars": {"A": "b"}})
    answered = live._look(live.Asked(alice.pk, ((1, 3),), 0, with_data=True, max_bytes=0), final=True)[1]
    assert answered
    for name, found in (("SubmitHeader", submitted), ("ResultsHeader", packs.parse(answered)[0])):
        Draft202012Validator({"components": schemas, "$ref": f"#/components/schemas/{name}"}).validate(found)


def test_examples_are_valid() -> None:
    schemas = document()["components"]["schemas"]
    for schema in schemas.values():
        for example in schema.get("examples", []):
            Draft202012Validator({"components": {"schemas": schemas}, **schema}).validate(example)
