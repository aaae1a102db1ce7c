"""The jobs panel: what it lists, how it filters, and what it answers to nonsense."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.states import Status
from tests.jobs.rows import make_batch


def listed(client: Client, query: str = "") -> list[int]:
    """The first jids of the rows on the page, from the top."""
    page = client.get(f"/jobs/{query}")
    assert page.status_code == 200, page.content
    return [int(jid) for jid in re.findall(r'<td class="jid nowrap"><a href="/jobs/(\d+)/">', page.content.decode())]


def text_of(client: Client, query: str = "") -> str:
    return client.get(f"/jobs/{query}").content.decode()


def test_newest_come_first(alice: Any, alice_client: Client) -> None:
    for _ in range(3):
        make_batch(alice)
    assert listed(alice_client) == [3, 2, 1]


def test_colleague_sees_none_of_it(alice: Any, bob_client: Client) -> None:
    make_batch(alice)
    assert listed(bob_client) == []


def test_visitor_is_sent_to_sign_in(client: Client) -> None:
    response = client.get("/jobs/?status=error")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/?next=/jobs/")


@pytest.mark.parametrize("path", ["/jobs/", "/jobs/rows/"])
def test_page_is_only_read(alice_client: Client, path: str) -> None:
    assert alice_client.post(path).status_code == 405


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?status=error", [4]),
        ("?status=queued", [5]),
        ("?status=done", [6, 3, 2, 1]),
        ("?label=nightly", [2]),
        ("?function=train", [3]),
        ("?function=models.train", [3]),
        ("?function=other.train", []),
        ("?type=c2", [1]),
        ("?text=rai", [3]),
        ("?text=NIGHT", [2]),
        ("?text=models", [3]),
        ("?text=7", [6]),
        ("?text=9", []),
        ("?text=99999999999999999999", []),
        ("?since=2026-01-05", [6, 5, 4, 3]),
        ("?until=2026-01-02", [2, 1]),
        ("?since=2026-01-02&until=2026-01-02", [2]),
        ("?status=error&type=c1", [4]),
        ("?status=error&type=c2", []),
        ("?status=done&text=e&since=2026-01-02", [6, 3, 2]),
        ("?function=train&text=mod", [3]),
        ("?function=encode&text=night", [2]),
    ],
)
def test_filters(alice: Any, alice_client: Client, query: str, expected: list[int]) -> None:
    day = datetime(2026, 1, 1, 12, tzinfo=UTC)
    make_batch(alice, core_type="c2", created_at=day)
    make_batch(alice, label="nightly", created_at=day + timedelta(days=1))
    make_batch(alice, function="train", module="models", created_at=day + timedelta(days=5))
    make_batch(alice, statuses=(Status.ERROR,), created_at=day + timedelta(days=6))
    make_batch(alice, statuses=(Status.QUEUED,), created_at=day + timedelta(days=7))
    make_batch(alice, statuses=(Status.DONE,) * 3, created_at=day + timedelta(days=8))
    assert listed(alice_client, query) == expected


def test_dates_are_days_of_the_readers_zone(alice: Any, alice_client: Client) -> None:
    alice.time_zone = "Asia/Tokyo"
    alice.save()
    make_batch(alice, created_at=datetime(2026, 1, 1, 16, tzinfo=UTC))  # the 2nd in Tokyo
    assert listed(alice_client, "?since=2026-01-02") == [1]
    assert listed(alice_client, "?until=2026-01-01") == []


def test_pages_follow_each_other_both_ways(alice: Any, alice_client: Client) -> None:
    batches = [make_batch(alice) for _ in range(103)]
    assert listed(alice_client) == list(range(103, 53, -1))
    assert listed(alice_client, f"?before={batches[53].pk}") == list(range(53, 3, -1))
    assert listed(alice_client, f"?before={batches[3].pk}") == [3, 2, 1]
    assert listed(alice_client, f"?after={batches[2].pk}") == list(range(53, 3, -1))


def test_pages_of_a_filter_keep_the_filter(alice: Any, alice_client: Client) -> None:
    for _ in range(51):
        make_batch(alice, label="big & small")
    older = re.search(r'rel="next" href="([^"]+)"', text_of(alice_client, "?label=big+%26+small"))
    assert older
    assert listed(alice_client, older[1].replace("&amp;", "&")) == [1]


@pytest.mark.parametrize("cursor", ["before=abc", "before=-1", "after=1e9", "before=99999999999999999999", "expand=x"])
def test_bad_cursor_is_answered_by_a_sentence(alice_client: Client, cursor: str) -> None:
    response = alice_client.get(f"/jobs/?{cursor}")
    assert response.status_code == 400
    assert "must be a whole number" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?status=lazy", "lazy is not one of the available choices"),
        ("?type=z9", "z9 is not one of the available choices"),
        ("?since=tomorrow", "Enter a valid date"),
        ("?since=2026-02-02&until=2026-02-01", "The last day is before the first"),
        ("?text=%00", "Null characters are not allowed"),
        ("?text=" + "x" * 300, "at most 200 characters"),
    ],
)
def test_bad_filter_is_left_out_and_said(alice: Any, alice_client: Client, query: str, sentence: str) -> None:
    make_batch(alice)
    assert listed(alice_client, query) == [1]
    assert sentence in text_of(alice_client, query)


@pytest.mark.parametrize("query", ["?until=9999-12-31", "?since=0001-01-01", "?text=%F0%9F%8E%AC", "?label=%25%5F"])
def test_odd_filter_is_no_error(alice: Any, alice_client: Client, query: str) -> None:
    make_batch(alice)
    assert alice_client.get(f"/jobs/{query}").status_code == 200


def test_filters_are_chips_that_can_be_removed(alice: Any, alice_client: Client) -> None:
    make_batch(alice, label="nightly")
    page = text_of(alice_client, "?label=nightly&status=done&before=9")
    assert 'class="chip" href="?status=done"' in page
    assert 'class="chip" href="?label=nightly"' in page


def test_empty_answer_says_which_filter_to_drop(alice: Any, alice_client: Client) -> None:
    make_batch(alice)
    page = text_of(alice_client, "?label=nothing")
    assert "Drop label “nothing”" in page
    assert 'href="?"' in page


def test_newcomer_is_shown_three_lines(alice_client: Client) -> None:
    page = text_of(alice_client)
    assert "cloud.call(" in page
    assert 'href="/account/keys/"' in page


def test_names_are_text_and_never_markup(alice: Any, alice_client: Client) -> None:
    evil = "<script>alert(1)</script>"
    make_batch(alice, function=evil, module=evil, label='"><img src=x onerror=alert(2)>')
    page = text_of(alice_client) + text_of(alice_client, "?label=%22%3E%3Cimg+src%3Dx+onerror%3Dalert(2)%3E")
    assert evil not in page
    assert "<img" not in page


def test_direction_marks_are_written_out(alice: Any, alice_client: Client) -> None:
    make_batch(alice, label="gpj\u202eexe")
    assert "\u202e" not in text_of(alice_client)
    assert "right-to-left override" in text_of(alice_client)


def test_map_is_one_row_with_its_bar(alice: Any, alice_client: Client) -> None:
    make_batch(alice, statuses=(Status.DONE, Status.ERROR, Status.QUEUED, Status.QUEUED))
    page = text_of(alice_client)
    assert "1–4" in page
    assert 'aria-label="1 done, 1 error, 2 queued"' in page
    assert "2/4" in page


def test_map_opens_in_place(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.DONE,) * 60)
    first = alice_client.get(f"/jobs/rows/?batch={batch.pk}").content.decode()
    second = alice_client.get(f"/jobs/rows/?batch={batch.pk}&after=50").content.decode()
    assert first.count('class="row child"') == 50
    assert second.count('class="row child"') == 10
    assert "More jobs" in first
    assert "More jobs" not in second


def test_map_opens_without_script_too(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.DONE,) * 3)
    assert text_of(alice_client, f"?expand={batch.pk}").count('class="row child"') == 3


def test_map_of_a_colleague_does_not_exist(alice: Any, bob_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.DONE,) * 3)
    assert bob_client.get(f"/jobs/rows/?batch={batch.pk}").status_code == 404
    assert bob_client.get(f"/jobs/?expand={batch.pk}").status_code == 404


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (Status.KILLED, "max_runtime", "max run time"),
        (Status.ERROR, "out_of_memory", "out of memory"),
        (Status.STALLED, "dependency", "dependency"),
        (Status.KILLED, "worker_lost", "worker lost"),
    ],
)
def test_reason_is_the_second_word(alice: Any, alice_client: Client, status: Status, reason: str, words: str) -> None:
    make_batch(alice, statuses=(status,), reason=reason)
    assert f'<span class="because">· {words}</span>' in text_of(alice_client)


def test_job_that_is_being_killed_is_stopping(alice: Any, alice_client: Client) -> None:
    make_batch(alice, statuses=(Status.PROCESSING,), job={"kill_requested_at": datetime.now(UTC)})
    assert "Stopping" in text_of(alice_client)


def test_figures_of_a_row(alice: Any, alice_client: Client) -> None:
    make_batch(alice, job={"memory_peak": 24_100_000})
    page = text_of(alice_client)
    # 36 s of one c1 core at $0.05 an hour.
    for words in ("1.0 s", "36.0 s", "$0.00050", "24.1 MB"):
        assert words in page


@pytest.mark.parametrize("query", ["", "?status=done", "?text=enc", "?type=c1"])
def test_forty_rows_take_no_more_queries_than_one(alice: Any, alice_client: Client, query: str) -> None:
    make_batch(alice)
    with CaptureQueriesContext(connection) as for_one:
        alice_client.get(f"/jobs/{query}")
    for _ in range(39):
        make_batch(alice)
    with CaptureQueriesContext(connection) as for_forty:
        alice_client.get(f"/jobs/{query}")
    assert len(for_forty) == len(for_one)


def test_rows_are_asked_for_by_id_in_any_order(alice: Any, bob: Any, alice_client: Client) -> None:
    mine, other, foreign = make_batch(alice), make_batch(alice), make_batch(bob)
    page = alice_client.get(f"/jobs/rows/?ids={mine.pk},{foreign.pk},{other.pk}").content.decode()
    assert re.findall(r'tbody data-batch="(\d+)"', page) == [str(other.pk), str(mine.pk)]


def test_new_batches_are_named_if_the_filters_let_them_through(alice: Any, alice_client: Client) -> None:
    top = make_batch(alice)
    make_batch(alice, label="other")
    wanted = make_batch(alice, label="wanted")
    page = alice_client.get(f"/jobs/rows/?newer_than={top.pk}&label=wanted").content.decode()
    assert f'data-new="{wanted.pk}"' in page


@pytest.mark.parametrize("query", ["ids=x", "batch=x", "newer_than=x", "ids=" + ",".join(["1"] * 501)])
def test_bad_rows_are_answered_by_a_sentence(alice_client: Client, query: str) -> None:
    assert alice_client.get(f"/jobs/rows/?{query}").status_code == 400


def test_htmx_gets_the_part_below_the_filters(alice: Any, alice_client: Client) -> None:
    make_batch(alice)
    page = alice_client.get("/jobs/", headers={"HX-Request": "true", "HX-Target": "jobs"}).content.decode()
    assert "<html" not in page
    assert "videos" in page


def test_search_that_is_not_complete_says_so(alice: Any, alice_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.selectors.filters.MOST_LABELS", 2)
    for label in ("first", "second", "third"):
        make_batch(alice, label=label)
    assert listed(alice_client, "?text=rst") == [1]
    assert "among the first 2 only" in text_of(alice_client, "?text=third")
