"""Reservations for the operator: looked at, denied and ended; by nobody else."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from realtime.models import Reservation, ReservationEvent, ReservationWindow
from realtime.services.mails import send_mails
from realtime.states import EndReason, State
from tests.realtime.rows import make_one_of_each

LIST = "admin:realtime_reservation_changelist"


@pytest.fixture
def some(alice: Any) -> None:
    make_one_of_each(alice)


def stop(client: Client, *numbers: int) -> Any:
    chosen = Reservation.objects.filter(number__in=numbers).values_list("pk", flat=True)
    form = {"action": "deny_or_end", "_selected_action": list(chosen)}
    return client.post(reverse(LIST), form, follow=True)


@pytest.mark.parametrize("model", [Reservation, ReservationEvent, ReservationWindow])
def test_all_of_everybody_are_shown(admin_site: Client, some: None, model: Any) -> None:
    name = f"admin:realtime_{model._meta.model_name}"
    listed = admin_site.get(reverse(f"{name}_changelist"), {"q": "alice"})
    detail = admin_site.get(reverse(f"{name}_change", args=[model.objects.first().pk]))
    assert (listed.status_code, detail.status_code) == (200, 200)
    assert b"alice" in listed.content


def test_pending_is_denied_and_active_ended_with_a_mail(admin_site: Client, operator: Any, some: None) -> None:
    page = stop(admin_site, 1, 4, 7).content.decode()
    assert "2 reservations are ended" in page
    reasons = dict(Reservation.objects.filter(number__in=(1, 4, 7)).values_list("number", "end_reason"))
    assert reasons == {1: EndReason.RELEASED, 4: EndReason.STOPPED, 7: EndReason.DENIED}
    assert {event.by for event in ReservationEvent.objects.filter(name="reservation.ended")} == {operator}
    send_mails()
    assert sorted(letter.subject for letter in mail.outbox) == [
        "[PiCloud] Request 4 for 8 c2 cores was ended by the operator",
        "[PiCloud] Request 7 for 160 c2 cores is denied",
    ]


def test_nobody_else_may(alice_client: Client, some: None) -> None:
    assert "/admin/login/" in stop(alice_client, 4).redirect_chain[0][0]
    assert Reservation.objects.get(number=4).state == State.ACTIVE
