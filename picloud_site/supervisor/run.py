"""The life of the product under its supervisor.

Valkey and Podman's engine first, then the `release` line of the Procfile, then all its other lines, one
`worker` for each slot. Whatever dies is started again. SIGINT or SIGTERM ends everything within ten seconds, and the
time that workers may take to finish what they run. A worker host has a Procfile of its own, without web and clock.
"""

import os
import selectors
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from string import Template

from picloud_site import settings
from picloud_site.supervisor import home, servers
from picloud_site.supervisor.processes import (
    Make,
    Printer,
    Process,
    collect_dead,
    exit_words,
    kill_descendants,
    read_output,
)

US = "picloud"
# Seconds after the signal by which each stage of stopping is over, whoever is left. All is over within ten, but for the
# clean-up on a machine that has no time for us: to leave nothing behind counts for more than to be quick.
WORKERS_BY, WEB_BY, CLEAN_BY = (settings.DRAIN_SECONDS + seconds for seconds in (4.0, 5.0, 20.0))
SERVERS_WITHIN = 1.0
READY_WITHIN_S = 60.0


class Stop(Exception):
    """A signal asked us to stop."""


class Failed(Exception):
    """Something without which the product cannot run did not start."""


def read_procfile(path: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in path.read_text().splitlines() if line.strip() and line[0] != "#")
    return {name.strip(): command.strip() for name, _, command in lines}


