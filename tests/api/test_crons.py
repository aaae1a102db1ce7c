"""Crons over HTTP, as the document describes them."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest

from common import packs
from crons.models import Cron
from crons.services.ticker import tick
from tests.api.test_modules import LARGE, SMALL, module, put
from tests.api.test_openapi import check
from tests.submitting import Api, pack, run_all

pytestmark = pytest.mark.usefixtures("base_environment")
CRON = "/api/v1/crons/{label}"


def register(api: Api, label: str = "tweet", schedule: Any = "* * * * *", **terms: Any) -> Any:
    fields = {name: terms.pop(name) for name in ("options", "modules") if name in terms}
    fields["cron"] = {"label": label, "schedule": schedule, **terms}
    answer = api.client.post("/api/v1/crons", pack([b"arguments"], **fields), content_type=packs.CONTENT_TYPE)
    check(answer, "POST", "/api/v1/crons")
    return answer


def change(api: Api, label: str = "tweet", **wanted: Any) -> Any:
    answer = api.client.patch(f"/api/v1/crons/{quote(label)}", json.dumps(wanted), content_type="application/json")
    check(answer, "PATCH", CRON)
    return answer


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_registering_and_replacing(alice_api: Api) -> None:
    answer = register(alice_api, timezone="Europe/Berlin", options={"type": "c2", "max_runtime": 5})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["words"], told["state"], told["creator_host"]) == ("Every minute", "new", "laptop")
    assert (told["core_type"], told["max_runtime"], told["func_name"]) == ("c2", 5.0, "videos.encode")
    again = register(alice_api, schedule=[0, 9, "*", "*", "mon"])
    assert (again.status_code, again.json()["registration"], again.json()["schedule"]) == (200, 2, "0 9 * * mon")


def test_what_travels_with_the_function_is_told(alice_api: Api) -> None:
    register(alice_api, "alone")
    assert alice_api.get("crons/alone").json()["modules"] == []
    put(alice_api, SMALL)
    put(alice_api, LARGE)
    register(alice_api, "bot", modules=[module(SMALL, "birds"), module(LARGE, "attrs 25.3.0")])
    told = alice_api.get("crons/bot")
    check(told, "GET", CRON)
    assert told.json()["modules"] == ["birds", "attrs 25.3.0"]
    assert [len(cron["modules"]) for cron in alice_api.get("crons").json()["crons"]] == [0, 2]


def test_what_runs_is_told(alice: Any, alice_api: Api) -> None:
    register(alice_api)
    answer = alice_api.post("crons/tweet/run", {})
    check(answer, "POST", f"{CRON}/run")
    assert answer.json()["first_jid"] == 1
    run_all(alice)
    cron = Cron.objects.get()
    assert cron.next_at is not None
    tick(cron.next_at)
    told = alice_api.get("crons/tweet")
    check(told, "GET", CRON)
    assert (told.json()["last_jid"], told.json()["last_outcome"]) == (2, "running")
    runs = alice_api.get("crons/tweet/runs?limit=1")
    check(runs, "GET", f"{CRON}/runs")
    rest = alice_api.get(f"crons/tweet/runs?before={runs.json()['next']}").json()
    assert [run["trigger"] for run in (*runs.json()["runs"], *rest["runs"])] == ["schedule", "manual"]
    jobs = alice_api.get("jobs?label=cron_tweet").json()["jobs"]
    assert [job["first_jid"] for job in jobs] == [2, 1]


def test_listing_goes_on_where_it_stopped(alice_api: Api) -> None:
    for label in ("a", "b", "c"):
        register(alice_api, label)
    first = alice_api.get("crons?limit=2").json()
    second = alice_api.get(f"crons?limit=2&after={first['next']}").json()
    assert [cron["label"] for cron in (*first["crons"], *second["crons"])] == ["a", "b", "c"]
    assert second["next"] is None


def test_listing_only_what_has_a_text(alice_api: Api) -> None:
    for label in ("backup", "tweet"):
        register(alice_api, label)
    assert [cron["label"] for cron in alice_api.get("crons?text=BACK").json()["crons"]] == ["backup"]


def test_changing_and_pausing(alice_api: Api) -> None:
    register(alice_api)
    told = change(alice_api, schedule="@daily", timezone="Asia/Tokyo", overlap="skip", alerts=False).json()
    assert (told["schedule"], told["timezone"]) == ("@daily", "Asia/Tokyo")
    assert (told["overlap"], told["alerts"]) == ("skip", False)
    assert datetime.fromisoformat(told["next_run"]).hour == 15
    paused = change(alice_api, paused=True).json()
    assert (paused["paused"], paused["next_run"], paused["next_runs"]) == (True, None, [])
    assert change(alice_api, timezone="UTC").json()["next_run"] is None
    assert change(alice_api, paused=False).json()["next_run"] is not None


def test_nothing_is_changed_when_a_part_is_refused(alice_api: Api) -> None:
    register(alice_api)
    assert error(change(alice_api, schedule="@daily", overlap="maybe")) == (400, "bad_option")
    assert error(change(alice_api, color="red")) == (400, "unknown_option")
    assert alice_api.get("crons/tweet").json()["schedule"] == "* * * * *"


def test_removing_twice(alice_api: Api) -> None:
    label = 'a "b" <c> d?e#f%'
    register(alice_api, label)
    path = f"/api/v1/crons/{quote(label)}"
    assert alice_api.client.delete(path).status_code == 204
    assert error(alice_api.client.delete(path)) == (404, "cron_unknown")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"label": ""}, "bad_label"), ({"label": "x" * 300}, "bad_label"), ({"label": "a\nb"}, "bad_label"),
        ({"schedule": "* * * * * *"}, "bad_schedule"), ({"schedule": None}, "bad_schedule"),
        ({"timezone": "Mars/Base"}, "unknown_zone"), ({"overlap": "x"}, "bad_option"), ({"catch_up": 1}, "bad_option"),
        ({"start_grace_s": 0}, "bad_option"), ({"more": 1}, "unknown_option"),
        ({"options": {"label": "x"}}, "bad_option"), ({"options": {"depends_on": [[1, 1]]}}, "bad_option"),
        ({"options": {"type": "z9"}}, "unknown_core_type"),
    ],
)  # fmt: skip
def test_refused(alice_api: Api, terms: Any, code: str) -> None:
    assert error(register(alice_api, **terms)) == (400, code)
    assert not Cron.objects.exists()


def test_a_map_is_no_cron(alice_api: Api) -> None:
    body = pack([b"a", b"b"], cron={"label": "x", "schedule": "@daily"})
    assert error(alice_api.client.post("/api/v1/crons", body, content_type=packs.CONTENT_TYPE)) == (400, "bad_submit")


def test_preview(alice_api: Api) -> None:
    answer = alice_api.post("schedule", {"schedule": "30 2 * * *", "timezone": "Europe/Berlin"})
    check(answer, "POST", "/api/v1/schedule")
    told = answer.json()
    assert (told["words"], told["is_interval"], len(told["runs"])) == ("Every day at 02:30", False, 10)
    times = [datetime.fromisoformat(run["local"]) for run in told["runs"]]
    assert all(later - earlier >= timedelta(hours=23) for earlier, later in pairwise(times))
    refused = alice_api.post("schedule", {"schedule": "0 0 30 2 *"})
    check(refused, "POST", "/api/v1/schedule")
    assert "never fires" in refused.json()["error"]["message"]
