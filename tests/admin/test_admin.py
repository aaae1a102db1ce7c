"""Every page of the admin site answers, and what must not be edited cannot be."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import ApiKey, User
from billing.models import LedgerEntry, Rate
from jobs.models import ArgumentPack, Batch, CorePrice, CoreType, Job, JobEvent, JobResult, ModuleArchive
from storage.bucket import ObjectMissing, bucket
from storage.models import Blob, StoredFile
from tests.admin.conftest import add_job

ROOMS = ("accounts", "storage", "environments", "jobs", "billing")
OURS = [model for room in ROOMS for model in apps.get_app_config(room).get_models()]
EDITED = [User, CoreType]
ADDED = [User, CoreType, CorePrice, LedgerEntry, Rate]


def page(model: Any, what: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def name(model: Any) -> str:
    found: str = model._meta.model_name
    return found


def test_it_is_called_by_our_name(admin_site: Client) -> None:
    assert "<title>Operate this installation | PiCloud</title>" in admin_site.get("/admin/").content.decode()


def test_every_model_is_there() -> None:
    assert [model for model in OURS if not admin.site.is_registered(model)] == []


@pytest.mark.parametrize("model", OURS, ids=name)
def test_list_and_detail_answer(admin_site: Client, rows: User, model: Any) -> None:
    row = model.objects.first()
    assert row is not None
    listed = admin_site.get(page(model, "changelist"))
    detail = admin_site.get(page(model, "change", row.pk))
    assert (listed.status_code, detail.status_code) == (200, 200)
    for answer in (listed, detail):
        assert b"touch /tmp/opened" not in answer.content
        assert b"<script>alert" not in answer.content


@pytest.mark.parametrize("model", OURS, ids=name)
def test_search_answers(admin_site: Client, rows: User, model: Any) -> None:
    words = ["1", "alice", "alice 2", "9" * 40, "%' OR 1=1 --", "\u202e", "²", "a\0b"]
    answers = {word: admin_site.get(page(model, "changelist"), {"q": word}).status_code for word in words}
    assert answers == dict.fromkeys(words, 200)


@pytest.mark.parametrize("model", OURS, ids=name)
def test_filters_answer(admin_site: Client, rows: User, model: Any) -> None:
    listed = admin_site.get(page(model, "changelist")).context["cl"]
    links = [choice["query_string"] for spec in listed.filter_specs for choice in spec.choices(listed)]
    assert [link for link in links if admin_site.get(page(model, "changelist") + link).status_code != 200] == []


@pytest.mark.parametrize("model", OURS, ids=name)
def test_list_costs_the_same_for_three_rows_and_for_many(
    admin_site: Client, rows: User, model: Any, django_assert_max_num_queries: Any
) -> None:
    for jid in range(10, 30):
        add_job(rows, jid=jid)
    with django_assert_max_num_queries(12):
        admin_site.get(page(model, "changelist"))


@pytest.mark.parametrize("model", OURS, ids=name)
def test_strangers_and_users_are_kept_out(client: Client, rows: User, alice_client: Client, model: Any) -> None:
    row = model.objects.first()
    for path in (page(model, "changelist"), page(model, "change", row.pk)):
        for person in (client, alice_client):
            answer = person.get(path)
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("model", [model for model in OURS if model not in EDITED], ids=name)
def test_what_services_write_is_not_edited(admin_site: Client, rows: User, model: Any) -> None:
    row = model.objects.first()
    before = model.objects.values().get(pk=row.pk)
    assert admin_site.post(page(model, "change", row.pk), {"name": "x", "size": "5"}).status_code == 403
    assert model.objects.values().get(pk=row.pk) == before


@pytest.mark.parametrize("model", [model for model in OURS if model not in ADDED], ids=name)
def test_what_services_write_is_not_added(admin_site: Client, rows: User, model: Any) -> None:
    assert admin_site.get(page(model, "add")).status_code == 403
    assert admin_site.post(page(model, "add"), {}).status_code == 403


@pytest.mark.parametrize("model", [model for model in OURS if model is not StoredFile], ids=name)
def test_only_files_are_deleted(admin_site: Client, rows: User, model: Any) -> None:
    row = model.objects.first()
    assert admin_site.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_site.post(page(model, "changelist"), action)
    assert model.objects.filter(pk=row.pk).exists()


def act(client: Client, model: Any, action: str, *rows: Any) -> Any:
    form = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(page(model, "changelist"), form, follow=True)


def test_files_are_deleted_with_their_bytes(
    admin_site: Client, rows: User, django_capture_on_commit_callbacks: Any
) -> None:
    file = StoredFile.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        admin_site.post(page(StoredFile, "delete", file.pk), {"post": "yes"})
    assert not StoredFile.objects.exists()
    with pytest.raises(ObjectMissing):
        bucket().read_bytes(file.key)


def test_several_files_are_deleted_at_once(admin_site: Client, rows: User) -> None:
    form = {"action": "delete_selected", "_selected_action": [StoredFile.objects.get().pk], "post": "yes"}
    admin_site.post(page(StoredFile, "changelist"), form)
    assert not StoredFile.objects.exists()


def test_jobs_are_killed_through_the_service(admin_site: Client, rows: User) -> None:
    answer = act(admin_site, Job, "kill", *Job.objects.all())
    assert "1 jobs are killed or stopping" in answer.content.decode()
    assert list(Job.objects.order_by("jid").values_list("status", "reason")) == [
        ("done", ""),
        ("done", ""),
        ("killed", "user"),
    ]
    assert JobEvent.objects.filter(name="job.killed").count() == 1


def test_batches_are_killed_through_the_service(admin_site: Client, rows: User) -> None:
    act(admin_site, Batch, "kill", Batch.objects.get(n_queued=1))
    assert Job.objects.get(jid=3).status == "killed"


def test_keys_are_deactivated_and_their_secret_is_not_shown(admin_site: Client, rows: User) -> None:
    key = ApiKey.objects.get()
    act(admin_site, ApiKey, "deactivate", key)
    assert not ApiKey.objects.get().is_active
    assert key.secret_sha256 not in admin_site.get(page(ApiKey, "change", key.pk)).content.decode()


@pytest.mark.parametrize("model", [Blob, JobResult, ArgumentPack, ModuleArchive])
def test_pickled_bytes_are_not_even_fetched(admin_site: Client, rows: User, model: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        admin_site.get(page(model, "changelist"))
        admin_site.get(page(model, "change", model.objects.values_list("pk", flat=True)[0]))
    assert [query["sql"] for query in queries if '"inline"' in query["sql"]] == []


def test_account_is_made_and_closed(admin_site: Client, db: None) -> None:
    form = {
        "username": "dora",
        "email": "",
        "usable_password": "true",
        "password1": "a good long one",
        "password2": "a good long one",
    }
    assert admin_site.post(page(User, "add"), form).status_code == 302
    assert admin_site.post(page(User, "add"), form | {"username": "emil"}).status_code == 302
    dora = User.objects.get(username="dora")
    change = {"username": "dora", "email": "", "time_zone": "UTC", "first_name": "", "last_name": ""}
    assert admin_site.post(page(User, "change", dora.pk), change).status_code == 302
    dora.refresh_from_db()
    assert not dora.is_active
    assert LogEntry.objects.count() == 3


CORE_TYPE = {
    "code": "x1",
    "description": "",
    "compute_units": "4",
    "memory_mb": "100",
    "disk_mb": "100",
    "max_processes": "10",
    "allowed_cores": "[1, 2]",
    "position": "9",
    "is_active": "on",
    "prices-TOTAL_FORMS": "0",
    "prices-INITIAL_FORMS": "0",
}


def test_core_type_is_added_and_changed(admin_site: Client, db: None) -> None:
    assert admin_site.post(page(CoreType, "add"), CORE_TYPE).status_code == 302
    assert admin_site.post(page(CoreType, "change", "x1"), CORE_TYPE | {"memory_mb": "200"}).status_code == 302
    assert CoreType.objects.get(code="x1").memory_mb == 200


@pytest.mark.parametrize("cores", ["", "[]", "[0]", "[-1]", '["1"]', "[1.5]", "5", "{}", "[true]", "nonsense"])
def test_core_type_with_bad_cores_is_refused(admin_site: Client, db: None, cores: str) -> None:
    answer = admin_site.post(page(CoreType, "add"), CORE_TYPE | {"allowed_cores": cores})
    assert answer.status_code == 200
    assert "allowed_cores" in answer.context["adminform"].form.errors


def test_price_is_added_and_then_stands(admin_site: Client, db: None) -> None:
    form = {
        "core_type": "c1",
        "per_core_hour": "0.07",
        "effective_from_0": "2030-01-01",
        "effective_from_1": "00:00:00",
    }
    assert admin_site.post(page(CorePrice, "add"), form).status_code == 302
    price = CorePrice.objects.get(per_core_hour="0.07")
    assert admin_site.post(page(CorePrice, "change", price.pk), form | {"per_core_hour": "1"}).status_code == 403


def test_negative_price_is_refused(admin_site: Client, db: None) -> None:
    form = {"core_type": "c1", "per_core_hour": "-1", "effective_from_0": "2030-01-01", "effective_from_1": "00:00"}
    assert admin_site.post(page(CorePrice, "add"), form).status_code == 200
    assert not CorePrice.objects.filter(per_core_hour__lt=0).exists()


def test_counting_stops_early(rows: User, monkeypatch: pytest.MonkeyPatch, admin_site: Client) -> None:
    monkeypatch.setattr("common.admin.COUNTED", 2)
    assert admin_site.get(page(Job, "changelist")).context["cl"].result_count == 2
