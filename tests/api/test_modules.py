"""Archives of modules over HTTP: asked for, stored, and named by a submit."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Batch, ModuleArchive, ModuleSet
from jobs.services.delete import delete_jobs
from jobs.services.modules import archives_of, remove_unused_sets
from storage.bucket import Bucket
from storage.models import Blob
from storage.services import read_blob, remove_orphans
from tests.submitting import Api, run_all, submit

pytestmark = pytest.mark.usefixtures("base_environment", "store")
NOW = timedelta(0)
SMALL, LARGE = b"a small archive", b"a large archive" * 10_000


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(api: Api, data: bytes, digest: str = "", **headers: str) -> Any:
    path = f"/api/v1/modules/{digest or digest_of(data)}"
    return api.client.generic("PUT", path, data, "application/zip", headers=headers)


def module(data: bytes, name: str = "shapes") -> dict[str, str]:
    return {"digest": digest_of(data), "name": name}


def missing(api: Api, *archives: bytes) -> list[str]:
    answer = api.post("modules", {"digests": [digest_of(data) for data in archives]})
    assert answer.status_code == 200, answer.content
    found: list[str] = answer.json()["missing"]
    return found


def error(answer: Any) -> tuple[int, str, str]:
    told = answer.json()["error"]
    return answer.status_code, told["code"], told["message"]


def test_an_archive_is_missing_until_it_is_sent(alice_api: Api) -> None:
    assert missing(alice_api, SMALL, LARGE) == [digest_of(SMALL), digest_of(LARGE)]
    assert [put(alice_api, data).status_code for data in (SMALL, LARGE, LARGE)] == [204, 204, 204]
    assert missing(alice_api, SMALL, LARGE) == []
    assert [read_blob(blob) for blob in Blob.objects.order_by("size")] == [SMALL, LARGE]


def test_an_archive_is_its_account_s_alone(alice_api: Api, charlie_api: Api) -> None:
    put(alice_api, SMALL)
    assert missing(charlie_api, SMALL) == [digest_of(SMALL)]
    answer = charlie_api.submit(modules=[module(SMALL)])
    assert error(answer)[:2] == (409, "modules_unknown")


def test_an_archive_with_other_bytes_is_refused_and_not_stored(alice_api: Api, store: Bucket) -> None:
    status, code, sentence = error(put(alice_api, LARGE, digest_of(SMALL)))
    assert (status, code) == (400, "bad_digest")
    assert "do not have the announced SHA-256 sum" in sentence
    assert not Blob.objects.exists()
    assert list(store.keys_before(timezone.now() + timedelta(hours=1), "blobs/")) == []


def test_an_archive_cut_off_is_refused(alice_api: Api) -> None:
    path = f"/api/v1/modules/{digest_of(LARGE)}"
    cut = {"CONTENT_LENGTH": str(len(LARGE)), "wsgi.input": io.BytesIO(LARGE[:-10])}
    assert error(alice_api.client.generic("PUT", path, **cut))[1] == "cut_off"
    assert not Blob.objects.exists()


@pytest.mark.parametrize("digest", ["x", "A" * 64, "0" * 63, "..%2F" + "0" * 60])
def test_an_archive_is_stored_under_a_digest_only(alice_api: Api, digest: str) -> None:
    assert put(alice_api, SMALL, digest).status_code in (400, 404)


def test_a_huge_archive_is_refused_with_what_to_do(alice_api: Api) -> None:
    answer = put(alice_api, b"", digest_of(SMALL), **{"Content-Length": "500000001"})
    assert error(answer) == (
        413,
        "archive_too_large",
        "The archive has 500,000,001 bytes; 500,000,000 is the limit. Use an environment that has these modules.",
    )


def test_a_submit_names_its_modules_in_their_order(alice: Any, alice_api: Api) -> None:
    put(alice_api, SMALL)
    put(alice_api, LARGE)
    first = submit(alice, modules=[module(LARGE, "attrs 25.3.0"), module(SMALL)])
    again = submit(alice, modules=[module(LARGE, "attrs 25.3.0"), module(SMALL)])
    other = submit(alice, modules=[module(SMALL), module(LARGE, "attrs 25.3.0")])
    assert first.module_set_id == again.module_set_id != other.module_set_id
    assert first.module_set_id is not None
    assert [archive.name for archive in archives_of(first.module_set_id)] == ["attrs 25.3.0", "shapes"]
    assert ModuleArchive.objects.count() == 4
    told = alice_api.get(f"jobs/{other.first_jid}").json()["attributes"]
    assert told["modules"] == ["shapes", "attrs 25.3.0"]


def test_the_page_of_a_job_names_its_modules(alice: Any, alice_api: Api, alice_client: Client) -> None:
    put(alice_api, SMALL)
    batch = submit(alice, modules=[module(SMALL, "<b>attrs")])
    page = alice_client.get(f"/jobs/{batch.first_jid}/").content.decode()
    assert "<dt>Modules</dt><dd>&lt;b&gt;attrs</dd>" in page


def test_missing_modules_are_named_and_nothing_is_submitted(alice_api: Api) -> None:
    put(alice_api, SMALL)
    answer = alice_api.submit(modules=[module(SMALL), module(LARGE, "pandas 2.2.3")])
    assert error(answer) == (
        409, "modules_unknown", "These modules are not stored here: pandas 2.2.3. Send them first."
    )  # fmt: skip
    assert answer.json()["error"]["digests"] == [digest_of(LARGE)]
    assert not Batch.objects.exists()
    assert not ModuleSet.objects.exists()


@pytest.mark.parametrize(
    "modules", [{}, [1], [{"digest": "x", "name": "a"}], [{"digest": "0" * 64}], [module(SMALL)] * 2, [{}] * 1001]
)
def test_bad_lists_of_modules_are_refused(alice_api: Api, modules: Any) -> None:
    assert error(alice_api.submit(modules=modules))[:2] == (400, "bad_modules")
    if not isinstance(modules, list) or modules[0] != module(SMALL):
        assert error(alice_api.post("modules", {"digests": modules}))[:2] == (400, "bad_modules")


def test_run_again_has_the_same_modules(alice: Any, alice_api: Api) -> None:
    put(alice_api, SMALL)
    batch = submit(alice, modules=[module(SMALL)])
    jid = alice_api.post(f"jobs/{batch.first_jid}/rerun", {}).json()["first_jid"]
    assert Batch.objects.get(first_jid=jid).module_set_id == batch.module_set_id


def test_modules_go_when_no_job_needs_them(alice: Any, alice_api: Api) -> None:
    put(alice_api, SMALL)
    batch = submit(alice, modules=[module(SMALL)])
    run_all(alice)
    assert (remove_unused_sets(older_than=NOW), remove_orphans(older_than=NOW)) == (0, 0)
    delete_jobs(account=alice, jids=[batch.first_jid])
    assert (remove_unused_sets(), remove_unused_sets(older_than=NOW)) == (0, 1)
    assert remove_orphans(older_than=NOW) > 0
    assert missing(alice_api, SMALL) == [digest_of(SMALL)]


def test_environment_tells_what_it_has(alice_api: Api, base_environment: Any) -> None:
    base_environment.packages = {"numpy": "2.4.6"}
    base_environment.platform = {"system": "linux", "machine": "x86_64", "libc": "glibc", "libc_version": "2.36"}
    base_environment.save()
    answer = alice_api.get("environments/base").json()
    assert (answer["packages"], answer["platform"]["libc_version"]) == ({"numpy": "2.4.6"}, "2.36")
    assert error(alice_api.get("environments/none"))[:2] == (404, "unknown_environment")
