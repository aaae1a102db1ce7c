"""Makes the image of a recipe: mmdebstrap for the system, pip for Python's packages, one import into the engine.

Steps: download the wheels and unpack them; bootstrap the Debian system with them copied in; stream its tar
straight into the engine. Nothing is left on disk but the image.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.exceptions import Refused
from environments.recipe import Recipe

Say = Callable[[str], None]

HOST_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
OS_RELEASE = Path("/etc/os-release")
TAIL_LINES = 15


class BuildFailed(Refused):
    """An image could not be built. The message ends with the last lines of the tool that failed."""

    status = 500


def build_image(client: Any, recipe: Recipe, *, say: Say) -> None:
    """Build and import it under `recipe.image`; takes a minute or two, mostly downloads."""
    if not shutil.which("mmdebstrap"):
        raise BuildFailed("no_mmdebstrap", "mmdebstrap is not installed. On Debian and Ubuntu: apt install mmdebstrap.")
    # Below /tmp: a bootstrap that has dropped to another user must be able to walk in.
    with tempfile.TemporaryDirectory(prefix="picloud-build-") as directory:
        Path(directory).chmod(0o755)
        wheels = Path(directory) / "dist-packages"
        install_wheels(recipe, wheels, say=say)
        import_system(client, recipe, wheels, say=say)


def install_wheels(recipe: Recipe, target: Path, *, say: Say) -> None:
    say(f"pip: {', '.join(recipe.pip)}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), "--only-binary=:all:"]
    command += ["--python-version", recipe.python, "--implementation", "cp", "--no-compile", *recipe.pip]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildFailed("pip_failed", f"pip could not get the packages of {recipe.name}:\n{last_lines(done.stderr)}")


def import_system(client: Any, recipe: Recipe, wheels: Path, *, say: Say) -> None:
    say(f"mmdebstrap: Debian {recipe.suite} with {', '.join(recipe.packages)}")
    sources = host_sources(recipe.suite)
    command = ["mmdebstrap", *options(recipe, wheels), recipe.suite, "-", *(["-"] if sources else [])]
    first = b""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines: list[str] = []
        reader = threading.Thread(target=pass_lines, args=(process.stderr, lines, say), daemon=True)
        reader.start()
        process.stdin.write(sources)
        process.stdin.close()
        first = process.stdout.read(1)
        if first:
            say("importing into the container engine")
            import_tar(client, recipe, Prefixed(first, process.stdout))
        reader.join()
    if process.returncode:
        if first:
            client.remove_image(recipe.image, force=True)
        raise BuildFailed("mmdebstrap_failed", f"mmdebstrap failed:\n{last_lines(chr(10).join(lines))}")


class Prefixed:
    """A stream whose first byte has been read already."""

    def __init__(self, first: bytes, rest: Any) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int = -1) -> bytes:
        first, self._first = self._first, b""
        return first or bytes(self._rest.read(size))


def import_tar(client: Any, recipe: Recipe, stream: Any) -> None:
    from docker.errors import APIError  # noqa: PLC0415

    changes = [f"USER {recipe.user.uid}", f"WORKDIR {recipe.user.home}", "ENV LANG=C.UTF-8"]
    try:
        answer = client.import_image_from_stream(stream, changes=changes)
    except APIError as error:
        raise BuildFailed(
            "import_failed", f"The container engine did not take the image: {error.explanation}"
        ) from error
    # Podman ignores the tag that an import may name, so it is given afterwards.
    found = re.search(r'"status":\s*"(?:sha256:)?([0-9a-f]{64})', answer)
    if not found:
        raise BuildFailed("import_failed", f"The container engine did not take the image: {last_lines(answer)}")
    repository, _, tag = recipe.image.rpartition(":")
    client.tag(found[1], repository, tag)


def options(recipe: Recipe, wheels: Path) -> list[str]:
    packages = f"/usr/local/lib/python{recipe.python}/dist-packages"
    user = recipe.user
    hooks = [
        f"mkdir -p $1{packages}",
        f"copy-in {wheels} {Path(packages).parent}",
        f"chroot $1 python3 -m compileall -q {packages}",
        f"chroot $1 useradd --uid {user.uid} --create-home --home-dir {user.home} --shell /bin/bash {user.name}",
        "rm -f $1/etc/dpkg/dpkg.cfg.d/99mmdebstrap $1/etc/ssh/ssh_host_*",
    ]
    return [
        "--variant=apt",
        "--format=tar",
        f"--include={','.join(recipe.packages)}",
        f"--components={','.join(recipe.components)}",
        *(f"--dpkgopt=path-exclude={path}" for path in recipe.exclude),
        *(f"--dpkgopt=path-include={path}" for path in recipe.include),
        *(f"--customize-hook={hook}" for hook in hooks),
    ]


def host_sources(suite: str) -> bytes:
    """This host's own apt sources when it is that Debian suite; nothing lets mmdebstrap choose its default."""
    if f"VERSION_CODENAME={suite}\n" not in OS_RELEASE.read_text():
        return b""
    for path in HOST_SOURCES:
        if path.exists() and suite in (text := path.read_text()):
            return text.encode()
    return b""


def pass_lines(stream: Any, lines: list[str], say: Say) -> None:
    for line in stream:
        text = line.decode(errors="replace").rstrip()
        lines.append(text)
        if text.startswith("I: "):
            say(text[3:])


def last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-TAIL_LINES:])
