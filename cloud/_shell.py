"""Shell commands as jobs: what runs inside the job for `picloud exec`."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

_ERROR_TAIL = 15_000  # bytes of stderr in the error of a failed command


def run_shell(command: str, *, cwd: str | None, return_file: str | None, ignore_exit_status: bool) -> bytes:
    """What a shell command wrote to its standard output, or the bytes of the file that it left behind.

    Both streams of the command appear in the job's output too. RuntimeError with the end of stderr when it failed.
    """
    errors = bytearray()
    process = subprocess.Popen(["/bin/bash", "-c", command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    reader = threading.Thread(target=_pass_on, args=(process.stderr, sys.stderr, errors, -_ERROR_TAIL))
    reader.start()
    output = bytearray()
    _pass_on(process.stdout, sys.stdout, output)
    reader.join()
    if process.wait() and not ignore_exit_status:
        tail = errors.decode(errors="replace").strip()
        raise RuntimeError(f"{command!r} ended with exit status {process.returncode}:\n{tail}")
    return Path(cwd or ".", return_file).read_bytes() if return_file else bytes(output)


def _pass_on(source: IO[bytes], stream: Any, kept: bytearray, keep_from: int = 0) -> None:
    while part := os.read(source.fileno(), 65_536):
        stream.write(part.decode(errors="replace"))
        stream.flush()
        kept += part
        del kept[:keep_from]
