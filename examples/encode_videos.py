#!/usr/bin/env python3
"""Encode videos on PiCloud: they go up, each is encoded twice, all of them at the same time, and all comes back.

    python examples/encode_videos.py ~/videos --output-dir encoded
    python examples/encode_videos.py --sample

Needs only the `cloud` package here; ffmpeg is in the environment of the jobs.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import cloud

SUFFIXES = {".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".ts", ".webm", ".wmv"}
SAMPLE = "sample.avi"
ENCODINGS = {
    "mp4": ["-c:v", "libx264", "-preset", "medium", "-crf", "23", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k",
            "-movflags", "+faststart"],
    "webm": ["-c:v", "libvpx-vp9", "-crf", "34", "-b:v", "0", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1",
             "-c:a", "libopus", "-b:a", "96k"],
}  # fmt: skip


def make_sample(name: str) -> str:
    """Runs in a job: five seconds of a test picture with a tone, for whoever has no video at hand."""
    picture, tone = "testsrc2=size=640x360:rate=25:duration=5", "sine=frequency=440:duration=5"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-c:v", "mpeg4", "-q:v", "4", "-c:a", "mp2", name)
    cloud.files.put(name)
    return name


def encode(name: str, encoding: str) -> dict[str, Any]:
    """Runs in a job: fetch the video, encode it, store what came out, and tell about it."""
    output = f"{Path(name).stem}.{encoding}"
    if output == name:
        output = f"{Path(name).stem}-encoded.{encoding}"
    cloud.files.get(name)
    ffmpeg("-i", name, *ENCODINGS[encoding], output)
    cloud.files.put(output)
    return {"file": output, **probe(output)}


def ffmpeg(*arguments: str) -> None:
    """What it says goes to the job's page."""
    subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin", "-y", *arguments], check=True)


def probe(path: str) -> dict[str, Any]:
    """Codecs, size and duration of a file that plays."""
    asked = "stream=codec_name:format=duration,size"
    command = ["ffprobe", "-v", "error", "-show_entries", asked, "-of", "json", path]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {
        "codecs": "/".join(stream["codec_name"] for stream in found["streams"]),
        "seconds": round(float(found["format"]["duration"]), 2),
        "bytes": int(found["format"]["size"]),
    }


def videos_in(paths: list[Path]) -> list[Path]:
    """The files themselves, and the videos in the folders."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        found += inside
    if missing := [str(path) for path in found if not path.is_file()]:
        sys.exit(f"There is no file {', '.join(missing)}.")
    if len({path.stem for path in found}) < len(found):
        sys.exit("Two of the videos have the same name: their encodings would replace each other. Rename one.")
    return found


def upload(paths: list[Path]) -> list[str]:
    """Store the videos where the jobs can fetch them."""
    for path in paths:
        print(f"Uploading {path.name} ({path.stat().st_size / 1e6:.1f} MB)", flush=True)
        cloud.files.sync_to_cloud(path)
    return [path.name for path in paths]


def check_here(path: Path, told: dict[str, Any]) -> None:
    """Compare what arrived with what the job said of it, if there is an ffprobe here."""
    if shutil.which("ffprobe") and (seen := probe(str(path))) != {name: told[name] for name in seen}:
        sys.exit(f"{path} is not what the job made: {seen} here, {told} there.")


def print_table(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def report(names: list[str], jids: list[int], results: list[dict[str, Any]], *, started: float) -> None:
    """What each video took and cost, and all of them together."""
    facts = cloud.info(jids, ["runtime", "compute_hours", "cost"])
    rows = [["video", "encoding", "codecs", "plays", "size", "job", "run time", "price"]]
    for name, jid, made in zip(names, jids, results, strict=True):
        fact = facts[jid]
        size = f"{made['bytes'] / 1e6:.2f} MB"
        row = [name, made["file"], made["codecs"], f"{made['seconds']:.1f} s", size, str(jid)]
        rows.append([*row, f"{fact['runtime']:.1f} s", f"${Decimal(fact['cost']):.6f}"])
    print()
    print_table(rows)
    hours = sum(Decimal(fact["compute_hours"]) for fact in facts.values())
    price = sum(Decimal(fact["cost"]) for fact in facts.values())
    work = sum(fact["runtime"] for fact in facts.values())
    print()
    print(f"Total time:     {time.monotonic() - started:.1f} s for {work:.1f} s of work")
    print(f"Compute hours:  {hours:.6f}")
    print(f"Price:          ${price:.6f}")
    print(f"On the dashboard: {cloud.connection_info()['server_url']}/jobs/{jids[0]}/")


def main() -> None:
    parser = argparse.ArgumentParser(description="Encode videos on PiCloud, each to MP4 and to WebM.")
    parser.add_argument("videos", nargs="*", type=Path, help="video files, or folders of them")
    parser.add_argument("--sample", action="store_true", help="make a short video in a job (also when none is given)")
    parser.add_argument("--output-dir", type=Path, default=Path("encoded"), help="where the encodings go (./encoded)")
    options = parser.parse_args()
    started = time.monotonic()
    names = upload(videos_in(options.videos))
    if options.sample or not options.videos:
        print("Making a sample video in a job", flush=True)
        names.append(cloud.result(cloud.call(make_sample, SAMPLE, _type=cloud.c2, _label="sample video")))
    if not names:
        sys.exit("There is no video in there.")
    pairs = [(name, encoding) for name in names for encoding in ENCODINGS]
    jids = list(cloud.map(encode, *zip(*pairs, strict=True), _type=cloud.c2, _label="encode videos"))
    print(f"Encoding {len(names)} video(s) in jobs {jids[0]}-{jids[-1]}", flush=True)
    results = cloud.result(jids)
    options.output_dir.mkdir(parents=True, exist_ok=True)
    for made in results:
        path = options.output_dir / made["file"]
        cloud.files.get(made["file"], path)
        check_here(path, made)
    report([name for name, _ in pairs], jids, results, started=started)
    print(f"The encodings are in {options.output_dir}/")


if __name__ == "__main__":
    try:
        main()
    except cloud.CloudException as problem:
        sys.exit(str(problem))
