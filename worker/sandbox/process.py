"""A sandbox that is no wall: the same runner as a process of this user. For one trusted person."""

import json
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from worker.sandbox.base import Sandbox
from worker.sandbox.code import code_directory
from worker.sandbox.link import NAME
from worker.sandbox.meter import Meter, Processes, family

CLOSE_SECONDS = 5


class ProcessSandbox(Sandbox):
    """Runs as a child of the worker, in a session of its own. Memory and processes are not limited."""

    _process: subprocess.Popen[bytes] | None = None

    def _launch(self) -> None:
        code = code_directory()
        options = {
            "socket": NAME,
            "home": str(self._scratch.home),
            "scratch": [str(self._scratch.tmp)],
            "modules": self.modules_inside,
            "inbox": str(self._scratch.inbox),
            "isolated": False,
            "file_limit": self.limits.disk,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-B", str(code / "runner/worker/inside/boot.py"), json.dumps(options)],
            # Relative to here the socket's address is short, however long the path of PICLOUD_HOME.
            cwd=self._scratch.link,
            env=self._environment(code / "lib"),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _environment(self, library: Path) -> dict[str, str]:
        """Nothing of the server's own environment, which holds its secrets."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._scratch.home),
            "TMPDIR": str(self._scratch.tmp),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(library),
            "PICLOUD_URL": f"http+unix://{settings.API_SOCKET}",
            "PICLOUD_RUNNING_ON_CLOUD": "1",
        }

    @property
    def modules_inside(self) -> str:
        return str(self._scratch.modules)

    def _why_dead(self) -> str:
        code = self._process.poll() if self._process else None
        return "" if code is None else f"its process ended with status {code}"

    def _make_meter(self, pid: int) -> Meter:
        return Processes(pid)

    def close(self) -> None:
        self._link.close()
        if self._process is not None:
            try:
                # At the end of its socket the runner kills what it started, then itself.
                self._process.wait(CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                for pid in family(self._process.pid):
                    kill(pid)
                self._process.wait()
        self._scratch.remove()


def kill(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return
