"""The job of the video batch: fetch a clip, run a command on it, store what came out."""

import subprocess

import cloud


def encode(clip: str, command: str, output: str) -> str:
    cloud.files.get(clip)
    subprocess.run(["sh", "-c", command], check=True)
    cloud.files.put(output)
    return output
