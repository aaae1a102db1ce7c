"""setkey and its relatives: which server, as whom."""

from typing import Any

from cloud import _client
from cloud._config import config, config_file, read_file
from cloud._dependencies.choice import set_dependency_whitelist

_KINDS = {"https": "HTTPS", "http": "HTTP", "http+unix": "UNIX"}
_locked = False


def setkey(
    api_key: int | str,
    api_secretkey: str | None = None,
    server_url: str | None = None,
    restart: bool = False,  # noqa: FBT001, FBT002
    immutable: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Use this key, and this server if one is given, from now on in this process.

    Without a secret, the stored one of the same key is used. After immutable=True another key is refused, so that a
    program can rely on what it set; restart forgets what was read from the configuration file. A whitelist of modules
    is forgotten too.
    """
    global _locked
    if _locked and str(api_key) != config.api_key:
        raise RuntimeError("The API key was set with immutable=True and cannot be changed in this process.")
    if restart:
        config.commit()
    if api_secretkey is None:
        stored = read_file(config_file())
        if stored.get("api_key") != str(api_key):
            raise ValueError(f"No secret is stored for key {api_key}: give api_secretkey, or run `picloud setup`.")
        api_secretkey, server_url = stored["api_secretkey"], server_url or stored.get("url")
    config.api_key, config.api_secretkey = str(api_key), api_secretkey
    config.url = server_url or config.url
    _locked = immutable
    set_dependency_whitelist(None)


def connection_info() -> dict[str, Any]:
    """Which server is used, how, and as whom."""
    credentials = config.credentials()
    return {
        "opened": _client.has_connected(credentials.url),
        "connection_type": _KINDS.get(credentials.url.partition(":")[0], "HTTP"),
        "server_url": credentials.url,
        "api_key": credentials.api_key,
        "api_secretkey": credentials.api_secretkey,
    }


def is_simulated() -> bool:
    """Whether jobs run in a simulator on this machine: never, here they run on the service."""
    return False
