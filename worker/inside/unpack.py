"""Archives of modules, unpacked by a process of its own: whatever is in one, the runner stays whole."""

import os
import signal
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from worker.inside.scratch import empty_directory

# What else is needed is imported in the forked child: it would make each start of a runner 20 ms slower.
if TYPE_CHECKING:
    import zipfile

# Never imported by anybody else than the distribution's authors, and often most of its files.
NOT_COMPILED = {"test", "tests"}
STORED, DEFLATED = 0, 8
ENCRYPTED = 1
LONGEST_NAME = 255  # bytes
MESSAGE_LIMIT = 1000
CHUNK = 1 << 18


class BadArchive(Exception):
    """The archive is none that a client of ours makes. The message ends a sentence that begins with its name."""


class Order(NamedTuple):
    """What to unpack where, and how much may come out."""

    source: str
    inbox: str
    name: str
    most_bytes: int
    most_files: int


def unpack_apart(order: Order, *, drop_privates: Callable[..., None]) -> str:
    """Unpack in a forked child and wait for it; answers what is wrong with the archive, nothing when all is well."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            drop_privates(reader)
            os.write(writer, problem_of(order).encode("utf-8", "backslashreplace")[:MESSAGE_LIMIT] or b"\n")
        finally:
            os._exit(0)
    os.close(writer)
    text = b""
    while part := os.read(reader, 4096):
        text += part
    os.close(reader)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if not text:
        how = signal.Signals(-code).name if code < 0 else f"status {code}"
        return f"could not be unpacked: the process that did so was ended by {how}, perhaps for want of memory"
    return text.decode().strip()


def problem_of(order: Order) -> str:
    """What is wrong with the archive, after unpacking it as far as it went."""
    import zipfile
    import zlib

    try:
        empty_directory(order.inbox)
        unpack(order)
    except BadArchive as bad:
        return str(bad)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as bad:
        return f"is no whole zip archive: {bad}"
    except OSError as error:
        return f"could not be unpacked: {error.strerror or error}"
    except Exception as error:
        return f"could not be unpacked: {type(error).__name__}: {error}"
    return ""


def unpack(order: Order) -> None:
    import zipfile

    root = os.path.join(order.inbox, order.name)
    with zipfile.ZipFile(order.source) as archive:
        members = archive.infolist()
        check_sizes(members, order)
        for member in members:
            check_member(member)
        os.mkdir(root)
        for member in members:
            write_member(archive, member, root)
    compile_all(root)
    # Moved to its place from outside, by a user who may be another one than here.
    os.chmod(root, 0o777)  # noqa: S103 - nobody writes through the mount that jobs see it by


def check_sizes(members: "list[zipfile.ZipInfo]", order: Order) -> None:
    if len(members) > order.most_files:
        raise BadArchive(f"has {len(members):,} files; {order.most_files:,} are allowed")
    size = sum(member.file_size for member in members)
    if size > order.most_bytes:
        raise BadArchive(f"takes {size:,} bytes unpacked; {order.most_bytes:,} are allowed")


def check_member(member: "zipfile.ZipInfo") -> None:
    name = member.orig_filename
    parts = name.removesuffix("/").split("/")
    if "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise BadArchive(f"holds {name!r}, which is no path inside of it")
    if any(len(part.encode("utf-8", "surrogateescape")) > LONGEST_NAME for part in parts):
        raise BadArchive(f"holds a name of over {LONGEST_NAME} bytes")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG):
        raise BadArchive(f"holds {name!r}, which is a link or a device")
    if member.flag_bits & ENCRYPTED or member.compress_type not in (STORED, DEFLATED):
        raise BadArchive(f"holds {name!r}, which is encrypted or packed in a way that is not taken")


def write_member(archive: "zipfile.ZipFile", member: "zipfile.ZipInfo", root: str) -> None:
    path = os.path.join(root, *member.orig_filename.removesuffix("/").split("/"))
    if member.orig_filename.endswith("/"):
        os.makedirs(path, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    mode = 0o755 if member.external_attr >> 16 & 0o100 else 0o644
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except (FileExistsError, IsADirectoryError):
        raise BadArchive(f"holds {member.orig_filename!r} twice") from None
    with os.fdopen(descriptor, "wb") as target, archive.open(member) as source:
        while part := source.read(CHUNK):
            target.write(part)


def compile_all(root: str) -> None:
    """Bytecode beside the modules, since jobs can write none there and would compile them anew each time."""
    import py_compile

    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_COMPILED]
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                # What does not compile tells so when it is imported, if ever.
                py_compile.compile(path, dfile=path, quiet=2, invalidation_mode=mode)
