"""Scratch space is empty when a run begins."""

import ctypes
import errno
import os
import stat

OWN_MODE = 0o755
# Another sandbox's or somebody else's: not ours to remove, and no reason to fail.
NOT_OURS = (errno.EPERM, errno.EACCES, errno.ENOTEMPTY, errno.EBUSY)
IPC_RMID = 0
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def empty_directory(path: str) -> None:
    """Remove all that a directory holds, however deep and whatever its modes; no link is followed.

    Walks down and up again by descriptors, one open at a time, so depth costs neither recursion nor long
    paths. Only right while nobody else moves things, which is why leftover processes are killed first.
    """
    names = names_in(path)
    if not names:
        return
    here = os.open(path, DIRECTORY)
    try:
        pending = [remove_files(here, names)]  # on each level the directories still to be emptied
        trail: list[str] = []
        while pending:
            if pending[-1]:
                name = pending[-1].pop()
                if (below := enter(here, name)) is not None:
                    here = below
                    trail.append(name)
                    pending.append(remove_files(here, os.listdir(here)))
            else:
                pending.pop()
                if trail:
                    here = leave(here, trail.pop())
    finally:
        os.close(here)


def names_in(path: str) -> list[str]:
    """What the directory holds, made ours to read and write if a job has locked it or removed it."""
    try:
        status = os.stat(path, follow_symlinks=False)
        if status.st_uid == os.geteuid() and status.st_mode & 0o777 != OWN_MODE:
            os.chmod(path, OWN_MODE)
    except FileNotFoundError:
        os.mkdir(path, OWN_MODE)
    return os.listdir(path)


def remove_files(here: int, names: list[str]) -> list[str]:
    """Remove what is no directory; returns what is one."""
    directories = []
    for name in names:
        if stat.S_ISDIR(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
            directories.append(name)
        else:
            remove(here, name, is_directory=False)
    return directories


def enter(here: int, name: str) -> int | None:
    """Go down into a directory; None when it is not ours."""
    try:
        os.chmod(name, OWN_MODE, dir_fd=here)
        below = os.open(name, DIRECTORY, dir_fd=here)
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        return None
    os.close(here)
    return below


def leave(here: int, name: str) -> int:
    """Go up again, and remove the directory that was left."""
    above = os.open("..", DIRECTORY, dir_fd=here)
    os.close(here)
    remove(above, name, is_directory=True)
    return above


def remove(parent: int, name: str, *, is_directory: bool) -> None:
    try:
        (os.rmdir if is_directory else os.unlink)(name, dir_fd=parent)
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise


def remove_shared_memory(libc: ctypes.CDLL) -> None:
    """Remove System V segments, which outlive their processes and count as memory of whoever comes next."""
    with open("/proc/sysvipc/shm") as file:
        lines = file.readlines()[1:]
    for line in lines:
        libc.shmctl(int(line.split()[1]), IPC_RMID, None)
