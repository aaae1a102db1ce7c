"""One chunk of jobs in a sandbox: sends them in, watches them, and brings their outcomes home."""

import logging
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from rq.exceptions import StopRequested

from common.exceptions import Refused
from jobs.services import claim as claims
from jobs.services import recover
from jobs.services.bus import publish_change
from jobs.services.claim import Claim, ClaimedJob
from jobs.services.finish import Outcome, finish_jobs, save_samples
from jobs.services.livelog import drop_live_logs
from jobs.services.tokens import token_for_run
from jobs.states import Reason, Status
from worker.cost import CostWatch
from worker.inputs import Inputs
from worker.modules import ModulesFailed, bring_modules
from worker.output import JobOutput, storable
from worker.reports import Report, believed_ms
from worker.sandbox import Sandbox, SandboxLost, Usage

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
# Outcomes of a long chunk are brought home after this time, so that those who wait for the first see it.
FLUSH_SECONDS = 0.2
# A job that runs longer than this holds up those claimed with it: they go back for another core.
HOLDUP_SECONDS = 1.0
# How long a worker that is told to stop lets its job run on; a longer one starts again with the next worker.
STOP_SECONDS = 2.0
MAX_SAMPLES = 600
# After TERM and its grace, a job gets KILL; if that has not ended it in this time, its sandbox goes too.
KILL_SECONDS = 1.0
SAVE_SECONDS = 5.0  # between two savings of the samples of a job that runs
RETRY_SECONDS = 1.0  # until results that could not be stored are tried again

REASONS = {
    "exception": (Status.ERROR, Reason.EXCEPTION),
    "bad_result": (Status.ERROR, Reason.BAD_RESULT),
    "exited": (Status.ERROR, Reason.EXITED),
    "crashed": (Status.ERROR, Reason.CRASHED),
    "out_of_disk": (Status.ERROR, Reason.OUT_OF_DISK),
}
STOP_TEXTS = {
    Reason.USER: "Killed by its owner.",
    Reason.MAX_RUNTIME: "Killed: it ran longer than its maximum run time.",
    Reason.COST_LIMIT: "Killed: its call or map has cost what its _max_cost allows.",
    Reason.BUDGET: "Killed: the budget that it counts to is spent.",
    Reason.OUT_OF_DISK: "Killed: it filled its scratch space.",
}


@dataclass
class _Running:
    """A claimed job while its chunk runs."""

    job: ClaimedJob
    output: JobOutput
    begun: float | None = None  # monotonic seconds
    stopped_for: Reason | None = None
    samples: list[tuple[float, float, int]] = field(default_factory=list)
    saved_at: float = 0.0  # seconds since its start


