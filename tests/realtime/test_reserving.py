"""From the form to ready cores, to their end: what the clock and the workers do, and what is mailed."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import Dedication
from realtime.models import Host, Reservation, ReservationEvent
from realtime.services.assign import assign
from realtime.services.change import stop
from realtime.services.count import count_usage
from realtime.services.learn import learn
from realtime.services.mails import send_mails
from realtime.states import EndReason, State
from tests.realtime.workers import Workers
from tests.submitting import claim, finish, submit

pytestmark = pytest.mark.usefixtures("base_environment", "workers")
ONE, TWO = "host:8000:1", "host:8000:2"


def ask(client: Client, cores: Any = 1, core_type: str = "c1", **fields: Any) -> Any:
    """Sends the form as a browser without script does, with the key that it holds."""
    key = re.search(r'name="request_key" value="(\w+)"', client.get("/realtime/").content.decode())
    assert key
    form = {"core_type": core_type, "cores": cores, "max_hours": "", "starts_at": "", "request_key": key[1]}
    return client.post("/realtime/", form | fields, follow=True)


def only() -> Reservation:
    return Reservation.objects.get()


def rounds(workers: Workers, *, now: datetime | None = None) -> None:
    """The clock marks, the workers follow, the clock sees it."""
    assign(now)
    workers.follow()
    assign(now)


def test_cores_become_ready_and_a_mail_says_so(alice: Any, alice_client: Client, workers: Workers) -> None:
    page = ask(alice_client).content.decode()
    assert "Request 1 is made" in page
    assert "Pending" in page
    row = only()
    assert (row.state, row.price_micros, row.ready_at) == (State.PENDING, 15_000, None)
    assign()
    assert Dedication.objects.get().worker == ONE
    assert only().state == State.PENDING, "a mark is no ready core"
    workers.follow()
    assert assign() == 1
    row = only()
    assert row.state == State.ACTIVE
    assert row.ready_at is not None
    assert send_mails() == 1
    assert send_mails() == 0
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.org"]
    assert letter.subject == "[PiCloud] 1 c1 core ready (request 1)"
    assert "/realtime/1/" in letter.body
    assert "Active" in alice_client.get("/realtime/").content.decode()


def test_nothing_is_ready_while_its_cores_run_other_jobs(alice_client: Client, workers: Workers) -> None:
    workers.tell(ONE, busy=1)
    workers.tell(TWO, busy=1)
    ask(alice_client)
    rounds(workers)
    assert (
        only().note
        == "0 of 1 core stand ready. 2 more still run other jobs: they follow as these end, and nothing is cut short."
    )
    assert Dedication.objects.count() == 2
    workers.tell(TWO, busy=0)
    rounds(workers)
    assert only().state == State.ACTIVE
    # The other one was only marked, and serves everybody again.
    assert [row.worker for row in Dedication.objects.all()] == [TWO]


def test_cores_are_expected_when_runs_like_these_have_ended(bob: Any, alice_client: Client, workers: Workers) -> None:
    submit(bob, count=4)
    ran = claim(bob, worker=ONE)
    assert ran
    finish(ran, worker=ONE, run_ms=600_000)
    for name in (ONE, TWO):
        assert claim(bob, worker=name)
        workers.tell(name, busy=1)
    ask(alice_client)
    assign()
    assert only().expected_at is None, "nobody knows how long these run"
    learn()
    assign()
    expected = only().expected_at
    assert expected is not None
    # One of the two, which take ten minutes each.
    assert timedelta(minutes=2) < expected - datetime.now(UTC) < timedelta(minutes=10)
    assert "Expected <time" in alice_client.get("/realtime/").content.decode()
    workers.tell(ONE, busy=0)
    rounds(workers)
    assert only().expected_at is None


def test_the_queue_is_read_once_for_all_that_wait_for_running_jobs(
    alice_client: Client, bob_client: Client, workers: Workers
) -> None:
    for name in (ONE, TWO):
        workers.tell(name, busy=1)
    ask(alice_client)
    ask(bob_client)
    with CaptureQueriesContext(connection) as queries:
        assign()
    assert Reservation.objects.filter(note__contains="still run other jobs").count() == 2
    assert sum("WITH queued AS" in query["sql"] for query in queries) == 1


def test_release_gives_the_worker_back_to_everybody(alice_client: Client, workers: Workers) -> None:
    ask(alice_client)
    rounds(workers)
    page = alice_client.post("/realtime/1/release/", follow=True).content.decode()
    assert "Request 1 is released" in page
    assert only().end_reason == EndReason.RELEASED
    rounds(workers)
    assert not Dedication.objects.exists()
    assert alice_client.post("/realtime/1/release/").status_code == 409


def test_release_before_it_is_ready_withdraws_it(alice_client: Client, workers: Workers) -> None:
    ask(alice_client)
    assign()
    page = alice_client.post("/realtime/1/release/", follow=True).content.decode()
    assert "is withdrawn; it cost nothing" in page
    assign()
    row = only()
    assert (row.end_reason, row.ready_at, Dedication.objects.count()) == (EndReason.WITHDRAWN, None, 0)


def test_two_tabs_with_the_same_form_ask_once(alice_client: Client) -> None:
    ask(alice_client, request_key="0123456789abcdef")
    page = ask(alice_client, request_key="0123456789abcdef").content.decode()
    assert "was made before, and not again" in page
    assert Reservation.objects.count() == 1
    other = ask(alice_client, cores=2, request_key="0123456789abcdef")
    assert (other.status_code, Reservation.objects.count()) == (400, 1)
    assert b"for other cores" in other.content


def test_it_ends_at_its_maximum_duration_to_the_moment(alice_client: Client, workers: Workers) -> None:
    """A clock that is late does not make another hour begin."""
    ask(alice_client, max_hours=2)
    rounds(workers)
    ready = only().ready_at
    assert ready is not None
    assign(ready + timedelta(hours=2, minutes=7))
    row = only()
    assert (row.end_reason, row.ended_at) == (EndReason.MAX_DURATION, ready + timedelta(hours=2))
    send_mails()
    assert [letter.subject for letter in mail.outbox][1:] == [
        "[PiCloud] Request 1 for 1 c1 core has ended after its maximum duration"
    ]
    count_usage(ready + timedelta(hours=3))
    row = only()
    assert (str(row.top_up), row.is_counted) == ("0.03", True)


def test_changing_how_long(alice_client: Client, workers: Workers) -> None:
    ask(alice_client, max_hours=2)
    rounds(workers)
    assert alice_client.post("/realtime/1/duration/", {"max_hours": "5"}).status_code == 302
    assert only().max_hours == 5
    Reservation.objects.update(ready_at=only().requested_at - timedelta(hours=3))
    page = alice_client.post("/realtime/1/duration/", {"max_hours": "3"})
    assert page.status_code == 400
    assert b"has lasted 3 h 00 m already" in page.content
    alice_client.post("/realtime/1/duration/", {"max_hours": ""})
    assert only().max_hours is None
    names = list(ReservationEvent.objects.values_list("name", flat=True))
    assert names == ["reservation.requested", "reservation.ready", "reservation.changed", "reservation.changed"]


def test_no_longer_than_others_have_reserved_the_cores_for(alice_client: Client, bob_client: Client) -> None:
    ask(alice_client, cores=2, max_hours=2)
    start = datetime.now(UTC) + timedelta(hours=4)
    ask(bob_client, cores=1, starts_at=f"{start:%Y-%m-%dT%H:%M}")
    page = alice_client.post("/realtime/1/duration/", {"max_hours": "9"})
    assert page.status_code == 400
    assert b"1 of them are reserved in that time, and 2 more are too many" in page.content
    assert alice_client.post("/realtime/1/duration/", {"max_hours": "3"}).status_code == 302


def test_a_start_to_come_is_prepared_ahead_and_paid_from_then(alice_client: Client, workers: Workers) -> None:
    start = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=2)
    ask(alice_client, starts_at=f"{start:%Y-%m-%dT%H:%M}")
    rounds(workers)
    assert not Dedication.objects.exists()
    rounds(workers, now=start - timedelta(minutes=4))
    assert (Dedication.objects.count(), only().state) == (1, State.PENDING)
    assign(start + timedelta(seconds=1))
    assert only().ready_at == start + timedelta(seconds=1)


def test_a_lost_worker_is_replaced(alice_client: Client, workers: Workers) -> None:
    ask(alice_client)
    rounds(workers)
    workers.lose(ONE)
    assign()
    assert only().note.startswith("0 of 1 core stand ready.")
    assert b"cores missing" in alice_client.get("/realtime/").content
    rounds(workers)
    row = only()
    assert (row.state, row.note) == (State.ACTIVE, "")
    assert [row.worker for row in Dedication.objects.all()] == [TWO]


def test_others_wait_for_what_is_reserved(
    alice_client: Client, bob_client: Client, workers: Workers, settings: Any
) -> None:
    settings.REALTIME_MAX_CORES = settings.REALTIME_MAX_CORES_IN_ALL = 4
    ask(alice_client, cores=2, max_hours=3)
    ask(bob_client)
    rounds(workers)
    hers, his = Reservation.objects.order_by("pk")
    assert (hers.state, his.state) == (State.ACTIVE, State.PENDING)
    assert his.note == "0 of 1 core stand ready. 2 of 2 are reserved by others: the rest comes when these are released."
    assert his.expected_at == hers.ends_by
    ask(bob_client, cores=1, core_type="m1")
    assign()
    waits = Reservation.objects.get(number=2)
    assert "0 workers serve m1 here now" in waits.note
    alice_client.post("/realtime/1/release/")
    for _ in range(3):
        rounds(workers)
    his.refresh_from_db()
    assert his.state == State.ACTIVE


def test_what_can_never_be_filled_keeps_no_worker_from_others(
    alice: Any, alice_client: Client, workers: Workers, settings: Any
) -> None:
    settings.REALTIME_MAX_CORES = settings.REALTIME_MAX_CORES_IN_ALL = 9
    ask(alice_client, cores=2)
    assign()
    assert Dedication.objects.count() == 2
    workers.lose(TWO)
    ask(alice_client, cores=1)
    for _ in range(2):
        rounds(workers)
    large, small = Reservation.objects.order_by("number")
    assert (large.state, small.state) == (State.PENDING, State.ACTIVE)
    assert large.note == "0 of 2 cores stand ready. 1 worker serves c1 here now: the rest comes when more are started."
    assert [row.worker for row in Dedication.objects.all()] == [ONE]
    alice_client.post("/realtime/2/release/")
    rounds(workers)
    assert not Dedication.objects.exists()
    Host.objects.create(provider="rack", reference="r", name="r", core_types="c1", slots=1)
    assign()
    assert Dedication.objects.count() == 1, "the rest is on its way"
    workers.start(TWO, slot=2)
    for _ in range(2):
        rounds(workers)
    large.refresh_from_db()
    assert large.state == State.ACTIVE


def test_more_of_an_account_adds_up(alice: Any, alice_client: Client, workers: Workers) -> None:
    ask(alice_client)
    ask(alice_client)
    rounds(workers)
    assert list(Reservation.objects.values_list("number", "state")) == [(2, "active"), (1, "active")]
    assert len(workers.serving(f"{alice.pk}-c1")) == 2
    alice_client.post("/realtime/1/release/")
    rounds(workers)
    assert len(workers.serving(f"{alice.pk}-c1")) == 1
    assert Reservation.objects.get(number=2).note == ""


def test_what_is_used_counts_once_and_running_jobs_too(alice: Any, alice_client: Client, workers: Workers) -> None:
    ask(alice_client, cores=2)
    rounds(workers)
    ready = only().ready_at
    assert ready is not None
    submit(alice, count=2)
    found = claim(alice)
    assert found
    finish(found, run_ms=1_800_000)
    count_usage(ready + timedelta(hours=1))
    row = only()
    # Half a core-hour at $0.05, and $0.03 for the hour of two cores.
    assert (str(row.used), str(row.top_up), row.is_counted) == ("0.025", "0.005", False)
    page = alice_client.get("/realtime/1/").content.decode()
    assert "$0.025" in page
    assert "$0.03" in page
    running = claim(alice)
    assert running
    count_usage(ready + timedelta(hours=1))
    assert only().top_up_charge == 0


def test_the_operator_may_deny_and_end(alice: Any, bob: Any, alice_client: Client, workers: Workers) -> None:
    ask(alice_client)
    assert stop(reservation=only(), by=bob, note="No cores for this today.")
    assert not stop(reservation=only(), by=bob)
    assert (only().end_reason, only().note) == (EndReason.DENIED, "No cores for this today.")
    ask(alice_client)
    rounds(workers)
    stop(reservation=Reservation.objects.get(number=2), by=bob)
    assert Reservation.objects.get(number=2).end_reason == EndReason.STOPPED
    send_mails()
    said = [letter.subject for letter in mail.outbox]
    assert said[0] == "[PiCloud] Request 1 for 1 c1 core is denied"
    assert "No cores for this today." in mail.outbox[0].body


def test_no_address_no_mail(alice: Any, alice_client: Client, workers: Workers) -> None:
    alice.email = None
    alice.save()
    assert b"You get a mail" not in ask(alice_client).content
    rounds(workers)
    send_mails()
    assert mail.outbox == []


def test_a_mail_that_fails_is_sent_later(
    alice_client: Client, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(alice_client)
    rounds(workers)

    def refuse(*_: Any) -> None:
        raise OSError("no mail today")

    with monkeypatch.context() as patch:
        patch.setattr("common.mail.send_mail", refuse)
        assert send_mails() == 0
    assert send_mails() == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"cores": "0"}, "cores must be a whole number from 1"),
        ({"cores": "-3"}, "cores must be a whole number from 1"),
        ({"cores": "1000000000"}, "cores must be a whole number from 1 to 1,000,000"),
        ({"cores": "1.5"}, "Enter a whole number"),
        ({"cores": "many"}, "Enter a whole number"),
        ({"cores": ""}, "This field is required"),
        ({"cores": "3"}, "An account can reserve 2 cores at a time here; 0 of them are reserved in that time"),
        ({"core_type": "z9"}, "not one of the available choices"),
        ({"max_hours": "0"}, "a whole number of hours from 1"),
        ({"max_hours": "-1"}, "a whole number of hours from 1"),
        ({"max_hours": "8761"}, "A reservation lasts 8,760 hours here at most"),
        ({"starts_at": "2020-01-01T00:00"}, "is in the past"),
        ({"starts_at": "2999-01-01T00:00"}, "more than a year ahead"),
        ({"starts_at": "tomorrow"}, "Enter a valid date/time"),
        ({"request_key": "x"}, "request_key must be 8 to 64"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_beside_its_field(alice_client: Client, form: dict[str, str], said: str) -> None:
    page = ask(alice_client, **form)
    assert page.status_code == 400
    assert said in page.content.decode().replace("&#x27;", "'")
    assert not Reservation.objects.exists()


def test_limits_count_what_is_reserved_at_the_same_time(
    alice_client: Client, bob_client: Client, settings: Any
) -> None:
    settings.REALTIME_MAX_CORES_IN_ALL = 3
    settings.REALTIME_MAX_CORES = 2
    ask(alice_client, cores=2, max_hours=2)
    said = ask(bob_client, cores=2).content.decode()
    assert (
        "3 cores can be reserved at a time by all accounts together; 2 of them are reserved in that time, and" in said
    )
    assert "2 more are too many: ask for 1 at most." in said
    start = datetime.now(UTC) + timedelta(hours=3)
    assert ask(bob_client, cores=2, starts_at=f"{start:%Y-%m-%dT%H:%M}").status_code == 200
    assert Reservation.objects.count() == 2


def test_limits_are_those_of_the_workers_that_serve_the_type(
    alice_client: Client, bob_client: Client, workers: Workers, settings: Any
) -> None:
    settings.CORE_TYPE_QUEUES = ["c1", "c2"]
    for slot in (1, 2, 3):
        workers.start(f"rack:8000:{slot}", host="rack", slot=slot, core_types="m1")
    assert b"5 cores at a time for an account" in alice_client.get("/realtime/").content
    said = ask(alice_client, cores=3).content.decode()
    assert "2 cores for c1 can be reserved at a time here; 0 of them are reserved in that time, and 3 more" in said
    assert ask(alice_client, cores=2).status_code == 200
    said = ask(bob_client, cores=1).content.decode()
    assert "2 of them are reserved in that time, and 1 more are too many: wait until some are released." in said
    assert ask(bob_client, cores=3, core_type="m1").status_code == 200
    said = ask(bob_client, cores=1, core_type="s1").content.decode()
    assert "too many" in said
    assert Reservation.objects.count() == 2


def test_the_price_is_shown_while_one_types_and_without_script(alice: Any, alice_client: Client) -> None:
    part = alice_client.get(
        "/realtime/", {"core_type": "c2", "cores": "4", "max_hours": "3"},
        headers={"HX-Request": "true", "HX-Target": "quote"},
    ).content.decode()  # fmt: skip
    assert "<html" not in part
    assert "$0.15</strong> an hour" in part
    assert "$0.45 for 3 hours" in part
    page = ask(alice_client, core_type="c2", cores="4", preview="yes").content.decode()
    assert "$0.15</strong> an hour" in page
    assert not Reservation.objects.exists()
    wrong = alice_client.get("/realtime/", {"cores": "x"}, headers={"HX-Request": "true", "HX-Target": "quote"})
    assert wrong.status_code == 200


def test_the_last_thirty_days_are_reckoned(alice: Any, alice_client: Client) -> None:
    submit(alice)
    found = claim(alice)
    assert found
    finish(found, run_ms=7_200_000 // 2)
    page = alice_client.get("/realtime/").content.decode()
    assert "Your last 30 days on c1" in page
    assert "Break-even" in page


def test_a_list_of_many_is_read_in_as_many_statements(
    alice: Any, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    rows = [
        Reservation(account=alice, number=n, core_type_id="c1", cores=1, starts_at=datetime.now(UTC), price_micros=1)
        for n in range(1, 61)
    ]
    Reservation.objects.bulk_create(rows)
    with django_assert_max_num_queries(25):
        page = alice_client.get("/realtime/").content.decode()
    assert 'id="reservation-60"' in page
    assert 'id="reservation-10"' not in page
    assert 'id="reservation-10"' in alice_client.get("/realtime/?before=11").content.decode()


def test_strangers_do_not_find_it(alice_client: Client, charlie_client: Client, client: Client) -> None:
    ask(alice_client)
    for path in ("/realtime/1/", "/realtime/99999999999999999999/"):
        assert charlie_client.get(path).status_code == 404
    assert charlie_client.post("/realtime/1/release/").status_code == 404
    assert client.get("/realtime/").status_code == 302
    assert only().state == State.PENDING
