"""GET /healthz: each part says whether it serves."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from redis import Redis

from api import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_last", (0.0, {}))
    monkeypatch.setattr(health, "CACHED_S", -1.0)
    monkeypatch.setattr(health, "CACHED_ILL_S", -1.0)


def ask() -> HttpResponse:
    return health.health(RequestFactory().get("/healthz"))


def parts(response: HttpResponse) -> Any:
    return json.loads(response.content)


def report(redis: Redis, slot: int, **fields: str) -> None:
    redis.hset(
        f"picloud:worker:{slot}", mapping={"sandbox": "container", "network": "the internet", "problem": "", **fields}
    )


def test_200_when_every_part_serves(redis: Redis) -> None:
    report(redis, 1)
    response = ask()
    assert response.status_code == 200
    assert set(parts(response)) == {"database", "redis", "storage", "workers", "sandbox"}
    assert parts(response)["sandbox"]["detail"] == "container; jobs reach the internet"


def test_503_while_no_worker_reports(redis: Redis) -> None:
    response = ask()
    assert response.status_code == 503
    assert parts(response)["workers"] == {"ok": False, "detail": "No worker has reported for 15 seconds."}
    assert parts(response)["database"]["ok"]


def test_sandbox_says_what_stands_in_its_way(redis: Redis) -> None:
    report(redis, 1, problem="No container engine answers.")
    response = ask()
    assert response.status_code == 503
    assert parts(response)["sandbox"] == {"ok": False, "detail": "No container engine answers."}


def test_redis_that_is_gone_is_told_and_nothing_else_falls(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_redis", Redis(unix_socket_path="/nowhere", retry=health.Retry(health.NoBackoff(), 0)))
    response = ask()
    assert response.status_code == 503
    assert not parts(response)["redis"]["ok"]
    assert parts(response)["database"]["ok"]


def test_full_disk_is_told(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LEAST_DISK", 10**18)
    assert "The disk is full" in parts(ask())["storage"]["detail"]


def test_it_is_only_read() -> None:
    assert health.health(RequestFactory().post("/healthz")).status_code == 405
