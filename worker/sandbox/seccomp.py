"""System calls that jobs may make: the engine's own list, without those that open new doors into the kernel.

Docker's list is that strict by itself. Podman's lets anybody make user namespaces, and root inside one can
mount, filter packets and load filters: kernel code that jobs have no business with.
"""

import functools
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from environments.engine import is_podman

PROFILES = (Path("/etc/containers/seccomp.json"), Path("/usr/share/containers/seccomp.json"))
ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
EPERM, ENOSYS = 1, 38
# Namespaces and mounts; keys of the kernel; its tracing, filters and rings; handles past path names.
DENIED = {
    *("unshare", "setns", "pivot_root", "sethostname", "setdomainname"),
    *(
        "mount",
        "umount",
        "umount2",
        "mount_setattr",
        "move_mount",
        "open_tree",
        "fsopen",
        "fsmount",
        "fsconfig",
        "fspick",
    ),
    *("keyctl", "add_key", "request_key", "acct", "reboot", "swapon", "swapoff", "quotactl", "vhangup", "kcmp"),
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("name_to_handle_at", "open_by_handle_at", "fanotify_init", "lookup_dcookie"),
}
NEW_NAMESPACES = 0x7E020000  # the flags of clone() that make any


class NoProfile(Exception):
    """Podman's list of system calls was not found."""


def security_options() -> list[str]:
    """What to tell the engine about rights and system calls."""
    return ["no-new-privileges", *([f"seccomp={_profile_file()}"] if is_podman() else [])]


@functools.cache
def _profile_file() -> Path:
    """The narrowed list as a file that Podman can read, written once in the life of a worker."""
    source = next((path for path in PROFILES if path.exists()), None)
    if source is None:
        raise NoProfile(f"Podman's list of allowed system calls is missing: {' or '.join(map(str, PROFILES))}.")
    path = Path(settings.RUN_DIR) / "seccomp.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="seccomp-")
    with os.fdopen(descriptor, "w") as file:
        json.dump(narrowed(json.loads(source.read_text())), file)
    Path(name).replace(path)
    return path


def narrowed(profile: dict[str, Any]) -> dict[str, Any]:
    """The profile without what is denied; clone() stays for processes and threads."""
    removed = DENIED | {"clone", "clone3"}
    rules = [rule | {"names": [name for name in rule["names"] if name not in removed]} for rule in profile["syscalls"]]
    own = [
        {"names": sorted(DENIED), "action": ERRNO, "errnoRet": EPERM},
        {"names": ["clone"], "action": ALLOW, "args": [_without(NEW_NAMESPACES)]},
        # Its flags lie in memory, where no filter can see them; without it the C library uses clone().
        {"names": ["clone3"], "action": ERRNO, "errnoRet": ENOSYS},
    ]
    return profile | {"syscalls": [rule for rule in rules if rule["names"]] + own}


def _without(flags: int) -> dict[str, Any]:
    return {"index": 0, "value": flags, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
