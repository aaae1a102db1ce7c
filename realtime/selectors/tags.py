"""Price tags of what would be submitted, and of what was."""

from dataclasses import dataclass
from datetime import timedelta

from accounts.models import User
from environments.models import Environment
from environments.selectors import BASE
from jobs.models import Batch, Function, Job
from jobs.services.dispatch import Group
from jobs.services.modules import digest_of
from jobs.services.submit import core_type_for
from jobs.services.work import price_now
from jobs.states import Status
from realtime.capacity.estimate import Basis, estimate
from realtime.capacity.stats import Stats
from realtime.capacity.tags import Amount, Tag, Verdict
from realtime.keys import Likeness, version_of
from realtime.models import Quote
from realtime.questions import Question
from realtime.selectors.cores import cores_for
from realtime.selectors.estimates import estimates_of
from realtime.selectors.likeness import likeness_of


def tag_for(account: User, question: Question) -> Tag | None:
    """What the runs would take and cost; None when nothing like them has run yet.

    Raises Refused when there is no such core type, or not with so many cores.
    """
    options = question.options
    core_type_for(options)
    likeness = _likeness_of_question(account, question)
    found = estimates_of({0: likeness}, counts={0: question.count}).get(0)
    if found is None:
        return None
    return Tag(
        estimate=found,
        core_type=options.type,
        cores=options.cores,
        price_micros=price_now(options.type),
        slots=cores_for(Group(account.pk, options.type)),
    )


def _likeness_of_question(account: User, question: Question) -> Likeness:
    options = question.options
    function = Function.objects.filter(account=account, module=question.module, name=question.name)
    environment_id = Environment.objects.filter(name=BASE).values_list("pk", flat=True).first() or 0
    modules = question.modules
    version = version_of(
        code=question.digest,
        # An unknown set is like no other one.
        modules="?" if modules is None else digest_of(modules) if modules else "",
        environment_id=environment_id,
        kill_process=options.kill_process,
        max_runtime_ms=options.max_runtime_ms,
        env_vars=options.env_vars,
    )
    return Likeness(
        account_id=account.pk,
        function_id=function.values_list("pk", flat=True).first() or 0,
        version=version,
        core_type=options.type,
        cores=options.cores,
    )


def tag_of_batch(batch: Batch, *, count: int) -> Tag | None:
    """What so many jobs of the batch are expected to take and to cost from now on."""
    alike = likeness_of([batch.pk])
    found = estimates_of(alike, counts={batch.pk: count}).get(batch.pk) if alike else None
    if found is None:
        return None
    core_type = batch.core_type_id
    return Tag(
        estimate=found,
        core_type=core_type,
        cores=batch.cores,
        price_micros=price_now(core_type),
        slots=cores_for(Group(batch.account_id, core_type)),
    )


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What a map will have cost, and when it could be over: its finished jobs, and an estimate of the others."""

    left: int
    price: Amount
    elapsed: timedelta | None
    tag: Tag


def outlook_of(batch: Batch) -> Outlook | None:
    """None when it is over, or when nothing is known of the jobs that are left."""
    left = batch.size - batch.n_finished
    tag = tag_of_batch(batch, count=left) if left else None
    if tag is None:
        return None
    spent, price, elapsed = batch.cost, tag.price, tag.elapsed
    return Outlook(
        left=left,
        price=Amount(expected=spent + price.expected, low=spent + price.low, high=spent + price.high),
        elapsed=None if elapsed is None else timedelta(seconds=elapsed),
        tag=tag,
    )


def verdict_on_batch(batch: Batch) -> Verdict | None:
    """Of a finished map whose jobs all returned; None when nothing was known before it ran."""
    if not batch.is_map or batch.n_done != batch.size:
        return None
    return _verdict(batch.pk, count=batch.size, took=batch.run_ms / 1000)


def verdict_on_job(job: Job) -> Verdict | None:
    """Of a job that returned; None when nothing was known before, or when it was too short to be worth a word."""
    if job.status != Status.DONE or job.run_ms is None:
        return None
    return _verdict(job.batch_id, count=1, took=job.run_ms / 1000)


def _verdict(batch_id: int, *, count: int, took: float) -> Verdict | None:
    quote = Quote.objects.filter(pk=batch_id, n__gt=0).first()
    if quote is None:
        return None
    found = estimate(Stats(quote.n, quote.mean, quote.m2), Basis(quote.basis), count=count)
    expected = found.total if count > 1 else found.each
    return Verdict(expected=expected, took=took, runs=quote.n, basis=found.basis)
