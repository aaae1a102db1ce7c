"""A provider whose machines are namespaces of this one. They join as a rented machine would: by what starts on them."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from django.utils import timezone

from realtime.providers import Launch, Machine, Offer
from tests import lan

CODE = Path(__file__).resolve().parent.parent
FIRST_NUMBER = 100  # those below are joined by hand
PRICE = 96_000


class LanProvider:
    """Has as much room as a file says. The environment of its own process is that of the installation."""

    name = "lan"

    def __init__(self) -> None:
        self._lan = lan.Lan(int(os.environ["TEST_LAN"]))
        self._directory = Path(os.environ["TEST_LAN_DIRECTORY"])

    def offer(self, core_type: str) -> Offer | None:
        return Offer(core_type=core_type, slots=1, price_micros_per_hour=PRICE)

    def launch(self, core_type: str, number: int) -> Launch:
        begun = []
        room = int((self._directory / "room").read_text())
        for _ in range(min(number, room - len(self._running()))):
            machine = self._lan.machine(FIRST_NUMBER + len(list(self._directory.glob("*.log"))))
            machine.plug_in()
            self._boot(machine, core_type)
            begun.append(self._described(machine, core_type))
        return Launch(machines=begun, problem="" if len(begun) == number else f"There is room for {room} only.")

    def _boot(self, machine: lan.Machine, core_type: str) -> None:
        home = self._directory / machine.name
        (self._directory / f"{machine.name}.type").write_text(core_type)
        command = [*machine.enter, sys.executable, "manage.py", "worker_host", "--slots=1", f"--core-types={core_type}"]
        with (self._directory / f"{machine.name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, f"--name={machine.name}"], cwd=CODE, env=os.environ | {"PICLOUD_HOME": str(home)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        (self._directory / f"{machine.name}.pid").write_text(str(process.pid))
        # It lives on without us, as a rented machine does.
        process.returncode = 0

    def terminate(self, references: list[str]) -> None:
        for machine in self._running():
            if machine.name in references:
                self._pull_the_plug(machine)

    def _pull_the_plug(self, machine: lan.Machine) -> None:
        pid = int((self._directory / f"{machine.name}.pid").read_text())
        home = {"PICLOUD_HOME": str(self._directory / machine.name)}
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # What a real machine takes with it.
        command = [sys.executable, "-m", "picloud_site.supervisor", "--stop", "--host"]
        subprocess.run([*machine.enter, *command], cwd=CODE, env=os.environ | home, check=False, capture_output=True)
        machine.remove()

    def describe(self) -> list[Machine]:
        return [
            self._described(machine, (self._directory / f"{machine.name}.type").read_text())
            for machine in self._running()
        ]

    def _running(self) -> list[lan.Machine]:
        return [machine for machine in self._lan.machines() if machine.number >= FIRST_NUMBER]

    def _described(self, machine: lan.Machine, core_type: str) -> Machine:
        return Machine(
            reference=machine.name, name=machine.name, core_types=core_type, slots=1, launched_at=timezone.now(),
            price_micros_per_hour=PRICE,
        )  # fmt: skip
