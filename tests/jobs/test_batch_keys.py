"""Which API key is behind a job."""

from typing import Any

from common import packs
from crons.models import Cron
from crons.services.register import schedule_job
from jobs.models import Batch
from jobs.services.submission import parse_submission
from jobs.services.submit import rerun_job
from jobs.services.submit import submit as submit_from
from tests.crons.making import terms
from tests.submitting import Api, pack, run_all


def keys(account: Any) -> list[int | None]:
    return list(Batch.objects.filter(account=account).order_by("pk").values_list("api_key", flat=True))


def test_the_key_that_submitted_is_known_and_none_for_a_page(alice: Any) -> None:
    api = Api(alice)
    api.submit()
    run_all(alice)
    rerun_job(account=alice, jid=1)
    api.post("jobs/1/rerun", {})
    assert keys(alice) == [api.key.pk, None, api.key.pk]


def test_what_a_job_submits_is_on_the_jobs_key(alice: Any) -> None:
    api = Api(alice)
    api.submit()
    submit_from(account=alice, submission=parse_submission(*packs.parse(pack([b"x"]))), parent_jid=1)
    assert keys(alice) == [api.key.pk] * 2


def test_a_cron_knows_the_key_that_registered_it_and_none_for_a_page(alice: Any) -> None:
    api = Api(alice)
    cron = pack([b"x"], cron={"label": "nightly", "schedule": "@daily"})
    api.client.post("/api/v1/crons", cron, content_type=packs.CONTENT_TYPE)
    assert Cron.objects.get().api_key == api.key.pk
    api.post("crons/nightly/run", {})
    assert keys(alice) == [api.key.pk]
    run_all(alice)
    schedule_job(account=alice, jid=1, terms=terms("nightly"))
    assert Cron.objects.get().api_key is None
