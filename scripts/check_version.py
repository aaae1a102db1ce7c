"""The newest version in CHANGELOG.md must be the one the client says it is."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    version = re.search(r'__version__ = "(.+)"', (ROOT / "cloud" / "_version.py").read_text())
    if newest and version and newest[1] == version[1]:
        return 0
    print(f"CHANGELOG.md begins with {newest and newest[1]}, cloud/_version.py says {version and version[1]}.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
