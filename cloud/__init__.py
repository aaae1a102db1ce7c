"""Run any Python function on your own machines: `jid = cloud.call(f, x); cloud.result(jid)`."""

from cloud import cron, files, realtime
from cloud._config import config, getconfigpath, running_on_cloud
from cloud._connection import connection_info, is_simulated, setkey
from cloud._dependencies.choice import set_dependency_whitelist
from cloud._errors import CloudException, CloudTimeoutError
from cloud._estimate import estimate
from cloud._explain import explain
from cloud._jobs import delete, info, kill, status
from cloud._submit import call, map  # noqa: A004
from cloud._version import __version__
from cloud._waiting import finished_statuses, iresult, iresult_unordered, join, result

c1, c2, f2, m1, s1 = "c1", "c2", "f2", "m1", "s1"

__all__ = [
    "CloudException",
    "CloudTimeoutError",
    "__version__",
    "c1",
    "c2",
    "call",
    "config",
    "connection_info",
    "cron",
    "delete",
    "estimate",
    "explain",
    "f2",
    "files",
    "finished_statuses",
    "getconfigpath",
    "info",
    "iresult",
    "iresult_unordered",
    "is_simulated",
    "join",
    "kill",
    "m1",
    "map",
    "realtime",
    "result",
    "running_on_cloud",
    "s1",
    "set_dependency_whitelist",
    "setkey",
    "status",
]
