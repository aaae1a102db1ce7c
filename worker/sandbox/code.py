"""The code that sandboxes see: the runner and the client library, as a compiled copy apart from the server's.

A sandbox can write no bytecode beside them, so without the copy each start and each job that imports `cloud`
would compile them anew: 30 ms and 60 ms.
"""

import compileall
import functools
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode

from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent.parent
# Where the parts of the copy lie in it, and the files that each is made of.
PARTS = {"runner": ("worker/runner.py", "worker/inside/*.py"), "lib": ("cloud/**/*.py",)}


@functools.cache
def code_directory() -> Path:
    """The copy, under a name that changes with the content; made unless it is there."""
    files = {f"{part}/{path.relative_to(ROOT)}": path.read_bytes() for part, path in _sources()}
    digest = hashlib.sha256(sys.version.encode())
    for name, content in sorted(files.items()):
        digest.update(f"{name} {len(content)}\n".encode() + content)
    target = Path(settings.RUN_DIR) / f"code-{digest.hexdigest()[:12]}"
    if not target.exists():
        _make(target, files)
    return target


def _sources() -> list[tuple[str, Path]]:
    return [(part, path) for part, patterns in PARTS.items() for pattern in patterns for path in ROOT.glob(pattern)]


def _make(target: Path, files: dict[str, bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix="code-", dir=target.parent))
    draft.chmod(0o755)
    for name, content in files.items():
        path = draft / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    compileall.compile_dir(draft, quiet=2, stripdir=str(draft), invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    try:
        draft.rename(target)
    except OSError:
        # Another worker of this stack was faster.
        shutil.rmtree(draft)
        if not target.exists():
            raise