class ChunkRun:
    """Runs the jobs of one claim in a sandbox, to the last of them."""

    def __init__(
        self,
        claim: Claim,
        sandbox: Sandbox,
        *,
        inputs: Inputs,
        worker: str,
        should_stop: Callable[[], bool],
        on_tick: Callable[[], None],
    ) -> None:
        self._inputs = inputs
        self._claim = claim
        self._sandbox = sandbox
        self._worker = worker
        self._should_stop = should_stop
        self._on_tick = on_tick
        self._jobs = {job.pk: _Running(job=job, output=JobOutput(job.pk)) for job in claim.jobs}
        self._current: _Running | None = None
        self._outcomes: list[Outcome] = []
        self._flush_at = 0.0
        self._seen_until = 0.0
        self._unwatched = 0.0  # seconds since then that went into the database
        self._tick_at = 0.0
        self._returning: set[int] = set()
        self._usage: Usage | None = None
        self._usage_at = 0.0
        self._must_end_by = float("inf")
        self._leave_by = float("inf")
        self._idle = False
        self._cost = CostWatch(claim, now=time.monotonic())

    def run(self) -> None:
        """Raises SandboxLost after what is known has been brought home, and StopRequested when a job outlasts a stop.

        After a stop the job is still in the sandbox and still ours: end the sandbox, then take the job back.
        """
        try:
            self._send(self._bring_modules())
            while not self._idle:
                self._wait()
                self._tick_if_due()
            # What has no outcome when all is over was left out at the last moment.
            self._settle_skipped(list(self._jobs))
        except ModulesFailed as failed:
            self._end_all(Reason.MODULES, str(failed))
        except SandboxLost as lost:
            self._lose(str(lost))
            raise
        finally:
            self._flush()

    # -- in ----------------------------------------------------------------------------------

    def _bring_modules(self) -> list[list[str]]:
        archives = self._inputs.archives(self._claim.work)
        return bring_modules(self._sandbox, archives, on_tick=self._on_tick) if archives else []

    def _send(self, modules: list[list[str]]) -> None:
        work, jobs = self._claim.work, self._claim.jobs
        function = self._inputs.function(work)
        items = [self._inputs.item(work, job.index) for job in jobs]
        header = {
            "op": "run",
            "run": work.batch_id,
            "fork_each": work.kill_process,
            "env": work.env_vars,
            "term_grace": settings.KILL_GRACE_SECONDS,
            "result_limit": settings.MAX_PAYLOAD,
            "cwd": "/home/picloud",
            "token": token_for_run(account_id=work.account_id, worker=self._worker, jids=[job.jid for job in jobs]),
            "environment": work.environment,
            "modules": modules,
            "function": len(function),
            "items": [[job.pk, job.jid, len(item)] for job, item in zip(jobs, items, strict=True)],
        }
        self._seen_until = time.monotonic()
        self._tick_at = self._seen_until + TICK_SECONDS
        self._sandbox.send(header, function, *items)

    # -- out ---------------------------------------------------------------------------------

    def _wait(self) -> None:
        timeout = max(0.0, min(self._next_deadline() - time.monotonic(), TICK_SECONDS))
        if select.select([self._sandbox], [], [], timeout)[0]:
            for header, payload in self._sandbox.receive():
                self._handle(header, payload)
        if self._current:
            self._current.output.publish()
        if self._outcomes and (time.monotonic() >= self._flush_at or not self._jobs):
            self._flush()

    def _next_deadline(self) -> float:
        deadlines = [self._tick_at]
        if self._outcomes:
            deadlines.append(self._flush_at)
        deadlines += [self._must_end_by, self._cost.ends_at]
        current, limit = self._current, self._claim.work.max_runtime_ms
        if current and current.begun is not None:
            deadlines.append(time.monotonic() + 0.1)
            if limit and not current.stopped_for:
                deadlines.append(current.begun + limit / 1000)
        return min(deadlines)

    def _handle(self, header: dict[str, Any], payload: bytes) -> None:
        """Take one frame. Whoever runs inside may have taken over the runner: nonsense ends its sandbox, not us."""
        try:
            self._take(header, payload)
        except (KeyError, TypeError, ValueError) as error:
            raise SandboxLost(f"its runner broke the protocol: {error!r}") from error

    def _take(self, header: dict[str, Any], payload: bytes) -> None:
        match header["op"]:
            case "outcomes":
                self._take_outcomes([Report.parse(raw) for raw in header["outcomes"]], memoryview(payload))
            case "output":
                if (running := self._jobs.get(header["job"])) and header["stream"] in ("stdout", "stderr", "logging"):
                    running.output.add(header["stream"], payload)
            case "started":
                self._begin(header["job"])
            case "skipped":
                self._settle_skipped(header["jobs"])
            case "idle":
                self._idle = True

    def _begin(self, job_id: int) -> None:
        running = self._jobs.get(job_id)
        if running and running.begun is None:
            running.begun = time.monotonic()
            # Short jobs are over before this comes: whoever watches needs to hear only of the others.
            work = self._claim.work
            publish_change(account_id=work.account_id, batch_ids=[work.batch_id])
            self._current = running

    def _take_outcomes(self, reports: Sequence[Report], payload: memoryview) -> None:
        """Turn reports into outcomes. Times are the sandbox's, as far as the worker saw as much time go by."""
        if sum(report.size for report in reports) != len(payload):
            raise ValueError(f"{len(payload)} bytes of results")
        now, at = time.monotonic(), timezone.now()
        observed_ms = (now - self._seen_until) * 1000
        self._seen_until = now
        reported_ms = sum(report.run_ms for report in reports)
        total_ms = believed_ms(reported_ms, observed_ms=observed_ms, unwatched_ms=self._unwatched * 1000)
        self._unwatched = 0.0
        offset = 0
        for report in reports:
            running = self._jobs.pop(report.job, None)
            if running is not None:
                share = report.run_ms / reported_ms if reported_ms > 0 else 1 / len(reports)
                # Billing counts whole milliseconds; nothing that ran is free.
                run_ms = max(1, round(total_ms * share))
                result = payload[offset : offset + report.size]
                self._outcomes.append(self._outcome(running, report, result, run_ms, at))
                if running is self._current:
                    self._current, self._must_end_by = None, float("inf")
            offset += report.size
        if self._outcomes and not self._flush_at > now - FLUSH_SECONDS:
            self._flush_at = now + FLUSH_SECONDS

    def _outcome(self, running: _Running, report: Report, result: memoryview, run_ms: int, at: datetime) -> Outcome:
        status, reason, text = self._judge(running, report)
        # What ran out of memory had reached the limit, whatever was seen of it before.
        reached = self._claim.work.memory_limit if reason == Reason.OUT_OF_MEMORY else report.max_rss
        return Outcome(
            job_id=running.job.pk,
            jid=running.job.jid,
            attempt=running.job.attempt,
            status=status,
            reason=reason,
            result=result,
            is_exception=report.is_exception,
            error_text=storable(text),
            started_at=at - timedelta(milliseconds=run_ms),
            finished_at=at,
            run_ms=run_ms,
            cpu_user_ms=round(report.user_ms),
            cpu_system_ms=round(report.system_ms),
            memory_peak=max([reached, *(memory for _, _, memory in running.samples)]),
            logs=running.output.kept(),
            samples=running.samples if len(running.samples) > 1 else (),
        )

    def _judge(self, running: _Running, report: Report) -> tuple[Status, Reason, str]:
        """Status, reason and text of a report: what the worker did to the job explains how it died."""
        if report.ok:
            return Status.DONE, Reason.NONE, ""
        status, reason = REASONS.get(report.reason, (Status.ERROR, Reason.CRASHED))
        if running.stopped_for:
            return Status.KILLED, running.stopped_for, STOP_TEXTS.get(running.stopped_for, report.error)
        if reason == Reason.CRASHED and (usage := self._memory_death()):
            return Status.KILLED, Reason.OUT_OF_MEMORY, self._out_of_memory_text(usage)
        return status, reason, report.error

    def _memory_death(self) -> Usage | None:
        """The sandbox's usage when the kernel has killed something in it for want of memory since the last look."""
        usage = self._read_usage()
        if usage is None or usage.oom_kills <= self._sandbox.oom_kills_seen:
            return None
        self._sandbox.oom_kills_seen = usage.oom_kills
        return usage

    def _out_of_memory_text(self, usage: Usage) -> str:
        work = self._claim.work
        limit = f"{work.memory_limit / 1e6:,.0f} MB of {work.cores} x {work.core_type}"
        return (
            f"Killed: it needed more memory than the {limit} "
            f"(peak {usage.memory_peak / 1e6:,.0f} MB). Ask for more with _type or _cores."
        )

    def _flush(self) -> None:
        if not self._outcomes:
            return
        outcomes, self._outcomes, self._flush_at = self._outcomes, [], 0.0
        begun = time.monotonic()
        while not self._bring_home(outcomes):
            self._on_tick()
            time.sleep(RETRY_SECONDS)
        if any(outcome.run_ms > 50 for outcome in outcomes):
            drop_live_logs([outcome.job_id for outcome in outcomes])
        self._unwatched += time.monotonic() - begun

    def _bring_home(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether the outcomes are stored. What has been computed is kept until there is room and a database for it."""
        try:
            finish_jobs(
                work=self._claim.work, price_micros=self._claim.price_micros, worker=self._worker, outcomes=outcomes
            )
        except (Refused, DatabaseError) as error:
            if self._should_stop():
                raise
            logger.error("results of batch %d wait in memory: %s", self._claim.work.batch_id, error)
            connection.close_if_unusable_or_obsolete()
            return False
        return True

    # -- watching ----------------------------------------------------------------------------

    def _tick_if_due(self) -> None:
        now = time.monotonic()
        if self._should_stop():
            self._leave_by = min(self._leave_by, now + STOP_SECONDS)
        if now > self._leave_by:
            raise StopRequested
        if now > self._must_end_by:
            # A job may keep its sandbox too busy to end it from within; from outside nothing can.
            raise SandboxLost("the job did not end when it was told to")
        self._stop_overdue(now)
        self._stop_costly(now)
        if now < self._tick_at or self._idle:
            return
        self._tick_at = now + TICK_SECONDS
        self._on_tick()
        self._sample(now)
        self._cost.look(now)
        self._stop_unwanted()
        self._return_held_up(now)

    def _stop_overdue(self, now: float) -> None:
        running, limit = self._current, self._claim.work.max_runtime_ms
        if running and limit and running.begun is not None and now >= running.begun + limit / 1000:
            self._stop(running, Reason.MAX_RUNTIME)

    def _stop_costly(self, now: float) -> None:
        if now >= self._cost.ends_at:
            for running in self._jobs.values():
                self._stop(running, Reason.COST_LIMIT)
            self._cost.end()

    def _stop(self, running: _Running, reason: Reason) -> None:
        if running.stopped_for is None:
            running.stopped_for = reason
            self._sandbox.send({"op": "stop", "jobs": [running.job.pk]})
            if running is self._current:
                self._must_end_by = time.monotonic() + settings.KILL_GRACE_SECONDS + KILL_SECONDS

    def _stop_unwanted(self) -> None:
        """End what somebody wants ended, and what is no longer this worker's to run."""
        for job_id, reason in claims.jobs_to_stop(worker=self._worker, job_ids=list(self._jobs)).items():
            self._stop(self._jobs[job_id], reason)

    def _return_held_up(self, now: float) -> None:
        current = self._current
        stopping = self._should_stop()
        if current is None or current.begun is None or not (now - current.begun > HOLDUP_SECONDS or stopping):
            return
        waiting = [pk for pk, running in self._jobs.items() if running is not current and pk not in self._returning]
        if waiting:
            self._returning.update(waiting)
            self._sandbox.send({"op": "stop", "jobs": waiting})

    def _settle_skipped(self, job_ids: Sequence[int]) -> None:
        """Jobs that the sandbox left out were never begun: end them as asked, or queue them for another core."""
        given_back = []
        for job_id in job_ids:
            running = self._jobs.pop(job_id, None)
            if running is None:
                continue
            if running.stopped_for:
                self._outcomes.append(self._never_begun(running))
            else:
                given_back.append(job_id)
        if given_back:
            recover.give_back(batch_id=self._claim.work.batch_id, worker=self._worker, job_ids=given_back)

    def _never_begun(self, running: _Running) -> Outcome:
        reason = running.stopped_for or Reason.USER
        text = STOP_TEXTS.get(reason, f"Killed ({reason.label.lower()}).")
        return self._ended(running, Status.KILLED, reason, text, run_ms=0)

    def _read_usage(self) -> Usage | None:
        try:
            return self._sandbox.usage()
        except SandboxLost:
            return None

    def _sample(self, now: float) -> None:
        usage = self._sandbox.usage()
        running = self._current
        if running and running.begun is not None:
            before, self._usage = self._usage, usage
            percent = 0.0
            if before is not None and now > self._usage_at:
                percent = (usage.cpu_ns - before.cpu_ns) / (now - self._usage_at) / 1e7
            self._keep_sample(running, (round(now - running.begun, 1), round(percent, 1), usage.memory))
            if usage.disk > self._claim.work.disk_limit:
                self._stop(running, Reason.OUT_OF_DISK)
        self._usage, self._usage_at = usage, now

    @staticmethod
    def _keep_sample(running: _Running, sample: tuple[float, float, int]) -> None:
        running.samples.append(sample)
        if sample[0] >= running.saved_at + SAVE_SECONDS:
            running.saved_at = sample[0]
            save_samples(job_id=running.job.pk, samples=running.samples)
        if len(running.samples) >= MAX_SAMPLES:
            # Every second one is enough for a picture of so long a run.
            running.samples = running.samples[::2]

    # -- losing ------------------------------------------------------------------------------

    def _lose(self, why: str) -> None:
        """The sandbox is gone: the job it was on ends with that, the others go back."""
        running = self._current or next(iter(self._jobs.values()), None)
        if running is None:
            return
        self._jobs.pop(running.job.pk, None)
        run_ms = round((time.monotonic() - (running.begun or self._seen_until)) * 1000)
        if running.stopped_for:
            reason, text = running.stopped_for, STOP_TEXTS.get(running.stopped_for, why)
            self._outcomes.append(self._ended(running, Status.KILLED, reason, text, run_ms=run_ms))
        else:
            text = f"The sandbox was lost while the job ran: {why}"
            self._outcomes.append(self._ended(running, Status.ERROR, Reason.SANDBOX, text, run_ms=run_ms))
        if self._jobs:
            recover.give_back(batch_id=self._claim.work.batch_id, worker=self._worker, job_ids=list(self._jobs))
            self._jobs.clear()

    def _end_all(self, reason: Reason, text: str) -> None:
        """None of the jobs can run here or anywhere."""
        self._outcomes += [
            self._ended(running, Status.ERROR, reason, text, run_ms=0) for running in self._jobs.values()
        ]
        self._jobs.clear()

    def _ended(self, running: _Running, status: Status, reason: Reason, text: str, *, run_ms: int) -> Outcome:
        """An outcome that the worker gives itself, because the sandbox has none."""
        at = timezone.now()
        return Outcome(
            job_id=running.job.pk,
            jid=running.job.jid,
            attempt=running.job.attempt,
            status=status,
            reason=reason,
            result=b"",
            is_exception=False,
            error_text=text,
            started_at=at - timedelta(milliseconds=run_ms),
            finished_at=at,
            run_ms=run_ms,
            logs=running.output.kept(),
            samples=running.samples,
        )
