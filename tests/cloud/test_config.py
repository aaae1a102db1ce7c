"""Where the service is and who calls it: environment, file, setkey."""

from pathlib import Path

import pytest

import cloud
from cloud._config import config, config_file, write_file


def written(*, url: str = "http://stored:8000") -> Path:
    write_file(config_file(), {"url": url, "api_key": "3", "api_secretkey": "stored secret"})
    return config_file()


def test_nothing_configured_is_one_sentence() -> None:
    with pytest.raises(cloud.CloudException, match="run `picloud setup`"):
        cloud.call(abs, 1)


def test_the_file_is_for_its_owner_only() -> None:
    path = written()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert str(path.parent) == cloud.getconfigpath()


def test_the_file_is_used() -> None:
    written()
    assert config.credentials()[:3] == ("http://stored:8000", "3", "stored secret")


def test_a_file_that_others_can_read_is_refused() -> None:
    written().chmod(0o644)
    with pytest.raises(cloud.CloudException, match="chmod 600"):
        cloud.status(1)


def test_a_broken_file_says_so() -> None:
    written().write_text("nonsense")
    with pytest.raises(cloud.CloudException, match="run `picloud setup` again"):
        cloud.status(1)


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    written()
    monkeypatch.setenv("PICLOUD_API_KEY", "9")
    monkeypatch.setenv("PICLOUD_API_SECRETKEY", "other")
    assert config.credentials()[:3] == ("http://stored:8000", "9", "other")
    monkeypatch.setenv("PICLOUD_URL", "http://other:1")
    assert config.credentials().url == "http://other:1"


def test_the_stored_secret_goes_to_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    written()
    monkeypatch.setenv("PICLOUD_URL", "http://elsewhere:8000")
    with pytest.raises(cloud.CloudException, match="belongs to http://stored:8000, not to http://elsewhere:8000"):
        cloud.status(1)


def test_a_key_without_its_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    written()
    monkeypatch.setenv("PICLOUD_API_KEY", "9")
    with pytest.raises(cloud.CloudException, match="PICLOUD_API_SECRETKEY is not set"):
        cloud.status(1)


def test_in_a_job_its_token_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICLOUD_URL", "http+unix:///run/api.sock")
    monkeypatch.setenv("PICLOUD_JOB_TOKEN", "abc")
    assert config.credentials().authorization == "Bearer abc"
    assert cloud.running_on_cloud()


def test_setkey_comes_before_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICLOUD_API_KEY", "9")
    monkeypatch.setenv("PICLOUD_API_SECRETKEY", "other")
    cloud.setkey(4, "mine", server_url="http://mine:1")
    info = cloud.connection_info()
    assert (info["server_url"], info["api_key"], info["api_secretkey"]) == ("http://mine:1", "4", "mine")
    assert (info["connection_type"], info["opened"]) == ("HTTP", False)


def test_setkey_knows_the_stored_secret_of_the_stored_key() -> None:
    written()
    cloud.setkey(3)
    assert config.credentials()[:3] == ("http://stored:8000", "3", "stored secret")
    with pytest.raises(ValueError, match="No secret is stored for key 4"):
        cloud.setkey(4)


def test_an_immutable_key_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud._connection._locked", False)
    cloud.setkey(3, "a", immutable=True)
    with pytest.raises(RuntimeError, match="immutable"):
        cloud.setkey(4, "b")


def test_nothing_is_simulated() -> None:
    assert cloud.is_simulated() is False
    assert cloud.running_on_cloud() is False
