"""The page of one job."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from jobs.models import Batch, Dependency, JobEvent, JobLog, JobMetrics, JobResult
from jobs.services.livelog import publish_output
from jobs.states import Status
from tests.jobs.rows import job_of, make_batch


def page_of(client: Client, batch: Batch) -> str:
    response = client.get(f"/jobs/{batch.first_jid}/")
    assert response.status_code == 200, response.content
    return response.content.decode()


def test_says_status_and_reason_in_words(alice: Any, alice_client: Client) -> None:
    page = page_of(alice_client, make_batch(alice, statuses=(Status.ERROR,), reason="out_of_memory"))
    assert "<title>Error · job 1 · PiCloud</title>" in page
    assert "out of memory" in page


@pytest.mark.parametrize("path", ["/jobs/1/", "/jobs/1/log/stdout.txt"])
def test_stranger_is_told_it_does_not_exist(alice: Any, charlie_client: Client, path: str) -> None:
    make_batch(alice)
    assert charlie_client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/jobs/1/", "/jobs/1/log/stdout.txt"])
def test_page_is_only_read(alice: Any, alice_client: Client, path: str) -> None:
    make_batch(alice)
    assert alice_client.post(path).status_code == 405


@pytest.mark.parametrize("jid", ["0", "2", "999999999999999999", "9" * 40, "x"])
def test_unknown_jid_is_a_page_that_says_so(alice: Any, alice_client: Client, jid: str) -> None:
    make_batch(alice)
    assert alice_client.get(f"/jobs/{jid}/").status_code == 404


def test_cost_shows_its_arithmetic(alice: Any, alice_client: Client) -> None:
    page = page_of(alice_client, make_batch(alice, core_type="c2", cores=4, job={"price_micros": 125_000}))
    # 36 s x 4 cores x $0.125 an hour; 36 s x 4 cores x 2.5 units.
    for words in ("36.0 s", "$0.125", "$0.0050", "0.10"):
        assert words in page


def test_waiting_is_free(alice: Any, alice_client: Client) -> None:
    page = page_of(alice_client, make_batch(alice, statuses=(Status.QUEUED,)))
    assert "$0.00" in page
    assert "It has cost nothing" in page


def test_way_of_a_job_is_drawn(alice: Any, alice_client: Client) -> None:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    queued_at = created + timedelta(seconds=63)
    page = page_of(alice_client, make_batch(alice, created_at=created, job={"queued_at": queued_at}))
    for status in ("waiting", "queued", "processing"):
        assert f'class="fill-{status}"' in page
    assert "1 m 03 s" in page


def test_output_is_text_and_never_markup(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice)
    JobLog.objects.create(job=job_of(batch), stream="stdout", head="<script>alert(1)</script>\x1b[31mred\x1b[0m\u202e")
    page = page_of(alice_client, batch)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;red⟨right-to-left override⟩" in page


def test_what_was_left_out_is_said(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice)
    JobLog.objects.create(job=job_of(batch), stream="stderr", head="begin", tail="end", dropped=4_100_000)
    assert "4.1 MB left out here" in page_of(alice_client, batch)


def test_output_of_a_running_job_is_on_the_page(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.PROCESSING,))
    publish_output(job_of(batch).pk, stream="stdout", text="so far")
    page = page_of(alice_client, batch)
    assert "so far" in page
    assert f'data-live="/live/jobs/{batch.first_jid}/log"' in page


def test_finished_job_is_not_watched(alice: Any, alice_client: Client) -> None:
    assert "data-live" not in page_of(alice_client, make_batch(alice))


def test_traceback_is_shown(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.ERROR,))
    JobResult.objects.create(job=job_of(batch), is_exception=True, error_text="ValueError: <b>no</b>")
    page = page_of(alice_client, batch)
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in page


def test_metrics_are_drawn_on_the_server(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice)
    samples = [[second, 50.0, 100_000_000 + second] for second in range(1000)]
    JobMetrics.objects.create(job=job_of(batch), samples=samples)
    page = page_of(alice_client, batch)
    assert page.count("<polyline") == 2
    assert "limit 300 MB" in page


def test_story_is_told_once_for_the_jobs_it_is_about(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.DONE,) * 3)
    for first, last, name in [(1, 3, "job.submitted"), (1, 1, "job.of_the_first"), (3, 3, "job.of_the_third")]:
        JobEvent.objects.create(batch=batch, first_jid=first, last_jid=last, name=name)
    page = page_of(alice_client, batch)
    assert "job.submitted" in page
    assert "job.of_the_first" in page
    assert "job.of_the_third" not in page


def test_relatives_are_links(alice: Any, alice_client: Client) -> None:
    first = make_batch(alice)
    second = make_batch(alice, statuses=(Status.WAITING,))
    Dependency.objects.create(batch=second, on_job=job_of(first))
    child = make_batch(alice, parent_jid=second.first_jid)
    page = page_of(alice_client, second)
    assert f'href="/jobs/{first.first_jid}/"' in page
    assert f'href="/jobs/{child.first_jid}/"' in page


def test_jobs_of_a_map_lead_to_each_other(alice: Any, alice_client: Client) -> None:
    make_batch(alice, statuses=(Status.DONE,) * 3)
    page = alice_client.get("/jobs/2/").content.decode()
    assert 'rel="prev" href="/jobs/1/"' in page
    assert 'rel="next" href="/jobs/3/"' in page


def test_log_is_a_file_and_never_a_page(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice)
    JobLog.objects.create(job=job_of(batch), stream="stdout", head="<h1>as it was\x1b[0m")
    response = alice_client.get(f"/jobs/{batch.first_jid}/log/stdout.txt")
    assert response["Content-Type"].startswith("text/plain")
    assert response["Content-Disposition"] == f'attachment; filename="job-{batch.first_jid}-stdout.txt"'
    assert response.content == b"<h1>as it was\x1b[0m"


def test_unknown_stream_is_said(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice)
    response = alice_client.get(f"/jobs/{batch.first_jid}/log/secrets.txt")
    assert response.status_code == 404
    assert "stdout, stderr, logging" in response.content.decode()


def test_waiting_job_says_what_it_waits_for(alice: Any, alice_client: Client) -> None:
    first, second = make_batch(alice, statuses=(Status.QUEUED,)), make_batch(alice, statuses=(Status.WAITING,))
    Dependency.objects.create(batch=second, on_job=job_of(first))
    assert "Waits for job 1 (queued) to finish." in page_of(alice_client, second)
