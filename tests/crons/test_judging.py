"""How crons are doing, what is mailed of it, and what their runs cost."""

from datetime import timedelta
from decimal import Decimal
from smtplib import SMTPException
from typing import Any

import pytest
from django.core import mail

from crons.models import Cron, CronDay, CronEvent, CronRun, Digest
from crons.selectors import crons_of, failure_output, last_failure, price_of
from crons.services import change, register
from crons.services.alerts import send_alerts
from crons.services.digests import send_digests
from crons.services.judge import judge
from crons.services.run import run_now
from crons.services.ticker import tick
from jobs.models import CorePrice, Job
from jobs.services.delete import delete_jobs
from jobs.services.holds import place_hold
from jobs.services.kill import kill_jobs
from jobs.states import Reason, Status
from tests.crons.making import at, due, make, submission, terms
from tests.submitting import claim, finish

pytestmark = pytest.mark.usefixtures("base_environment")


def run_at(account: Any, time: str, **fields: Any) -> None:
    """Start what is due, run it, and look."""
    tick(at(time))
    while found := claim(account):
        Job.objects.filter(pk__in=[job.pk for job in found.jobs]).update(started_at=at(time))
        finish(found, **fields)
    judge(at(time) + timedelta(seconds=30))


def fail(account: Any, time: str) -> None:
    run_at(account, time, status=Status.ERROR)


def state_of(cron: Cron) -> str:
    return Cron.objects.get(pk=cron.pk).state


def mails() -> list[str]:
    """Subjects of what is sent now."""
    send_alerts()
    found = [message.subject for message in mail.outbox]
    mail.outbox.clear()
    return found


