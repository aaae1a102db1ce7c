"""Lost connections, busy and dead servers: what is retried, what is never done twice, what is said."""

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import cloud
from cloud import _client
from cloud._http import Address
from tests.cloud.service import Handler, Service
from tests.cloud.test_progress import Terminal
from tests.servers import free_port


def first_times(count: int, action: Callable[[Handler], None], *, path: str = "/") -> Callable[[Handler], bool]:
    """A service whose first answers go wrong."""
    left = [count]

    def before(handler: Handler) -> bool:
        if not left[0] or not handler.path.startswith(path):
            return False
        left[0] -= 1
        action(handler)
        return True

    return before


def hang_up(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def do_it_and_hang_up(handler: Handler) -> None:
    handler.send_raw = lambda *_: None  # type: ignore[method-assign]
    handler.dispatch(handler.server.requests[-1][2])
    hang_up(handler)


def busy(handler: Handler) -> None:
    handler.refuse(503, "busy", "Come back later.")


@pytest.mark.parametrize("action", [hang_up, busy])
def test_lost_and_refused_requests_are_sent_again(alice_calls: Service, action: Any) -> None:
    alice_calls.before = first_times(2, action)
    assert cloud.result(cloud.call(abs, -4)) == 4


def test_a_submit_whose_answer_was_lost_starts_one_job(alice_calls: Service) -> None:
    alice_calls.before = first_times(1, do_it_and_hang_up, path="/api/v1/jobs")
    assert cloud.call(abs, -4) == 1
    assert len(alice_calls.jobs) == 1
    assert len({header["idempotency_key"] for header in alice_calls.headers_of("/api/v1/jobs")}) == 1


def test_two_calls_have_two_keys(alice_calls: Service) -> None:
    cloud.call(abs, 1)
    cloud.call(abs, 1)
    assert len(alice_calls.jobs) == 2


def test_what_cannot_be_repeated_is_not_sent_again(alice_calls: Service) -> None:
    alice_calls.before = first_times(1, hang_up)
    with pytest.raises(cloud.CloudException, match="look whether the request was carried out"):
        _client.request_json("POST", "/api/v1/keys", {}, idempotent=False)
    assert len(alice_calls.requests) == 1


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    cloud.setkey(7, "secret", server_url=url)
    monkeypatch.setattr(cloud.config, "retry_seconds", 0.2)
    with pytest.raises(cloud.CloudException, match=rf"{url} cannot be reached .*check that it is running") as failure:
        cloud.call(abs, 1)
    assert failure.value.retry


def test_a_person_is_told_that_the_server_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(_client, "_QUIET_SECONDS", 0)
    retries = _client.Retries(0.2, what="http://here")
    while retries.again():
        pass
    assert terminal.getvalue().count("PiCloud: http://here does not answer; trying for") == 1


def test_a_server_that_stays_busy_is_quoted(alice_calls: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud.config, "retry_seconds", 0.2)
    alice_calls.before = first_times(1000, busy)
    with pytest.raises(cloud.CloudException, match="Error busy: Come back later"):
        cloud.status(1)


def test_a_refusal_is_raised_at_once_in_the_words_of_the_service(alice_calls: Service) -> None:
    alice_calls.before = first_times(1, lambda handler: handler.refuse(401, "key_inactive", "Key 7 was deactivated."))
    with pytest.raises(cloud.CloudException, match="Key 7 was deactivated") as failure:
        cloud.call(abs, 1)
    assert failure.value.status == "key_inactive"
    assert len(alice_calls.requests) == 1


def test_an_answer_of_some_other_server_is_told_apart(alice_calls: Service) -> None:
    alice_calls.before = first_times(1, lambda handler: handler.send_raw(404, b"<html>nginx</html>"))
    with pytest.raises(cloud.CloudException, match="check that PICLOUD_URL is the address of a PiCloud server"):
        cloud.status(1)


def test_result_waits_through_a_restart(alice_calls: Service) -> None:
    alice_calls.runs_jobs = False
    jid = cloud.call(abs, -4)
    asked = threading.Event()

    def note(handler: Handler) -> bool:
        asked.set()
        return False

    alice_calls.before = note
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cloud.result, jid)
        assert asked.wait(5)
        alice_calls.before = first_times(3, hang_up)
        alice_calls.run([jid])
        assert waiting.result(10) == 4


def test_one_connection_serves_many_requests(alice_calls: Service) -> None:
    ports: set[int] = set()

    def note(handler: Handler) -> bool:
        ports.add(handler.client_address[1])
        return False

    alice_calls.before = note
    cloud.call(abs, 1)
    for _ in range(5):
        cloud.status(1)
    assert len(ports) == 1
    assert cloud.connection_info()["opened"]


def test_a_connection_that_the_server_closed_meanwhile_is_not_used(alice_calls: Service) -> None:
    cloud.call(abs, 1)
    alice_calls.before = first_times(1, lambda handler: (handler.reply(200, {"files": []}), hang_up(handler)))  # type: ignore[func-returns-value]
    cloud.files.list()
    before = len(alice_calls.requests)
    assert cloud.status(1) == "done"
    assert len(alice_calls.requests) == before + 1


def test_threads_share_the_client(alice_calls: Service) -> None:
    jid = cloud.call(abs, 1)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: cloud.status(jid), range(80))) == {"done"}


def test_a_forked_child_makes_connections_of_its_own(alice_calls: Service) -> None:
    jid = cloud.call(abs, 1)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, cloud.status(jid).encode())
        os._exit(0)
    assert [cloud.status(jid) for _ in range(20)] == ["done"] * 20
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"done"


def test_a_unix_socket_is_an_address(alice_calls: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        answers = threading.Thread(target=_answer_once, args=(listener, b'{"files": [{"name": "a"}]}'))
        answers.start()
        monkeypatch.setenv("PICLOUD_URL", f"http+unix://{path}")
        monkeypatch.setenv("PICLOUD_JOB_TOKEN", "of-the-job")
        assert cloud.files.list() == ["a"]
        answers.join()
    assert cloud.running_on_cloud()
    assert cloud.connection_info()["connection_type"] == "UNIX"


def _answer_once(listener: socket.socket, body: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        head = connection.recv(65_536)
        assert b"Authorization: Bearer of-the-job" in head
        # In chunks, as some servers send what they have not measured.
        chunks = b"%x\r\n%s\r\n%x;name=value\r\n%s\r\n0\r\n\r\n" % (5, body[:5], len(body) - 5, body[5:])
        connection.sendall(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        )


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x", "http://", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not the address"):
        Address.parse(url)


def test_a_wrong_url_is_said_with_the_name_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.setkey(7, "secret", server_url="localhost:8000")
    with pytest.raises(cloud.CloudException, match="PICLOUD_URL: 'localhost:8000' is not the address"):
        cloud.status(1)