class Supervisor:
    def __init__(self, *, after: str = "", procfile: str = "Procfile") -> None:
        self.after = after
        self.env = self._environment()
        self.procfile = read_procfile(settings.CODE / procfile)
        self.servers = list(self._servers())
        self.workers = [self._from_procfile("worker", slot=slot) for slot in range(1, settings.WORKER_SLOTS + 1)]
        self.others = [self._from_procfile(name) for name in self.procfile if name not in ("release", "worker")]
        self.alive: list[Process] = []  # those to be started again when they die
        self.everyone: list[Process] = []
        self.printer = Printer(process.name for process in [*self.servers, *self.workers, *self.others])
        self.selector = selectors.DefaultSelector()
        self.make = Make()
        self.stop_signals = 0
        self.stopping = False
        self._listen_to_signals()

    def _environment(self) -> dict[str, str]:
        ours = Path(sys.executable).parent
        return {
            **os.environ,
            "PATH": f"{ours}:{os.environ.get('PATH', os.defpath)}",
            "PICLOUD_HOME": str(settings.PICLOUD_HOME),
            "PYTHONUNBUFFERED": "1",
            # Threads of a Python process need no arenas of their own; saves 10 MB in each.
            "MALLOC_ARENA_MAX": "1",
        }

    def _process(self, name: str, command: list[str], *, env: dict[str, str] | None = None) -> Process:
        return Process(name, command, env=self.env | (env or {}), cwd=settings.CODE)

    def _server(self, name: str, command: list[str]) -> Process:
        # Podman leaves a file where it stands when a container runs out of memory. Killed in the middle of a start it
        # would leave a container that it has forgotten; asked to end, it finishes the start first.
        return Process(name, command, env=self.env, cwd=settings.RUN_DIR, dies_by=signal.SIGTERM)

    def _from_procfile(self, name: str, *, slot: int | None = None) -> Process:
        extra = {} if slot is None else {"SLOT": str(slot)}
        command = shlex.split(Template(self.procfile[name]).safe_substitute(self.env | extra))
        return self._process(name if slot is None else f"{name}-{slot}", command, env=extra)

    def _servers(self) -> Iterable[Process]:
        if home.runs_own_redis():
            data = settings.PICLOUD_HOME / "redis"
            yield self._server("valkey", servers.valkey_command(socket_path=home.REDIS_SOCKET, directory=data))
        if home.runs_own_engine():
            yield self._server("engine", servers.engine_command(home.ENGINE_SOCKET))

    # -- the loop

    def _listen_to_signals(self) -> None:
        self.wake_reader, wake_writer = socket.socketpair()
        self.wake_writer = wake_writer
        for end in (self.wake_reader, wake_writer):
            end.settimeout(0)
        signal.set_wakeup_fd(wake_writer.fileno(), warn_on_full_buffer=False)
        self.selector.register(self.wake_reader, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note_stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup
            signal.signal(signal.SIGHUP, self._note_stop)

    def _note_stop(self, *_: object) -> None:
        self.stop_signals += 1

    def pump(self, until: Callable[[], bool], *, within: float | None = None, every: float = 1.0) -> bool:
        """Serves output, deaths and restarts until the condition holds (true) or the time is over (false).

        The condition is looked at when a process died, and otherwise only so often: looking may cause output.
        """
        end = time.monotonic() + (float("inf") if within is None else within)
        while True:
            if not self.stopping and (self.stop_signals or self.make.was_interrupted()):
                raise Stop
            if until():
                return True
            look_at = time.monotonic() + every
            died = False
            while not died and (now := time.monotonic()) < min(look_at, end):
                died = self._serve(min(look_at, end, *self._restarts()) - now)
                if self.stop_signals:
                    break
            if time.monotonic() >= end:
                return False

    def _restarts(self) -> list[float]:
        dead = [] if self.stopping else [process for process in self.alive if not process.is_running]
        return [process.restart_at for process in dead]

    def _serve(self, pause: float) -> bool:
        """Waits so long at most for something to do, and does it; whether a process died."""
        died = False
        for key, _ in self.selector.select(max(pause, 0.001)):
            if key.data is None:
                self.wake_reader.recv(4096)
            else:
                read_output(key.data, self.printer, self.selector)
        for pid, exit_code in collect_dead():
            died = True
            self._note_end(pid, exit_code)
        if not self.stopping:
            self._start_again()
        return died

    def _note_end(self, pid: int, exit_code: int) -> None:
        for process in self.everyone:
            if process.pid == pid:
                process.note_end(exit_code)
                if process in self.alive and not self.stopping:
                    wait = process.restart_at - time.monotonic()
                    self.say(f"{process.name} {exit_words(exit_code)}; it starts again in {wait:.1f} s")

    def _start_again(self) -> None:
        now = time.monotonic()
        for process in self.alive:
            if not process.is_running and now >= process.restart_at:
                self._start(process)

    def _start(self, process: Process) -> None:
        if process not in self.everyone:
            self.everyone.append(process)
        if process.output is not None:
            # A child that left the group of the dead process still holds its output.
            self.selector.unregister(process.output)
            process.output.close()
        process.start()
        assert process.output is not None
        self.selector.register(process.output, selectors.EVENT_READ, process)

    def say(self, line: str) -> None:
        self.printer.say(US, line)

    # -- the life of the product

    def run(self) -> int:
        code = 0
        try:
            self._start_servers()
            self._run_once("release", self.procfile["release"])
            self._keep([*self.others, *self.workers])
            self._announce()
            if self.after:
                self._run_once("demo", self.after)
            self.pump(lambda: False)
        except Stop:
            pass
        except Failed as failure:
            self.say(str(failure))
            code = 1
        self._stop()
        return code

    def _keep(self, processes: list[Process]) -> None:
        for process in processes:
            self._start(process)
        self.alive += processes

    def _start_servers(self) -> None:
        self._keep(self.servers)
        checks = {"valkey": home.redis_answers, "engine": home.engine_answers}
        for server in self.servers:
            if not self.pump(checks[server.name], within=20, every=0.02):
                raise Failed(f"{server.name} did not start within 20 s; its output above says why.")

    def _run_once(self, name: str, command: str) -> None:
        process = self._process(name, shlex.split(command))
        self._start(process)
        self.pump(lambda: not process.is_running)
        self.pump(lambda: process.output is None, within=1, every=0.01)
        if process.exit_code:
            raise Failed(f"{name} {exit_words(process.exit_code)}; its output above says why.")

    def _announce(self) -> None:
        if "web" not in self.procfile:
            self._announce_host()
        elif self.pump(home.is_healthy, within=READY_WITHIN_S, every=0.1):
            seconds = time.monotonic() - home.BEGAN
            self.say(f"PiCloud is ready after {seconds:.1f} s: {settings.PUBLIC_URL}/  (Ctrl-C stops it)")
        else:
            self.say(f"Not everything serves after {READY_WITHIN_S:.0f} s: {settings.PUBLIC_URL}/healthz says what.")

    def _announce_host(self) -> None:
        if not self.pump(home.relay_answers, within=READY_WITHIN_S, every=0.1):
            raise Failed(f"relay did not start within {READY_WITHIN_S:.0f} s; its output above says why.")
        slots, types = settings.WORKER_SLOTS, ", ".join(settings.CORE_TYPE_QUEUES)
        self.say(f"{settings.HOST_NAME} works for {settings.PUBLIC_URL}/ with {slots} slots ({types}); Ctrl-C stops it")

    def _stop(self) -> None:
        """Workers first, that they may finish or give back; then those who serve people; the servers last."""
        self.stopping, self.stop_signals = True, 0
        began = time.monotonic()
        patience = f", at most {settings.DRAIN_SECONDS} s for running jobs" if settings.DRAIN_SECONDS else ""
        self.say(f"Stopping{patience} (a second Ctrl-C does not wait)")
        rest = [process for process in self.everyone if process not in [*self.workers, *self.servers]]
        self._end(self.workers, began + WORKERS_BY)
        for process in self.workers:
            # One that still runs would take the removal of its container for the end of its job.
            process.kill_group()
        cleaning = self._start_clean_up()
        self._end(rest, began + WEB_BY)
        self._wait_for(cleaning, began + CLEAN_BY)
        self._end(self.servers, time.monotonic() + SERVERS_WITHIN)
        for process in self.everyone:
            process.kill_group()
        if left := kill_descendants():
            self.pump(lambda: not any(process.is_running for process in self.everyone), within=1, every=0.02)
            self.say(f"Killed {left} processes that had not ended")
        home.remove_sockets()
        self.say(f"Stopped after {time.monotonic() - began:.1f} s")

    def _end(self, processes: list[Process], by: float) -> None:
        for process in processes:
            process.signal(signal.SIGTERM)
        self._wait_for(processes, by)

    def _wait_for(self, processes: list[Process], by: float) -> None:
        def over() -> bool:
            return bool(self.stop_signals) or not any(process.is_running for process in processes)

        self.pump(over, within=max(by - time.monotonic(), 0.01), every=0.1)

    def _start_clean_up(self) -> list[Process]:
        """What removes containers and networks of killed workers; those that end well leave none."""
        ended_well = all(process.exit_code == 0 for process in self.workers if process in self.everyone)
        if settings.SANDBOX != "container" or self.stop_signals or ended_well:
            return []
        process = self._process("clean-up", [sys.executable, "manage.py", "clean_up"])
        self._start(process)
        return [process]
