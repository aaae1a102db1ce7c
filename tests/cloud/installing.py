"""Packages for tests, installed by hand as pip leaves them."""

import json
import sys
from pathlib import Path

Files = dict[str, str | bytes]


def write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def install(
    site: Path,
    name: str,
    version: str,
    files: Files,
    *,
    requires: tuple[str, ...] = (),
    tag: str = "py3-none-any",
    entry_points: str = "",
    editable: Path | None = None,
) -> None:
    """A distribution with its metadata; `editable` names the project that it is only a link to."""
    needs = "".join(f"Requires-Dist: {text}\n" for text in requires)
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    metadata: Files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/INSTALLER": "pip\n",
    }
    if entry_points:
        metadata[f"{info}/entry_points.txt"] = entry_points
    if editable is not None:
        metadata[f"{info}/direct_url.json"] = json.dumps({"url": editable.as_uri(), "dir_info": {"editable": True}})
    everything = {**files, **metadata}
    record = "".join(f"{path},,\n" for path in [*everything, f"../../bin/{name}", f"{info}/RECORD"])
    write(site, {**everything, f"{info}/RECORD": record})


def forget(*tops: str) -> None:
    """As if these packages had never been imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
        del sys.modules[name]
