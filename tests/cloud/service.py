"""A small service that speaks the wire protocol over real HTTP; each submit runs in a fresh interpreter elsewhere."""

import base64
import hashlib
import io
import json
import platform
import re
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

CODE = Path(__file__).resolve().parents[2]
LENGTH = struct.Struct(">I")

# Runs in an empty directory that knows nothing of the tests: what does not travel by value is not there.
RUNNER = """
import base64, cloudpickle, json, pickle, sys, traceback
outcomes = []
blobs = [base64.b64decode(blob) for blob in json.load(sys.stdin)]
for blob in blobs[1:]:
    try:
        function = pickle.loads(blobs[0])
        args, kwargs = pickle.loads(blob)
        outcomes.append((True, cloudpickle.dumps(function(*args, **kwargs)), ""))
    except BaseException as problem:
        outcomes.append((False, cloudpickle.dumps(problem), traceback.format_exc()))
rows = [(ok, base64.b64encode(blob).decode(), text) for ok, blob, text in outcomes]
print("\\n" + json.dumps(rows), file=sys.__stdout__)
"""


class Job:
    def __init__(self, function: bytes, item: bytes) -> None:
        self.function = function
        self.item = item
        self.status = "queued"
        self.reason = ""
        self.is_exception = False
        self.blob = b""
        self.error = ""


