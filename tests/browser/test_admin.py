"""The admin site in a browser: nothing of it is stopped by the content security policy."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import expect

from accounts.services import create_user
from jobs.models import CorePrice
from jobs.services.dispatch import WorkKind, enqueue_ticket
from tests.admin.conftest import add_job
from tests.crons.making import make
from tests.crons.rows import make_run

# django-rq's list of tickets calls a function of the admin site that Django renamed. Nothing hangs on it.
OLD_ACTIONS = ("actions is not a function", "reading 'dataset'")


def addresses() -> Iterator[str]:
    """The lists of the admin site, and of each the first row."""
    for model in admin.site._registry:
        if model._meta.app_label in ("accounts", "storage", "jobs", "crons"):
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            yield reverse(f"{name}_changelist")
            if row := model._default_manager.first():
                yield reverse(f"{name}_change", args=[row.pk])


def test_no_page_breaks_the_policy(watched: Any, alice: Any) -> None:
    add_job(alice, jid=1)
    make_run(make(alice))
    enqueue_ticket(WorkKind(alice.pk, "c1", 1))
    page = watched.page(create_user(username="olga", password="P", is_staff=True))
    for path in [reverse("admin:django_rq_jobs", args=[0]), reverse("admin:django_rq_home"), "/admin/", *addresses()]:
        answer = page.goto(path)
        assert answer is not None
        watched.faults[:] = [fault for fault in watched.faults if not any(known in fault for known in OLD_ACTIONS)]
        assert (path, answer.status, watched.faults) == (path, 200, [])


def test_price_is_added_with_the_calendar(watched: Any, db: None) -> None:
    page = watched.page(create_user(username="olga", password="P", is_staff=True))
    page.goto(reverse("admin:jobs_coreprice_add"))
    page.get_by_label("Core type").select_option("c1")
    page.get_by_label("Per core hour").fill("0.06")
    page.get_by_role("link", name="Today").click()
    page.get_by_role("link", name="Now").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert CorePrice.objects.filter(per_core_hour="0.06").exists()
