"""A batch of videos: our jobs, beside xargs with the same commands in the same image."""

import json
import os
import resource
import shlex
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cloud
from benchmarks.drivers.encoding import encode
from benchmarks.harness.arena import Arena
from benchmarks.harness.figures import Table, spread
from examples.encode_videos import ENCODINGS

SECONDS_OF_CLIPS = [9, 8, 7, 6]  # unlike ones, so that the end of a batch is ragged as in life
FFMPEG = ["ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin", "-y"]
IMAGE = "from environments.selectors import environment_for; print('IMAGE', environment_for(name='base').image)"
# Runs in the container: the time is taken there, without podman's own.
XARGS = """
import json, subprocess, sys, time
began = time.perf_counter()
lines = "\\n".join(json.load(sys.stdin))
subprocess.run(["xargs", "-P2", "-d", "\\n", "-n1", "sh", "-c"], input=lines.encode(), check=True)
print(time.perf_counter() - began)
"""


class Encoding(NamedTuple):
    """One command of the batch."""

    clip: str
    command: str
    output: str


def videos(arena: Arena) -> Table:
    lengths = SECONDS_OF_CLIPS[-2:] if arena.quick else SECONDS_OF_CLIPS
    directory = arena.directory / "clips"
    directory.mkdir()
    image = next(line for line in arena.stack.manage("shell", "-c", IMAGE).splitlines() if line.startswith("IMAGE"))
    with container(image.split()[1], directory) as name:
        batch = make_clips(name, directory, lengths)
        for clip in {one.clip for one in batch}:
            cloud.files.put(str(directory / clip))
        times: dict[str, list[float]] = {"PiCloud": [], "xargs -P2": []}
        for _ in range(1 if arena.quick else min(arena.rounds, 3)):
            times["PiCloud"].append(with_picloud(batch))
            times["xargs -P2"].append(with_xargs(name, batch))
    reference = statistics.median(times["xargs -P2"])
    rows = [
        [who, f"{statistics.median(seconds):.2f}", f"{statistics.median(seconds) / reference:.3f}", spread(seconds)]
        for who, seconds in times.items()
    ]
    return Table(
        key="e",
        title="A batch of videos",
        columns=[f"{len(batch)} encodings of {len(lengths)} clips", "seconds", "by xargs", "seconds of the rounds"],
        rows=rows,
        notes=[
            "xargs runs the same commands in one container of the same image, on files that are there.",
            "Our jobs (c2) also fetch each clip from cloud.files and store what came out; round one starts sandboxes.",
        ],
        data=times,
    )


@contextmanager
def container(image: str, directory: Path) -> Iterator[str]:
    """A container that waits for commands, with the directory as its own."""
    name = f"picloud-bench-{os.getpid()}"
    files = min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    run = ["podman", "--runtime", "runc", "run", "--detach", "--rm", "--name", name, "--network", "none", "--user", "0"]
    run += ["--ulimit", f"nofile={files}:{files}", "--ulimit", "nproc=4096:4096"]
    run += ["--volume", f"{directory}:/clips", "--workdir", "/clips", image, "sleep", "infinity"]
    subprocess.run(run, check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["podman", "rm", "--force", "--time", "0", name], check=True, capture_output=True)


def inside(name: str, command: list[str], *, text: str = "") -> str:
    whole = ["podman", "exec", "--interactive", name, *command]
    return subprocess.run(whole, input=text, capture_output=True, text=True, check=True).stdout


def make_clips(name: str, directory: Path, lengths: list[int]) -> list[Encoding]:
    """Clips of a moving test picture with a tone; answers what is to be done with them."""
    batch = []
    for seconds in lengths:
        clip = f"clip{seconds}.avi"
        picture = f"testsrc2=size=480x270:rate=25:duration={seconds}"
        tone = f"sine=frequency=440:duration={seconds}"
        make = [*FFMPEG, "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]
        inside(name, [*make, "-c:v", "mpeg4", "-q:v", "4", "-c:a", "mp2", clip])
        assert (directory / clip).stat().st_size > 0
        for encoding, options in ENCODINGS.items():
            output = f"clip{seconds}.{encoding}"
            batch.append(Encoding(clip, shlex.join([*FFMPEG, "-i", clip, *options, output]), output))
    return batch


def with_picloud(batch: list[Encoding]) -> float:
    began = time.perf_counter()
    outputs = cloud.result(cloud.map(encode, *zip(*batch, strict=True), _type="c2"))
    seconds = time.perf_counter() - began
    assert outputs == [one.output for one in batch]
    return seconds


def with_xargs(name: str, batch: list[Encoding]) -> float:
    commands = json.dumps([one.command for one in batch])
    return float(inside(name, ["python3", "-c", XARGS], text=commands))
