"""Ways out of a container that a job may try. None of them leads anywhere."""

from pathlib import Path

import pytest

from tests.worker.conftest import Bench, Pool, make_sandbox


def attempt(bench: Bench, script: str) -> str:
    """What a shell line answers in the sandbox, both streams."""

    def run(line: str) -> str:
        import subprocess

        done = subprocess.run(["/bin/sh", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return f"{done.stdout.decode(errors='replace')}[{done.returncode}]"

    return str(bench.run(run, (script,)).value())


def system_call(bench: Bench, name: str, *arguments: object) -> str:
    """The error that a function of the C library ends with, or its answer."""

    def call(name: str, arguments: tuple[object, ...]) -> str:
        import ctypes
        import errno

        libc = ctypes.CDLL(None, use_errno=True)
        answer = getattr(libc, name)(*arguments)
        return errno.errorcode[ctypes.get_errno()] if answer == -1 else str(answer)

    return str(bench.run(call, (name, arguments)).value())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mount", (b"none", b"/tmp", b"tmpfs", 0, None)),
        ("umount", (b"/proc",)),
        ("unshare", (0x10000000,)),  # a user namespace, in which one would be root
        ("setns", (0, 0)),
        ("ptrace", (16, 1, 0, 0)),  # attach to the runner
        ("chroot", (b"/tmp",)),
        ("setuid", (0,)),
        ("sethostname", (b"mine", 4)),
        ("swapoff", (b"/dev/sda",)),
        ("reboot", (0x1234567,)),
        ("init_module", (0, 0, 0)),
        ("mknod", (b"/tmp/disk", 0o60666, 0xFE00)),
        ("acct", (b"/tmp/acct",)),
        ("syscall", (250, 0, 0, 0)),  # keyctl
        ("syscall", (321, 0, 0, 0)),  # bpf
        ("syscall", (425, 8, 0)),  # io_uring_setup
        ("syscall", (56, 0x10000000 | 17, 0)),  # clone into a user namespace
        ("syscall", (435, 0, 0)),  # clone3, whose flags cannot be seen
    ],
)
def test_system_calls_of_root_are_refused(container: Bench, name: str, arguments: tuple[object, ...]) -> None:
    assert system_call(container, name, *arguments) in ("EPERM", "EACCES", "ENOSYS", "EINVAL")


@pytest.mark.parametrize(
    "place", ["/", "/etc", "/usr/bin", "/opt/picloud", "/run", "/run/picloud", "/dev", "/sys", "/var/lib"]
)
def test_nothing_but_scratch_space_can_be_written(container: Bench, place: str) -> None:
    assert attempt(container, f"touch {place}/mine").endswith("[1]")


def test_shared_memory_does_not_outlive_its_job(container: Bench) -> None:
    def share() -> int:
        import ctypes

        return ctypes.CDLL(None).shmget(0, 1_000_000, 0o1666)

    assert container.run(share).value() >= 0
    assert attempt(container, "tail -n +2 /proc/sysvipc/shm") == "[0]"


@pytest.mark.parametrize("place", ["/home/picloud", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"])
def test_scratch_space_can_be_written_and_is_empty_afterwards(container: Bench, place: str) -> None:
    assert attempt(container, f"ls -A {place} && touch {place}/mine") == "[0]"
    assert attempt(container, f"ls -A {place}") == "[0]"


@pytest.mark.parametrize("what", ["environ", "mem", "maps", "fd", "cwd/", "root/"])
def test_runner_cannot_be_looked_into(container: Bench, what: str) -> None:
    assert "Permission denied" in attempt(container, f"ls /proc/1/{what} && head -c 1 /proc/1/{what}")


def test_runner_cannot_be_killed_or_stopped(container: Bench) -> None:
    attempt(container, "kill -KILL 1; kill -STOP 1; kill -TERM 1; kill -INT 1; kill -SEGV 1")
    assert container.run(lambda: "alive").value() == "alive"


def test_no_socket_of_the_worker_or_the_engine_is_in_reach(container: Bench) -> None:
    assert attempt(container, "find / -xdev -type s 2>/dev/null; ls -A /run/picloud-worker").startswith("[")
    assert "podman.sock" not in attempt(container, "find / -name '*.sock' 2>/dev/null")


def test_job_has_no_capability_and_gains_none(container: Bench) -> None:
    status = attempt(container, "grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status")
    assert status.split()[1::2] == ["0000000000000000", "0000000000000000", "1", "2"]


def test_kernel_of_the_host_cannot_be_tuned(container: Bench) -> None:
    line = "echo 1 > /proc/sys/kernel/sysrq; echo b > /proc/sysrq-trigger; echo x > /proc/sys/kernel/core_pattern; true"
    assert attempt(container, line).count("cannot create") == 3


def test_jobs_are_the_first_to_go_when_memory_runs_out_and_stay_so(container: Bench) -> None:
    line = "echo -1000 > /proc/self/oom_score_adj; cat /proc/self/oom_score_adj"
    assert attempt(container, line).endswith("1000\n[0]")


def test_other_sandboxes_are_out_of_sight(container: Bench, pool: Pool) -> None:
    with make_sandbox("container", pool.image, slot=1, account_id=2) as other:
        other_bench = Bench(other)

        def count() -> int:
            import os

            return len([name for name in os.listdir("/proc") if name.isdigit()])

        assert (container.run(count).value(), other_bench.run(count).value()) == (2, 2)


def test_secrets_of_the_server_are_not_in_the_environment(container: Bench) -> None:
    names = attempt(container, "env | cut -d= -f1")
    assert not {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PICLOUD_HOME"} & set(names.split())


def test_base_environment_has_its_programs(container: Bench) -> None:
    encoders = attempt(container, "ffmpeg -hide_banner -encoders")
    assert [name for name in ("libx264", "libx265", "libvpx-vp9", "libopus", " aac ") if name not in encoders] == []
    assert attempt(container, "git --version && test -x /usr/sbin/sshd && ps --version").endswith("[0]")


def test_ffmpeg_encodes(container: Bench) -> None:
    inputs = "-f lavfi -i testsrc=d=0.2 -f lavfi -i sine=d=0.2"
    line = f"ffmpeg -v error {inputs} -c:v libx264 -c:a aac out.mp4 && ffprobe out.mp4"
    assert "h264" in attempt(container, line)


def test_worker_of_a_sandbox_is_its_only_guest(pool: Pool) -> None:
    with make_sandbox("container", pool.image) as sandbox:
        assert list(Path(sandbox._scratch.link).iterdir()) == []