def test_run_that_went_well(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    run_at(alice, "10:00")
    run = CronRun.objects.get()
    assert (run.verdict, run.run_ms, run.mark, run.is_late) == ("ok", 1000, "ok", False)
    assert run.started_at == at("10:00")
    assert state_of(cron) == "up"
    assert mails() == []


def test_only_changes_are_mailed(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    run_at(alice, "10:00")
    fail(alice, "10:01")
    assert state_of(cron) == "failing"
    send_alerts()
    assert [message.subject for message in mail.outbox] == ["[PiCloud] Cron tweet is failing"]
    assert mail.outbox[0].to == ["alice@example.org"]
    assert "Job 2 ended with error (exception)." in mail.outbox[0].body
    assert "/crons/tweet/" in mail.outbox[0].body
    mail.outbox.clear()
    fail(alice, "10:02")
    assert mails() == []
    run_at(alice, "10:05")
    send_alerts()
    assert "It runs well again, after 4 m 00 s." in mail.outbox[-1].body


def test_alerts_can_be_switched_off(alice: Any) -> None:
    due(make(alice), at("10:00"))
    change.set_options(account=alice, label="tweet", alerts=False)
    fail(alice, "10:00")
    assert mails() == []


def test_changes_of_a_round_come_in_one_mail(alice: Any) -> None:
    for label in ("one", "two", "three"):
        due(make(alice, label), at("10:00"))
    fail(alice, "10:00")
    assert mails() == ["[PiCloud] 3 changes of your crons"]


def test_mail_that_cannot_be_sent_is_tried_again(alice: Any, monkeypatch: Any) -> None:
    due(make(alice), at("10:00"))
    fail(alice, "10:00")

    def refuse(*_args: Any, **_keywords: Any) -> None:
        raise SMTPException("no such server")

    with monkeypatch.context() as patch:
        patch.setattr("common.mail.send_mail", refuse)
        assert send_alerts() == 0
    assert mails() == ["[PiCloud] Cron tweet is failing"]
    assert mails() == []


def test_account_without_an_address_gets_no_mail(alice: Any) -> None:
    alice.email = ""
    alice.save()
    due(make(alice), at("10:00"))
    fail(alice, "10:00")
    assert mails() == []
    assert not CronEvent.objects.filter(mail_due=True).exists()


def test_run_that_does_not_start_in_time_is_late(alice: Any) -> None:
    cron = due(make(alice, start_grace_s=60), at("10:00"))
    tick(at("10:00"))
    judge(at("10:00:59"))
    assert state_of(cron) == "new"
    judge(at("10:01:01"))
    assert (state_of(cron), CronRun.objects.get().mark) == ("late", "late")
    assert mails() == ["[PiCloud] Cron tweet is late"]
    assert CronDay.objects.get().n_late == 1


def test_run_that_started_late_and_went_well_is_marked_late(alice: Any) -> None:
    cron = due(make(alice, start_grace_s=60), at("10:00"))
    tick(at("10:00"))
    found = claim(alice)
    assert found is not None
    Job.objects.update(started_at=at("10:05"))
    finish(found)
    judge(at("10:06"))
    assert (state_of(cron), CronRun.objects.get().mark, CronDay.objects.get().n_late) == ("up", "late", 1)


def test_missed_runs_are_told(alice: Any) -> None:
    cron = due(make(alice, schedule="@hourly", catch_up="none"), at("10:00"))
    tick(at("12:30"))
    assert state_of(cron) == "missed"
    send_alerts()
    assert "3 runs were missed from 2031-03-05 10:00 UTC on" in mail.outbox[0].body


def test_run_that_took_too_long(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    run_at(alice, "10:00", status=Status.KILLED, reason=Reason.MAX_RUNTIME)
    assert (CronRun.objects.get().verdict, state_of(cron)) == ("too_long", "failing")
    send_alerts()
    assert "ran too long" in mail.outbox[0].body


def test_killed_by_its_owner_says_nothing_of_the_cron(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    tick(at("10:00"))
    kill_jobs(account=alice, jids=None, by=alice)
    judge(at("10:00:10"))
    assert (CronRun.objects.get().mark, state_of(cron)) == ("killed", "new")


def test_killed_for_a_budget_says_nothing_of_the_cron(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    run_at(alice, "10:00", status=Status.KILLED, reason=Reason.BUDGET)
    assert (CronRun.objects.get().mark, state_of(cron)) == ("killed", "new")


def test_late_one_that_is_held_says_why(alice: Any) -> None:
    place_hold(account=alice, source="budget-1", reason=Reason.BUDGET, sentence="The budget is spent.")
    due(make(alice), at("10:00"))
    tick(at("10:00"))
    judge(at("10:06"))
    send_alerts()
    assert "had not started 300 s later: it is held. The budget is spent." in mail.outbox[0].body


def test_failure_of_replaced_code_says_nothing_of_the_new(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    tick(at("10:00"))
    due(register.register(account=alice, submission=submission(b"mended"), terms=terms())[0], at("11:00"))
    fail(alice, "10:00:30")
    assert state_of(cron) == "new"
    assert CronRun.objects.get().verdict == "failed"


def test_history_and_price_survive_the_deletion_of_jobs(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    run_at(alice, "10:00")
    cost = CronRun.objects.get().cost
    assert cost > 0
    delete_jobs(account=alice, jids=[1])
    run = CronRun.objects.get()
    assert (run.job_id, run.jid, run.verdict, run.cost) == (None, 1, "ok", cost)
    assert CronDay.objects.get(cron=cron).charge == run.charge


def test_job_deleted_before_it_was_looked_at_is_charged(alice: Any) -> None:
    due(make(alice), at("10:00"))
    tick(at("10:00"))
    found = claim(alice)
    assert found is not None
    finish(found)
    delete_jobs(account=alice, jids=[1])
    judge(at("10:01"))
    run = CronRun.objects.get()
    assert (run.verdict, run.run_ms) == ("gone", 1000)
    assert run.charge > 0


def test_the_months_price_is_that_of_the_post(alice: Any) -> None:
    """43,200 runs of a second on a c1 are 12 hours at $0.05: $0.60."""
    CorePrice.objects.create(core_type_id="c1", per_core_hour=Decimal("0.05"))
    cron = due(make(alice), at("00:00"))
    run_at(alice, "00:00")
    run = CronRun.objects.get()
    assert run.cost * 43_200 == Decimal("0.6")
    # Of March, all but four days and a minute are left.
    price = price_of(cron, now=at("00:00"))
    assert price.so_far == run.cost
    assert price.projected == run.cost * 27 * 24 * 60


def test_lines_of_the_list(alice: Any, django_assert_max_num_queries: Any) -> None:
    for label in ("b", "a"):
        due(make(alice, label), at("10:00"))
    for minute in range(3):
        fail(alice, f"10:0{minute}")
    with django_assert_max_num_queries(8):
        lines = crons_of(alice).lines
    assert [line.cron.label for line in lines] == ["a", "b"]
    assert [run.mark for run in lines[0].runs] == ["failed"] * 3
    assert lines[0].price.projected is not None


def test_output_of_the_last_failure(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    assert last_failure(cron) is None
    fail(alice, "10:00")
    run_at(alice, "10:01")
    run = last_failure(cron)
    assert run is not None
    assert failure_output(run) == "Traceback: ValueError: no"


def test_manual_runs_count_too(alice: Any) -> None:
    cron = make(alice)
    run_now(account=alice, label="tweet")
    found = claim(alice)
    assert found is not None
    finish(found)
    judge()
    assert state_of(cron) == "up"
    assert CronRun.objects.get().trigger == "manual"


def test_digest_comes_once_a_week(alice: Any) -> None:
    due(make(alice, "good"), at("10:00"))
    run_at(alice, "10:00")
    due(make(alice, "bad"), at("11:00"))
    Cron.objects.filter(label="good").update(next_at=at("20:00"))
    fail(alice, "11:00")
    Digest.objects.update(next_at=at("12:00"))
    assert send_digests(at("11:59")) == 0
    assert send_digests(at("12:00")) == 1
    body = mail.outbox[0].body
    assert mail.outbox[0].subject == "[PiCloud] Your week: 2 crons"
    assert "good: 1 ok, $" in body
    assert "bad: 0 ok, 1 failed, $" in body
    assert "bad is failing since 2031-03-05" in body
    assert Digest.objects.get().next_at == at("08:00") + timedelta(days=5)
    assert send_digests(at("12:00")) == 0


def test_digest_is_not_sent_when_every_switch_is_off(alice: Any) -> None:
    make(alice)
    change.set_options(account=alice, label="tweet", alerts=False)
    Digest.objects.update(next_at=at("12:00"))
    assert send_digests(at("12:00")) == 0
    assert mail.outbox == []
