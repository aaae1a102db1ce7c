"""Settings from the environment; a secret may also come from the file that NAME_FILE names."""

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path

MOST_DOLLARS = 1_000_000


class BadSetting(Exception):
    """Raised when an environment variable cannot be understood."""


def env_str(name: str, default: str = "") -> str:
    """The variable, or the content of the file named by `<name>_FILE`, or the default."""
    file_name = os.environ.get(f"{name}_FILE")
    if file_name:
        try:
            return Path(file_name).read_text().strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE cannot be read: {error}.") from None
    return os.environ.get(name, default)


def env_int(name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    text = env_str(name)
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        raise BadSetting(f"{name} must be a whole number, not {text!r}.") from None
    if number < least or (most is not None and number > most):
        limits = f"at least {least}" if most is None else f"from {least} to {most}"
        raise BadSetting(f"{name} must be {limits}, not {number}.")
    return number


def env_dollars(name: str, default: str) -> Decimal:
    """A variable that holds an amount of dollars, 0 or more."""
    text = env_str(name) or default
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= MOST_DOLLARS:
        raise BadSetting(f"{name} must be an amount of dollars from 0 to {MOST_DOLLARS:,}, not {text!r}.")
    return amount


def env_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    text = env_str(name) or default
    if text not in choices:
        raise BadSetting(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text


def env_url(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    """A variable that holds an address of one of these schemes."""
    url = env_str(name, default)
    if url and not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        # Its password, if it has one, is nobody's business.
        raise BadSetting(f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    return url


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
