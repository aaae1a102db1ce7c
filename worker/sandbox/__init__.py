"""Where jobs run: containers, or processes for one trusted user. settings.SANDBOX chooses."""

from worker.sandbox.base import Limits, Sandbox, SandboxFailed, SandboxKey, SandboxLost, Usage
from worker.sandbox.factory import network_mode, new_sandbox, probe, remove_leftovers

__all__ = [
    "Limits",
    "Sandbox",
    "SandboxFailed",
    "SandboxKey",
    "SandboxLost",
    "Usage",
    "network_mode",
    "new_sandbox",
    "probe",
    "remove_leftovers",
]
