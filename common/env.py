"""Settings from the environment; a secret may also come from the file that NAME_FILE names."""

import os
from pathlib import Path


class BadSetting(Exception):
    """Raised when an environment variable cannot be understood."""


def env_str(name: str, default: str = "") -> str:
    """The variable, or the content of the file named by `<name>_FILE`, or the default."""
    file_name = os.environ.get(f"{name}_FILE")
    if file_name:
        return Path(file_name).read_text().strip()
    return os.environ.get(name, default)


def env_int(name: str, default: int) -> int:
    text = env_str(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise BadSetting(f"{name} must be a whole number, not {text!r}.") from None


def env_bool(name: str, *, default: bool = False) -> bool:
    text = env_str(name).lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    if text:
        raise BadSetting(f"{name} must be one of 1, 0, true, false, yes, no, on, off, not {text!r}.")
    return default


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env_str(name, default).split(",") if part.strip()]
