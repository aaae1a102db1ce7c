"""What is remembered from one process to the next: what was read of installed packages and made of unchanged files.

A file in the user's cache directory. Whatever is wrong with it, it is only made again.
"""

import atexit
import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

VERSION = 1
_MOST_ENTRIES = 5000
_entries: dict[str, Any] | None = None
_changed = False


def get(key: str) -> Any:
    """What is remembered under this key, None when nothing is."""
    return _loaded().get(key)


def put(key: str, value: Any) -> None:
    """Remember it, on the disk at the next save."""
    global _changed
    entries = _loaded()
    entries.pop(key, None)
    entries[key] = value
    _changed = True


def directory() -> Path:
    """Where the user's caches are."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or "~").expanduser() / "picloud"
    if sys.platform == "darwin":
        return Path("~/Library/Caches/picloud").expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "picloud"


def save() -> None:
    """Write what has changed, whole or not at all; a cache that cannot be written costs time only."""
    global _changed
    if not _changed or _entries is None:
        return
    _changed = False
    newest = dict(list(_entries.items())[-_MOST_ENTRIES:])
    with suppress(OSError):
        directory().mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix="modules-", dir=directory())
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"version": VERSION, "entries": newest}, file)
        Path(name).replace(_path())


def _path() -> Path:
    return directory() / "modules.json"


def _loaded() -> dict[str, Any]:
    global _entries
    if _entries is None:
        _entries = {}
        with suppress(OSError, ValueError, TypeError, KeyError):
            stored = json.loads(_path().read_bytes())
            if stored["version"] == VERSION:
                _entries.update(stored["entries"])
        atexit.register(save)
    return _entries
