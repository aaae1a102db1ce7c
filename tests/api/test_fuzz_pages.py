"""No address and no form of the pages makes the server fail, whatever stands in it."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.api.test_fuzz import NUMBERS, TEXTS, often
from tests.submitting import run_all, submit

VALUES = (
    TEXTS
    | NUMBERS.map(str)
    | st.dates().map(str)
    | st.sampled_from(["1,2", ",", "1,x", "9" * 30, "//evil.test", "\r\n"])
)
GETS = {
    "/jobs/": ["status", "label", "function", "type", "since", "until", "text", "before", "after", "expand"],
    "/jobs/rows/": ["ids", "batch", "after", "newer_than", "since", "text"],
    "/billing/budgets/": ["scope", "name"],
    "/files/": ["after"],
    "/billing/": ["month"],
    "/billing/entries/": ["month", "kind", "label", "function", "api_key", "reservation", "before"],
    "/realtime/": ["before"],
    "/sign-in/": ["next"],
}
POSTS = {
    "/jobs/kill/": ["jid", "batch", "next", "confirm"],
    "/jobs/delete/": ["jid", "batch", "next", "confirm"],
    "/jobs/1/kill/": ["confirm", "next"],
    "/realtime/": ["core_type", "cores", "max_hours", "starts_at", "request_key", "preview"],
    "/realtime/windows/new/": ["core_type", "cores", "weekdays", "begins", "ends", "timezone"],
    "/account/keys/new/": ["note"],
    "/account/password/": ["old_password", "new_password1", "new_password2"],
    "/billing/budgets/set/": ["scope", "name", "amount", "action", "mails"],
    "/sign-up/": ["username", "email", "password"],
    "/sign-in/": ["username", "password", "next"],
    "/password-reset/": ["email"],
    "/theme/": ["theme", "next"],
    "/files/": ["file"],
}


def well_formed(text: str) -> str:
    """As a browser can send it."""
    return text.encode("utf-8", "replace").decode()


def no_defect(ask: Any) -> None:
    with transaction.atomic():
        answer = ask()
        assert answer.status_code < 500
        if answer.status_code in (301, 302):
            assert answer["Location"].startswith("/")
            assert not answer["Location"].startswith("//")
        transaction.set_rollback(True)


@pytest.fixture
def signed_in(alice: Any, base_environment: Any, alice_client: Client) -> Client:
    # Far from UTC, so that the first and last days there are lie outside of what UTC has.
    alice.time_zone = "Pacific/Kiritimati"
    alice.save()
    submit(alice, count=2)
    run_all(alice)
    submit(alice)
    return alice_client


@pytest.mark.parametrize("path", GETS)
def test_odd_addresses_of_pages(signed_in: Client, path: str) -> None:
    @often
    @given(st.dictionaries(st.sampled_from(GETS[path]), VALUES.map(well_formed), min_size=1))
    def run(query: dict[str, str]) -> None:
        no_defect(lambda: signed_in.get(path, query))

    run()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "0000-00-00"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_first_and_last_days(signed_in: Client, alice: Any, day: str, zone: str) -> None:
    alice.time_zone = zone
    alice.save()
    for name in ("since", "until"):
        assert signed_in.get("/jobs/", {name: day}).status_code == 200


@pytest.mark.parametrize("path", POSTS)
def test_odd_forms(signed_in: Client, path: str) -> None:
    client = Client() if path.startswith(("/sign", "/pass")) else signed_in

    @often
    @given(st.dictionaries(st.sampled_from(POSTS[path]), VALUES.map(well_formed)))
    def run(form: dict[str, str]) -> None:
        no_defect(lambda: client.post(path, form))

    run()
