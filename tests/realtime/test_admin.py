"""Worker hosts on the operator's pages."""

from typing import Any

import pytest
from django.test import Client
from redis import Redis

from accounts.services import create_user
from jobs.services import machines
from realtime.models import Host
from realtime.providers.ec2 import Ec2Provider
from tests.realtime.test_hosts import look, ready, report

pytestmark = pytest.mark.django_db
PAGE = "/admin/realtime/host/"


@pytest.fixture
def operator_client() -> Client:
    client = Client()
    client.force_login(create_user(username="olga", password="olga-password", is_staff=True))
    return client


def act(client: Client, action: str, *hosts: Host) -> list[str]:
    """What the page says after an action on these rows."""
    chosen = {"action": action, "_selected_action": [host.pk for host in hosts]}
    answer: Any = client.post(PAGE, chosen, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_hosts_are_listed_found_and_not_edited(redis: Redis, operator_client: Client, alice_client: Client) -> None:
    report(redis, "desk")
    look()
    host = Host.objects.get()
    assert b"desk" in operator_client.get(f"{PAGE}?q=des").content
    assert b"desk" in operator_client.get(f"{PAGE}?state__exact=ready").content
    page = operator_client.get(f"{PAGE}{host.pk}/change/")
    assert b'name="_save"' not in page.content
    assert alice_client.get(PAGE).status_code == 302


def test_host_is_drained_and_kept(redis: Redis, operator_client: Client) -> None:
    report(redis, "desk")
    look()
    host = Host.objects.get()
    assert act(operator_client, "drain", host) == ["1 host is told to drain."]
    assert machines.drain_order(host="desk") != ""
    assert act(operator_client, "drain", host) == ["desk is draining and cannot become draining."]
    assert act(operator_client, "keep", host) == ["1 host is back at work."]
    assert machines.drain_order(host="desk") == ""


def test_rented_host_is_ended_and_own_one_is_not(redis: Redis, ec2: Ec2Provider, operator_client: Client) -> None:
    rented = ready(redis)
    report(redis, "desk")
    look()
    own = Host.objects.get(name="desk")
    assert act(operator_client, "end", rented, own) == [
        "desk is a machine of your own: stop it there, or drain it first.",
        "1 host is ended.",
    ]
    assert ec2.describe() == []
