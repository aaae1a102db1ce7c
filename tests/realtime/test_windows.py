"""Windows: reservations that come every week by themselves, ahead of their start."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from realtime.models import Reservation, ReservationWindow
from realtime.services.assign import assign
from realtime.services.mails import send_mails
from realtime.services.windows import open_windows
from realtime.states import EndReason, State
from tests.realtime.workers import Workers

pytestmark = pytest.mark.usefixtures("base_environment", "workers")
FORM = {
    "core_type": "c1", "cores": "1", "weekdays": ["0", "1", "2", "3", "4"], "begins": "09:00", "ends": "18:00",
    "timezone": "Europe/Berlin",
}  # fmt: skip


def make(client: Client, **fields: Any) -> Any:
    return client.post("/realtime/windows/new/", FORM | fields, follow=True)


def next_start() -> datetime:
    moment = ReservationWindow.objects.get().next_at
    assert moment is not None
    return moment


def test_cores_are_ready_at_the_start_and_go_at_the_end(alice_client: Client, workers: Workers) -> None:
    page = make(alice_client).content.decode()
    assert "Window 1 is kept: Monday to Friday 09:00–18:00 Europe/Berlin." in page
    start = next_start()
    assert open_windows(start - timedelta(minutes=6)) == 0
    assert open_windows(start - timedelta(minutes=4)) == 1
    assert open_windows(start - timedelta(minutes=3)) == 0
    row = Reservation.objects.get()
    assert (row.starts_at, row.until) == (start, start + timedelta(hours=9))
    assign(start - timedelta(minutes=4))
    workers.follow()
    assign(start - timedelta(minutes=1))
    assert Reservation.objects.get().state == State.PENDING
    assign(start)
    assert Reservation.objects.get().ready_at == start
    assign(start + timedelta(hours=9, seconds=2))
    row = Reservation.objects.get()
    assert (row.end_reason, row.ended_at) == (EndReason.WINDOW_OVER, start + timedelta(hours=9))
    assert next_start() > start + timedelta(hours=10)


def test_after_a_downtime_the_rest_of_the_stretch_is_reserved(alice_client: Client) -> None:
    make(alice_client)
    start = next_start()
    assert open_windows(start + timedelta(days=21, hours=4)) == 1
    row = Reservation.objects.get()
    assert row.starts_at.astimezone(UTC).weekday() == start.weekday()
    assert row.starts_at > start + timedelta(days=20)


def test_what_is_over_the_limits_is_told(alice_client: Client, settings: Any) -> None:
    make(alice_client, cores="2")
    settings.REALTIME_MAX_CORES = 1
    assert open_windows(next_start()) == 0
    row = Reservation.objects.get()
    assert (row.state, row.end_reason, row.price_micros) == (State.ENDED, EndReason.DENIED, 0)
    assert "An account can reserve 1 core at a time here" in row.note
    send_mails()
    assert "An account can reserve 1 core" in mail.outbox[0].body


def test_removing(alice_client: Client, charlie_client: Client) -> None:
    make(alice_client)
    start = next_start()
    open_windows(start)
    assert charlie_client.post("/realtime/windows/1/remove/").status_code == 404
    assert "Window 1 is removed" in alice_client.post("/realtime/windows/1/remove/", follow=True).content.decode()
    assert Reservation.objects.get().end_reason == EndReason.WITHDRAWN
    assert open_windows(start + timedelta(days=30)) == 0
    assert alice_client.post("/realtime/windows/1/remove/").status_code == 404


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"weekdays": []}, "This field is required"),
        ({"weekdays": ["7"]}, "Select a valid choice"),
        ({"begins": "9 o'clock"}, "Enter a valid time"),
        ({"ends": "09:00"}, "give it a length"),
        ({"timezone": "Mars/Base"}, "There is no time zone"),
        ({"cores": "0"}, "cores must be a whole number"),
        ({"cores": "3"}, "An account can reserve 2 cores at a time here"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(alice_client: Client, form: dict[str, Any], said: str) -> None:
    page = make(alice_client, **form)
    assert page.status_code == 400
    assert said in page.content.decode().replace("&#x27;", "'")
    assert not ReservationWindow.objects.exists()


def test_window_in_a_zone_that_is_not_known_any_more_opens_by_utc(alice_client: Client) -> None:
    make(alice_client)
    start = next_start()
    ReservationWindow.objects.update(timezone="Europe/Atlantis")
    at_nine = start.replace(hour=9)
    assert open_windows(at_nine) == 1
    assert Reservation.objects.get().starts_at == at_nine
