"""Scratch space is empty when a run begins."""

import contextlib
import errno
import itertools
import os
import stat

# Another sandbox's or somebody else's: not ours to remove, and no reason to fail.
NOT_OURS = (errno.EPERM, errno.EACCES, errno.ENOTEMPTY, errno.EBUSY)


def empty_directory(path: str) -> None:
    """Remove all that a directory holds, however deep and whatever its modes; no link is followed.

    Directories within directories are moved up to the top before they are emptied, so depth costs neither
    recursion nor long paths.
    """
    if not names_in(path):
        return
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    numbers = itertools.count()
    try:
        while any([remove_entry(top, name, numbers) for name in os.listdir(top)]):  # noqa: C419 - all of them
            pass
    finally:
        os.close(top)


def names_in(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except PermissionError:
        os.chmod(path, 0o700)
    except (FileNotFoundError, NotADirectoryError):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.makedirs(path)
    return os.listdir(path)


def remove_entry(top: int, name: str, numbers: "itertools.count[int]") -> bool:
    """Remove a file, or a directory whose own directories come up to `top`; whether anything came of it."""
    try:
        if is_directory(top, name):
            flatten(top, name, numbers)
            os.rmdir(name, dir_fd=top)
        else:
            os.unlink(name, dir_fd=top)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        return False
    return True


def flatten(top: int, name: str, numbers: "itertools.count[int]") -> None:
    os.chmod(name, 0o700, dir_fd=top)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    try:
        for entry in os.listdir(inner):
            if is_directory(inner, entry):
                # Moving a directory writes its "..", for which it must be writable.
                os.chmod(entry, 0o700, dir_fd=inner)
                os.rename(entry, free_name(top, numbers), src_dir_fd=inner, dst_dir_fd=top)
            else:
                os.unlink(entry, dir_fd=inner)
    finally:
        os.close(inner)


def free_name(top: int, numbers: "itertools.count[int]") -> str:
    while True:
        name = f".emptied-{next(numbers)}"
        try:
            os.stat(name, dir_fd=top, follow_symlinks=False)
        except FileNotFoundError:
            return name


def is_directory(parent: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