class Service(ThreadingHTTPServer):
    """`before` may answer a request itself: it gets the handler, and returns True when it did."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.jobs: dict[int, Job] = {}
        self.submits: dict[str, list[int]] = {}
        self.functions: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.archives: dict[str, bytes] = {}
        self.packages = {re.sub("[-_.]+", "-", one.name).lower(): one.version for one in distributions()}
        self.platform = {"system": "linux", "machine": platform.machine(), "libc": "glibc", "libc_version": "2.36"}
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.before: Callable[[Handler], bool] = lambda _handler: False
        self.runs_jobs = True
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def headers_of(self, path: str) -> list[dict[str, Any]]:
        return [header for _, asked, header in self.requests if asked == path]

    def finish(self, jid: int, status: str, **fields: Any) -> None:
        for name, value in {"status": status, **fields}.items():
            setattr(self.jobs[jid], name, value)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests are about."""

    def run(self, jids: list[int], digests: Sequence[str] = ()) -> None:
        with TemporaryDirectory() as folder:
            paths = [str(CODE)]
            for digest in digests:
                zipfile.ZipFile(io.BytesIO(self.archives[digest])).extractall(Path(folder, digest))
                paths.insert(-1, str(Path(folder, digest)))
            self.run_with(jids, paths)

    def run_with(self, jids: list[int], paths: list[str]) -> None:
        jobs = [self.jobs[jid] for jid in jids]
        blobs = [base64.b64encode(blob).decode() for blob in (jobs[0].function, *(job.item for job in jobs))]
        ran = subprocess.run(
            [sys.executable, "-c", RUNNER], input=json.dumps(blobs), text=True, capture_output=True, check=False,
            cwd="/", env={"PYTHONPATH": ":".join(paths)},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        for job, (ok, blob, error) in zip(jobs, json.loads(ran.stdout.splitlines()[-1]), strict=True):
            job.blob, job.error, job.is_exception = base64.b64decode(blob), error, not ok
            job.status, job.reason = ("done", "") if ok else ("error", "exception")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Service
    body: bytes

    def answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        header: dict[str, Any] = {}
        if self.body[:1] == b"{":
            header = json.loads(self.body)
        elif "pack" in (self.headers.get("Content-Type") or ""):
            header = json.loads(self.body[4 : 4 + LENGTH.unpack_from(self.body)[0]])
        self.server.requests.append((self.command, self.path, header))
        if not self.server.before(self):
            self.dispatch(header)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = answer  # noqa: N815

    def dispatch(self, header: dict[str, Any]) -> None:
        if self.path == "/api/v1/jobs" and self.command == "POST":
            self.submit(header)
        elif self.path == "/api/v1/results":
            self.results(header)
        elif self.path.startswith("/api/v1/modules"):
            self.modules(self.path.removeprefix("/api/v1/modules").removeprefix("/"), header)
        elif self.path == "/api/v1/environments/base":
            python = f"{sys.version_info[0]}.{sys.version_info[1]}"
            told = {"name": "base", "python": python, "platform": self.server.platform}
            self.reply(200, {**told, "packages": self.server.packages})
        elif self.path == "/api/v1/info":
            self.info(header)
        elif self.path.startswith("/api/v1/files"):
            self.file(self.path.removeprefix("/api/v1/files").removeprefix("/"))
        elif self.path in ("/api/v1/kill", "/api/v1/delete"):
            self.reply(200, {"killed": 1, "stopping": 0, "deleted": 1})
        elif self.path == "/api/v1/account":
            self.reply(200, {"username": "alice"})
        else:
            self.refuse(404, "not_found", "There is nothing here.")

    def modules(self, digest: str, header: dict[str, Any]) -> None:
        if self.command == "POST":
            missing = [asked for asked in header["digests"] if asked not in self.server.archives]
            self.reply(200, {"missing": missing})
        else:
            assert hashlib.sha256(self.body).hexdigest() == digest
            self.server.archives[digest] = self.body
            self.send_raw(204, b"")

    def submit(self, header: dict[str, Any]) -> None:
        start = 4 + LENGTH.unpack_from(self.body)[0]
        function, digest = header["function"], header["function"]["digest"]
        modules = [module["digest"] for module in header.get("modules", [])]
        if not self.server.archives.keys() >= set(modules):
            self.refuse(409, "modules_unknown", "Send the modules.")
            return
        with self.server.guard:
            if function["size"]:
                self.server.functions[digest] = self.body[start : start + function["size"]]
            elif digest not in self.server.functions:
                self.refuse(409, "function_unknown", "Send the function.")
                return
            start += function["size"]
            known = header["idempotency_key"] in self.server.submits
            jids = self.server.submits.setdefault(header["idempotency_key"], self.reserve(header["total"]))
            for jid, size in zip(jids[header["first"] :], header["sizes"], strict=False):
                self.server.jobs[jid] = Job(self.server.functions[digest], self.body[start : start + size])
                start += size
            if self.server.runs_jobs and not known:
                self.server.run([jid for jid in jids if jid in self.server.jobs], modules)
        self.reply(201, {"first_jid": jids[0], "last_jid": jids[-1], "count": len(jids), "url": "/jobs/"})

    def reserve(self, total: int) -> list[int]:
        first = max((jids[-1] for jids in self.server.submits.values()), default=0) + 1
        return list(range(first, first + total))

    def results(self, question: dict[str, Any]) -> None:
        asked = [jid for first, last in question["jids"] for jid in range(first, last + 1)]
        if unknown := [jid for jid in asked if jid not in self.server.jobs]:
            self.refuse(404, "job_unknown", f"There is no job {unknown[0]}.", jid=unknown[0])
            return
        rows, blobs, errors, counts, pending = [], [], {}, {}, []
        for jid in asked:
            job = self.server.jobs[jid]
            counts[job.status] = counts.get(job.status, 0) + 1
            if job.status in ("queued", "processing", "waiting"):
                pending.append([jid, jid])
                continue
            blob = job.blob if question["data"] else b""
            rows.append([jid, job.status, job.reason, job.is_exception, len(blob)])
            blobs.append(blob)
            if job.error:
                errors[str(jid)] = job.error
        text = json.dumps({"jobs": rows, "errors": errors, "counts": counts, "pending": pending}).encode()
        self.send_raw(200, LENGTH.pack(len(text)) + text + b"".join(blobs))

    def info(self, question: dict[str, Any]) -> None:
        asked = [jid for first, last in question["jids"] for jid in range(first, last + 1)]
        known = {str(jid): {"status": self.server.jobs[jid].status} for jid in asked if jid in self.server.jobs}
        self.reply(200, {"jobs": known})

    def file(self, quoted: str) -> None:
        name = unquote(quoted).removesuffix("/upload")
        files = self.server.files
        if not name:
            self.reply(200, {"files": [{"name": name} for name in sorted(files)]})
        elif self.command == "POST":
            self.reply(200, {"direct": False})
        elif self.command == "PUT":
            files[name] = self.body
            self.reply(201, {"name": name, "md5": hashlib.md5(self.body).hexdigest()})
        elif name not in files:
            self.refuse(404, "file_unknown", f"There is no file {name!r}.")
        elif self.command == "DELETE":
            del files[name]
            self.send_raw(204, b"")
        else:
            self.send_file(files[name])

    def send_file(self, data: bytes) -> None:
        wanted = (self.headers.get("Range") or "").removeprefix("bytes=")
        if not wanted:
            self.send_raw(200, data)
            return
        start, end = wanted.split("-")
        self.send_raw(206, data[int(start) : int(end) + 1 if end else None])

    def reply(self, status: int, payload: dict[str, Any]) -> None:
        self.send_raw(status, json.dumps(payload).encode())

    def refuse(self, status: int, code: str, message: str, **details: Any) -> None:
        self.reply(status, {"error": {"code": code, "message": message, **details}})

    def send_raw(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-PiCloud-MD5", hashlib.md5(data).hexdigest())
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_args: Any) -> None:
        """Quiet: the test tells what went wrong."""
