"""Where the service is and who calls it: setkey, else the environment, else the file that `picloud setup` writes."""

import base64
import configparser
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cloud._errors import CloudException

DEFAULT_URL = "http://127.0.0.1:8000"
_SECTION = "account"
_TRUTHS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_NOT_CONFIGURED = (
    "PiCloud does not know whom to ask: run `picloud setup`, "
    "or set PICLOUD_URL, PICLOUD_API_KEY and PICLOUD_API_SECRETKEY."
)


class Credentials(NamedTuple):
    """One server and the identity to use there."""

    url: str
    api_key: str
    api_secretkey: str
    authorization: str


class Config:
    """The client's options; an attribute that was never set is looked up in the environment, then in the file."""

    def __init__(self) -> None:
        self.url: str | None = None
        self.api_key: str | None = None
        self.api_secretkey: str | None = None
        self.retry_seconds: float = 30.0
        self.outage_seconds: float = 600.0
        self.max_transmit_data: int = 16_000_000
        self.progress: bool = True
        self.automatic_dependency_transfer: bool | None = None
        self._file: tuple[Path, dict[str, str]] | None = None

    def commit(self) -> None:
        """Forget what was read from the configuration file, so that the next call reads it again."""
        self._file = None

    def credentials(self) -> Credentials:
        """Whom to ask and as whom; CloudException when nothing is configured."""
        if self.api_key and self.api_secretkey:
            return _by_key(self._address(), self.api_key, self.api_secretkey)
        environ = os.environ
        if token := environ.get("PICLOUD_JOB_TOKEN"):
            return Credentials(self._address(), "", "", f"Bearer {token}")
        api_key, secret = environ.get("PICLOUD_API_KEY"), environ.get("PICLOUD_API_SECRETKEY")
        if api_key and secret:
            return _by_key(self._address(), api_key, secret)
        return self._from_file(api_key)

    def transfers_dependencies(self) -> bool:
        """Whether modules travel with functions: as set here, in the environment or in the file, else yes."""
        if self.automatic_dependency_transfer is not None:
            return self.automatic_dependency_transfer
        name = "automatic_dependency_transfer"
        text = os.environ.get("PICLOUD_AUTOMATIC_DEPENDENCY_TRANSFER") or self._stored().get(name) or "true"
        if text.lower() not in _TRUTHS:
            raise CloudException(f"{name} is true or false, not {text!r}: set PICLOUD_{name.upper()} to one of them.")
        return _TRUTHS[text.lower()]

    def _address(self) -> str:
        found = self.url or os.environ.get("PICLOUD_URL") or self._stored().get("url") or DEFAULT_URL
        return found.rstrip("/")

    def _from_file(self, api_key: str | None) -> Credentials:
        stored = self._stored()
        if not (stored.get("api_key") and stored.get("api_secretkey")):
            raise CloudException(_NOT_CONFIGURED)
        url = self._address()
        # The stored secret belongs to the stored server: sending it to any other would give it away.
        if url != stored.get("url", "").rstrip("/"):
            raise CloudException(
                f"The key in {config_file()} belongs to {stored.get('url')}, not to {url}: "
                "set PICLOUD_API_KEY and PICLOUD_API_SECRETKEY too, or run `picloud setup`."
            )
        if api_key and api_key != stored["api_key"]:
            raise CloudException(f"PICLOUD_API_KEY is {api_key}, but PICLOUD_API_SECRETKEY is not set.")
        return _by_key(url, stored["api_key"], stored["api_secretkey"])

    def _stored(self) -> dict[str, str]:
        path = config_file()
        if self._file is None or self._file[0] != path:
            self._file = (path, read_file(path))
        return self._file[1]


def config_directory() -> Path:
    """The directory of the client's configuration."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or "~").expanduser() / "picloud"
    return Path("~/.picloud").expanduser()


def config_file() -> Path:
    """The file that `picloud setup` writes."""
    return config_directory() / "config.ini"


def read_file(path: Path) -> dict[str, str]:
    """What is stored in the file, nothing when there is none; CloudException when others can read it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return {}
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CloudException(f"{path} holds a secret and other users can read it: run `chmod 600 {path}`.")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (configparser.Error, UnicodeDecodeError) as problem:
        raise CloudException(f"{path} cannot be read ({problem}): run `picloud setup` again.") from problem
    return dict(parser[_SECTION]) if parser.has_section(_SECTION) else {}


def write_file(path: Path, options: Mapping[str, str]) -> None:
    """Store a server, a key and whatever else is set for their owner's eyes only, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    text = "".join([f"[{_SECTION}]\n", *(f"{name} = {value}\n" for name, value in options.items())])
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _by_key(url: str, api_key: str, api_secretkey: str) -> Credentials:
    basic = base64.b64encode(f"{api_key}:{api_secretkey}".encode()).decode()
    return Credentials(url, api_key, api_secretkey, f"Basic {basic}")


config = Config()


def running_on_cloud() -> bool:
    """Whether this process is a job."""
    return "PICLOUD_JOB_TOKEN" in os.environ


def getconfigpath() -> str:
    """The directory of the client's configuration."""
    return str(config_directory())
