"""A service that speaks the protocol, and a client that is set to use it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloud
from cloud import _submit
from cloud._dependencies import archives, cache
from tests.cloud.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _clean_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads this machine's own configuration."""
    for name in ("PICLOUD_URL", "PICLOUD_API_KEY", "PICLOUD_API_SECRETKEY", "PICLOUD_JOB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("url", "api_key", "api_secretkey"):
        monkeypatch.setattr(cloud.config, name, None)
    monkeypatch.setattr(cloud.config, "retry_seconds", 5.0)
    cloud.config.commit()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(cloud.config, "automatic_dependency_transfer", None)
    _submit._sent_functions.clear()
    cache._entries = None
    archives._known.clear()
    cloud.set_dependency_whitelist(None)


@pytest.fixture
def alice_calls(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The client uses the service as Alice."""
    monkeypatch.setenv("PICLOUD_URL", service.url)
    monkeypatch.setenv("PICLOUD_API_KEY", "7")
    monkeypatch.setenv("PICLOUD_API_SECRETKEY", "secret")
    return service
