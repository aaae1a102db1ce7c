"""A job whose every byte and name is an attack is shown, served and administered without doing anything."""

import pickle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services import create_api_key
from jobs.models import Batch, Function, Job, JobLog
from jobs.states import Status
from tests.submitting import Api, run_all

MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
OUTPUT = f"{MARKUP}\n\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202eliam\n{{{{ 7 * 7 }}}}{{% debug %}}\n"
ALIVE = ("<script>alert", "<img src=x", 'onerror="')


class Canary:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "opened"


@pytest.fixture
def hostile_job(alice: Any, canary: Path, base_environment: Any, file_store: Any) -> Batch:
    evil = pickle.dumps(Canary(canary))
    api = Api(alice)
    client = {"python": "3.11", "hostname": MARKUP, "version": MARKUP}
    options = {"label": MARKUP, "env_vars": {"A": MARKUP}}
    assert api.submit([evil], function=evil, options=options, client=client).status_code == 201
    Function.objects.update(name=MARKUP, module=MARKUP)
    run_all(alice, status=Status.ERROR, result=evil, error_text=MARKUP)
    batch = Batch.objects.get()
    for stream in ("stdout", "stderr", "logging"):
        JobLog.objects.update_or_create(job=Job.objects.get(), stream=stream, defaults={"head": OUTPUT, "tail": OUTPUT})
    create_api_key(user=alice, note=MARKUP)
    stored = api.client.put(f"/api/v1/files/{quote(MARKUP.replace('/', ''), safe='')}", evil, content_type="text/html")
    assert stored.status_code == 200
    return batch


@pytest.mark.parametrize(
    "path", ["/jobs/", "/jobs/1/", "/jobs/rows/?ids=1", f"/jobs/?text={quote(MARKUP)}", "/files/", "/account/keys/"]
)
def test_pages_show_it_as_text(hostile_job: Batch, alice_client: Client, canary: Path, path: str) -> None:
    text = alice_client.get(path).content.decode()
    assert [attack for attack in ALIVE if attack in text] == []
    # Escapes that a terminal obeys, and marks that turn text round, are written out.
    assert [mark for mark in ("\x1b", "\x07", "\u202e") if mark in text] == []
    assert not canary.exists()


def test_admin_site_shows_it_as_text(hostile_job: Batch, client: Client, canary: Path) -> None:
    client.force_login(User.objects.create_superuser("olga"))
    for model in admin.site._registry:
        names = (model._meta.app_label, model._meta.model_name)
        pages = [reverse("admin:{}_{}_changelist".format(*names))] if names[0] != "django_rq" else []
        if pages and (row := model._default_manager.first()):
            pages.append(reverse("admin:{}_{}_change".format(*names), args=[row.pk]))
        for page in pages:
            answer = client.get(page)
            assert answer.status_code == 200, page
            assert [attack for attack in ALIVE if attack in answer.content.decode()] == [], page
    assert not canary.exists()


@pytest.mark.parametrize("path", ["function", "arguments", "logs"])
def test_api_serves_it_as_bytes_that_no_browser_shows(hostile_job: Batch, alice: Any, canary: Path, path: str) -> None:
    answer = Api(alice).get(f"jobs/1/{path}")
    assert answer["Content-Type"] in ("application/octet-stream", "text/plain; charset=utf-8")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not canary.exists()


def test_everything_else_is_done_without_opening_it(hostile_job: Batch, alice: Any, canary: Path) -> None:
    api = Api(alice)
    assert api.post("info", {"jids": [1], "fields": ["all"]}).status_code == 200
    assert api.post("jobs/1/rerun", {}).status_code == 201
    assert api.post("kill", {"jids": None}).json() == {"killed": 1, "stopping": 0}
    assert api.post("delete", {"jids": [[1, 2]]}).json() == {"deleted": 2}
    assert not canary.exists()


def test_canary_sings(canary: Path) -> None:
    pickle.loads(pickle.dumps(Canary(canary)))
    assert canary.exists()
