"""Hosts: asked for, joined, drained, ended; lost, never come, and known to nobody."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from common.exceptions import Conflict, Refused
from jobs.services import machines
from jobs.services.bus import worker_key
from realtime.host_states import HOST_MOVES, HostState
from realtime.models import Host
from realtime.providers.ec2 import Ec2Provider
from realtime.services import hosts
from realtime.services.reports import Watch, note_reports
from tests.realtime.cloud_server import Door
from tests.submitting import claim, finish, submit

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(hours=1)


class Watched(Watch):
    """One that has looked for long enough to believe in silence."""

    def look(self) -> timedelta:
        return timedelta(days=1)


def report(redis: Redis, host: str, *, slot: int = 1, **facts: str) -> None:
    """What a worker says of itself every five seconds."""
    told = {"host": host, "slot": slot, "core_types": "c1", "problem": "", "drained": "", **facts}
    redis.hset(worker_key(f"{host}:8000:{slot}"), mapping=told)


def look() -> None:
    note_reports(watch=Watched())


def launched(number: int = 1) -> list[Host]:
    return hosts.launch(core_type="c1", number=number).hosts


def ready(redis: Redis) -> Host:
    """A rented host at work."""
    (host,) = launched()
    report(redis, host.name)
    look()
    host.refresh_from_db()
    assert host.state == HostState.READY
    return host


def running(ec2: Ec2Provider) -> set[str]:
    return {machine.reference for machine in ec2.describe()}


def state_of(host: Host) -> tuple[str, str]:
    host.refresh_from_db()
    return host.state, host.problem


def make_older(host: Host) -> None:
    long_ago = timezone.now() - LONG_AGO
    Host.objects.filter(pk=host.pk).update(launched_at=long_ago)
    Host.objects.filter(pk=host.pk, seen_at__isnull=False).update(seen_at=long_ago)


# -- coming ------------------------------------------------------------------------------------


def test_machine_of_your_own_is_there_once_its_workers_report(redis: Redis) -> None:
    report(redis, "desk", slot=1, core_types="c1,c2")
    report(redis, "desk", slot=2, core_types="c1,c2", problem="No container engine answers.")
    look()
    host = Host.objects.get()
    assert (host.provider, host.name, host.state, host.slots) == ("local", "desk", HostState.READY, 2)
    assert (host.codes, host.problem) == (["c1", "c2"], "No container engine answers.")
    report(redis, "desk", slot=2)
    look()
    host.refresh_from_db()
    assert host.problem == ""


def test_rented_machine_is_booting_until_its_workers_report(redis: Redis, ec2: Ec2Provider) -> None:
    (host,) = launched()
    look()
    assert state_of(host) == (HostState.BOOTING, "")
    report(redis, host.name)
    look()
    host.refresh_from_db()
    assert (host.state, host.slots) == (HostState.READY, 2)
    assert host.joined_at is not None
    assert (host.price_micros_per_hour, host.provider, host.is_spot) == (89_300, "ec2", False)


def test_fewer_than_asked_for_have_rows_and_the_reason_is_told(door: Door, ec2: Ec2Provider) -> None:
    door.most_started = 2
    found = hosts.launch(core_type="c1", number=5)
    assert (len(found.hosts), found.problem) == (2, "EC2 started fewer machines than it was asked for.")
    assert {host.reference for host in Host.objects.all()} == running(ec2)


@pytest.mark.parametrize("number", [0, -1, 10**9])
def test_numbers_that_make_no_sense_are_refused(number: int, ec2: Ec2Provider) -> None:
    with pytest.raises(Refused, match=f"not {number}"):
        hosts.launch(core_type="c1", number=number)


def test_without_a_provider_nothing_is_started() -> None:
    found = hosts.launch(core_type="c1", number=1)
    assert (found.hosts, "by hand" in found.problem) == ([], True)


# -- what the provider's list says -------------------------------------------------------------


def test_machine_that_never_joins_is_ended(ec2: Ec2Provider) -> None:
    (host,) = launched()
    hosts.reap()
    assert state_of(host) == (HostState.BOOTING, "")
    make_older(host)
    hosts.reap()
    assert state_of(host) == (HostState.GONE, "It did not join within 15 m 00 s.")
    assert running(ec2) == set()


def test_machine_without_a_row_is_adopted(redis: Redis, ec2: Ec2Provider) -> None:
    """As after a clock died between the start of a machine and the note of it."""
    launched(2)
    Host.objects.all().delete()
    hosts.reap()
    assert {host.reference for host in Host.objects.all()} == running(ec2)


def test_machine_without_a_row_that_has_joined_is_adopted_under_its_name(redis: Redis, ec2: Ec2Provider) -> None:
    (lost,) = launched()
    Host.objects.all().delete()
    report(redis, lost.name)
    look()
    assert Host.objects.get().provider == "local"
    hosts.reap()
    host = Host.objects.get()
    assert (host.provider, host.reference, host.state) == ("ec2", lost.reference, HostState.READY)


def test_host_whose_machine_the_provider_has_ended_is_gone(redis: Redis, ec2: Ec2Provider) -> None:
    host = ready(redis)
    ec2.terminate([host.reference])
    hosts.reap()
    assert host.reference not in running(ec2)
    assert state_of(host) == (HostState.READY, "")  # the list may lag behind
    make_older(host)
    hosts.reap()
    assert state_of(host) == (HostState.GONE, "Its provider has ended it.")


def test_machine_that_could_not_be_ended_is_ended_at_the_next_look(door: Door, ec2: Ec2Provider) -> None:
    (host,) = launched()
    door.refuse("TerminateInstances", "OperationNotPermitted", message="Not now")
    hosts.terminate(host=host)
    assert state_of(host) == (HostState.GONE, "")
    assert running(ec2) == {host.reference}
    hosts.reap()
    assert running(ec2) == set()


def test_list_that_cannot_be_had_changes_nothing(door: Door, redis: Redis, ec2: Ec2Provider) -> None:
    host = ready(redis)
    make_older(host)
    door.refuse("DescribeInstances", "UnauthorizedOperation", message="No", status=403)
    hosts.reap()
    assert state_of(host) == (HostState.READY, "")


# -- silence -----------------------------------------------------------------------------------


def test_silent_host_is_gone_and_its_machine_ended(redis: Redis, ec2: Ec2Provider) -> None:
    host = ready(redis)
    redis.flushall()
    look()
    assert state_of(host) == (HostState.READY, "")
    make_older(host)
    look()
    assert state_of(host) == (HostState.GONE, "Its workers have not reported for 2 m 00 s.")
    assert running(ec2) == set()


def test_silence_that_nobody_has_listened_to_means_nothing(redis: Redis) -> None:
    """As after the clock and Redis were away together: the workers are given time to report."""
    report(redis, "desk")
    look()
    host = Host.objects.get()
    redis.flushall()
    make_older(host)
    watch = Watch()
    note_reports(watch=watch)
    note_reports(watch=watch)
    assert state_of(host) == (HostState.READY, "")


def test_machine_that_comes_back_has_a_row_of_its_own(redis: Redis) -> None:
    report(redis, "desk")
    look()
    first = Host.objects.get()
    redis.flushall()
    make_older(first)
    look()
    report(redis, "desk")
    look()
    assert list(Host.objects.order_by("pk").values_list("name", "state")) == [
        ("desk", HostState.GONE),
        ("desk", HostState.READY),
    ]


# -- draining ----------------------------------------------------------------------------------


def test_drained_host_is_ended_once_all_its_workers_have_nothing_left(redis: Redis, ec2: Ec2Provider) -> None:
    host = ready(redis)
    report(redis, host.name, slot=2)
    hosts.drain(host=host)
    order = machines.drain_order(host=host.name)
    report(redis, host.name, slot=1, drained=order)
    look()
    assert state_of(host) == (HostState.DRAINING, "")
    report(redis, host.name, slot=2, drained=order)
    look()
    assert state_of(host) == (HostState.GONE, "")
    assert running(ec2) == set()


def test_drained_host_on_which_a_silent_worker_runs_a_job_is_not_ended(
    alice: Any, base_environment: Any, redis: Redis, ec2: Ec2Provider
) -> None:
    host = ready(redis)
    report(redis, host.name, slot=2)
    submit(alice)
    ran = claim(alice, worker=f"{host.name}:8000:2")
    hosts.drain(host=host)
    redis.delete(worker_key(f"{host.name}:8000:2"))
    report(redis, host.name, drained=machines.drain_order(host=host.name))
    look()
    assert state_of(host) == (HostState.DRAINING, "")
    finish(ran, worker=f"{host.name}:8000:2")
    look()
    assert state_of(host) == (HostState.GONE, "")
    assert running(ec2) == set()


@pytest.mark.parametrize("is_drained", [True, False])
def test_machine_that_is_being_ended_takes_nothing_and_is_no_new_host(
    is_drained: bool, redis: Redis, ec2: Ec2Provider
) -> None:
    """Its workers report for some seconds after it counts as gone."""
    host = ready(redis)
    if is_drained:
        hosts.drain(host=host)
        report(redis, host.name, drained=machines.drain_order(host=host.name))
        look()
    else:
        hosts.end(host=host)
    assert state_of(host)[0] == HostState.GONE
    assert machines.drain_order(host=host.name) not in ("", "None")
    look()
    assert Host.objects.get() == host


def test_machine_that_reports_long_after_its_end_is_ended_again(door: Door, redis: Redis, ec2: Ec2Provider) -> None:
    host = ready(redis)
    door.refuse("TerminateInstances", "OperationNotPermitted", message="Not now")
    hosts.end(host=host)
    Host.objects.update(gone_at=timezone.now() - LONG_AGO)
    look()
    assert Host.objects.count() == 2, "by now it may be anybody's"
    redis.delete(f"picloud:drain:{host.name}")
    hosts.reap()
    assert running(ec2) == set()
    assert machines.drain_order(host=host.name) != ""
    assert Host.objects.exclude(pk=host.pk).get().reference == ""


def test_drain_that_was_called_off_ends_nothing(redis: Redis, ec2: Ec2Provider) -> None:
    host = ready(redis)
    hosts.drain(host=host)
    report(redis, host.name, drained=machines.drain_order(host=host.name))
    hosts.keep(host=host)
    assert machines.drain_order(host=host.name) == ""
    look()
    assert state_of(host) == (HostState.READY, "")
    # What it said of the first order is no answer to the second.
    hosts.drain(host=host)
    look()
    assert state_of(host) == (HostState.DRAINING, "")


def test_order_to_drain_outlives_redis(redis: Redis) -> None:
    report(redis, "desk")
    look()
    hosts.drain(host=Host.objects.get())
    order = machines.drain_order(host="desk")
    redis.flushall()
    report(redis, "desk")
    look()
    assert (machines.drain_order(host="desk"), order != "") == (order, True)


def test_drained_machine_of_your_own_is_gone_when_you_stop_it(redis: Redis) -> None:
    report(redis, "desk")
    look()
    host = Host.objects.get()
    hosts.drain(host=host)
    report(redis, "desk", drained=machines.drain_order(host="desk"))
    look()
    assert state_of(host) == (HostState.DRAINING, "")
    redis.flushall()
    make_older(host)
    look()
    assert state_of(host) == (HostState.GONE, "")


def test_moves_that_are_not_in_the_table_are_refused(redis: Redis, ec2: Ec2Provider) -> None:
    (host,) = launched()
    with pytest.raises(Conflict, match="is booting and cannot become draining"):
        hosts.drain(host=host)
    with pytest.raises(Conflict, match="is booting: only a drain can be called off"):
        hosts.keep(host=host)
    hosts.terminate(host=host)
    with pytest.raises(Conflict, match="is gone and cannot become gone"):
        hosts.terminate(host=host)
    assert HOST_MOVES[HostState.GONE] == frozenset()


def test_of_two_who_change_a_host_only_one_does(redis: Redis, ec2: Ec2Provider) -> None:
    host = ready(redis)
    other = Host.objects.get(pk=host.pk)
    hosts.drain(host=host)
    with pytest.raises(Conflict, match="is no longer ready"):
        hosts.drain(host=other)


def test_machine_of_your_own_is_not_ended_from_here(redis: Redis) -> None:
    report(redis, "desk")
    look()
    with pytest.raises(Conflict, match="a machine of your own"):
        hosts.end(host=Host.objects.get())


# -- names and keys ----------------------------------------------------------------------------


def test_name_belongs_to_one_machine_at_a_time(redis: Redis) -> None:
    assert machines.claim_name(host="desk", machine="a")
    assert machines.claim_name(host="desk", machine="a")
    assert not machines.claim_name(host="desk", machine="b")
    assert machines.claim_name(host="other", machine="b")
    redis.delete("picloud:machine:desk")
    assert machines.claim_name(host="desk", machine="b")


def test_machine_with_another_key_is_told(redis: Redis, settings: Any) -> None:
    assert machines.reads_mark() is None
    machines.leave_mark()
    assert machines.reads_mark() is True
    settings.SECRET_KEY = "another key of more than thirty-two characters"
    assert machines.reads_mark() is False
