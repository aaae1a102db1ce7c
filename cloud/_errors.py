"""What the client raises."""

from typing import Any

_ENDS = (None, "done", "error", "killed", "stalled")
_TIPS = {
    "out_of_memory": "Give it more memory with _type='m1' or a larger _cores, or split the work into smaller jobs.",
    "out_of_disk": "Remove files that are no longer needed, or choose a _type with more disk (`picloud core-types`).",
    "max_runtime": "Raise _max_runtime (minutes), or leave it out for no limit.",
    "cost_limit": "Raise _max_cost (dollars), or leave it out for no limit; what was done is kept.",
    "bad_result": "Return plain data, or store large results with cloud.files and return the name.",
    "exited": "A job ends by returning: sys.exit and os._exit lose its result.",
}


class CloudException(Exception):
    """A job that did not succeed, or a request that the service refused.

    `parameter` is the text (for a job the remote traceback); `status` is the job's status or the service's error code;
    `__cause__` is the remote exception itself where it could be rebuilt here.
    """

    __module__ = "cloud"

    def __init__(
        self,
        parameter: str,
        *,
        jid: int | None = None,
        status: str | None = None,
        reason: str = "",
        hint: str | None = None,
        retry: bool = False,
    ) -> None:
        super().__init__(parameter)
        self.parameter = parameter
        self.jid = jid
        self.status = status
        self.reason = reason
        self.hint = hint if hint is not None else _TIPS.get(reason)
        self.retry = retry

    def __str__(self) -> str:
        if self.jid is not None and self.status in _ENDS:
            text = f"Job {self.jid}: {self.parameter}"
        elif self.status is not None:
            text = f"Error {self.status}: {self.parameter}"
        else:
            text = self.parameter
        return f"{text}\nTIP: {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.parameter), self.__dict__


class CloudTimeoutError(CloudException):
    """A wait was longer than its timeout, or can never end because every core waits too."""

    __module__ = "cloud"


def _rebuild(kind: type[CloudException], parameter: str) -> CloudException:
    return kind(parameter)
