"""The keeper: what the harness leaves behind, however it ends, is killed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.run.process.children import Keeper, start
from tests.support.processes import gone, within

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SOON_S = 10.0
GONE_S = 2.0  # after a SIGKILL of the harness

# A harness with a server whose worker outlives it; both ignore SIGTERM and SIGHUP.
HARNESS = """
import json, os, sys, time
from pathlib import Path
from bench.run.process.children import Keeper, start
deaf = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 15)]; "
worker = deaf + "print(flush=True); time.sleep(60)"
master = (
    deaf + "import json, subprocess, sys; "
    f"worker = subprocess.Popen([sys.executable, '-c', {worker!r}], stdout=subprocess.PIPE); "
    "worker.stdout.readline(); print(json.dumps({'worker': worker.pid}), flush=True); "
    "time.sleep(60)"
)
keeper = Keeper()
child = start(
    "server", [sys.executable, "-c", master], keeper=keeper, cwd=Path.cwd(),
    env=dict(os.environ), log=Path(sys.argv[1]), tells="stdout",
)
pids = [keeper._process.pid, child.pid, child.event(10)["worker"]]
print(json.dumps(pids), flush=True)
if sys.argv[2] == "close":
    child.stop(1)
    keeper.close()
elif sys.argv[2] == "crash":
    raise RuntimeError("a bug")
else:
    time.sleep(60)
"""


@contextlib.contextmanager
def harness(tmp_path: Path, way: str) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A harness in a process of its own, and the ids of its keeper, server and worker."""
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(tmp_path / "server.log"), way],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        pids: list[int] = json.loads(process.stdout.readline())
        try:
            yield process, pids
        finally:
            process.kill()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_sigkill_of_the_harness_leaves_nothing(tmp_path: Path) -> None:
    """Server, worker and the keeper itself are gone within two seconds."""
    with harness(tmp_path, "wait") as (process, pids):
        assert not any(gone(pid) for pid in pids)
        process.kill()
        process.wait()
        assert within(GONE_S, lambda: all(gone(pid) for pid in pids))


def test_a_crash_of_the_harness_leaves_nothing(tmp_path: Path) -> None:
    """Even where nobody stopped the child."""
    with harness(tmp_path, "crash") as (process, pids):
        assert process.wait(SOON_S) == 1
        assert within(GONE_S, lambda: all(gone(pid) for pid in pids))


def test_a_normal_end_leaves_nothing(tmp_path: Path) -> None:
    """All are gone when the harness is, not only some time later."""
    with harness(tmp_path, "close") as (process, pids):
        assert process.wait(SOON_S) == 0
        assert all(gone(pid) for pid in pids)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A keeper that has read all it was told, so its signals are set."""
    made = Keeper()
    os.write(made._fd, b"-1\n")
    assert within(SOON_S, lambda: unread(made) == 0)
    yield made
    made.close()


def unread(keeper: Keeper) -> int:
    """Bytes in the pipe that the keeper has yet to read."""
    count = fcntl.ioctl(keeper._fd, termios.FIONREAD, b"\0" * 4)
    return int.from_bytes(count, sys.byteorder)


def sleeper() -> subprocess.Popen[bytes]:
    """A process group that only a signal ends."""
    return subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )


def test_what_is_listed_is_killed_and_what_is_forgotten_is_not() -> None:
    """A process id that was given to a stranger since must not be hit."""
    keeper = Keeper()
    listed, forgotten = sleeper(), sleeper()
    try:
        os.write(keeper._fd, b"+%d\n+%d\n" % (listed.pid, forgotten.pid))
        keeper.forget(forgotten.pid)
        keeper.close()
        assert listed.wait(SOON_S) == -signal.SIGKILL
        assert forgotten.poll() is None
    finally:
        for process in (listed, forgotten):
            process.kill()
            process.wait()


def test_a_stopped_child_is_forgotten(tmp_path: Path) -> None:
    """Else the keeper would grow with each trial, and hit strangers at the end."""
    ends, begins = os.pipe()
    keeper = Keeper()
    keeper_fd, keeper._fd = keeper._fd, begins
    try:
        child = start(
            "server", [sys.executable, "-c", "pass"], keeper=keeper, cwd=tmp_path, env={},
            log=tmp_path / "log",
        )  # fmt: skip
        child.stop(SOON_S)
        assert os.read(ends, 100) == b"+%d\n-%d\n" % (child.pid, child.pid)
    finally:
        keeper._fd = keeper_fd
        keeper.close()
        os.close(ends)
        os.close(begins)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_keeper_ignores_what_ends_the_harness(keeper: Keeper, number: signal.Signals) -> None:
    """It has to be the last to go; here it still does its work afterwards."""
    process = sleeper()
    try:
        os.kill(keeper._process.pid, number)
        os.write(keeper._fd, b"+%d\n" % process.pid)
        assert within(SOON_S, lambda: unread(keeper) == 0)
        assert keeper._process.poll() is None
        keeper.close()
        assert process.wait(SOON_S) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()


def test_the_keeper_is_out_of_reach_of_the_terminal(keeper: Keeper) -> None:
    """Ctrl-C goes to the terminal's foreground group, which it is not in."""
    assert os.getsid(keeper._process.pid) == keeper._process.pid != os.getsid(0)


def test_a_child_can_be_stopped_after_the_keeper_has_died(tmp_path: Path) -> None:
    """One safety net less must not become the reason for a leftover."""
    keeper = Keeper()
    child = start(
        "server", [sys.executable, "-c", "import time; time.sleep(60)"], keeper=keeper,
        cwd=tmp_path, env={}, log=tmp_path / "log",
    )  # fmt: skip
    keeper._process.kill()
    keeper._process.wait()
    child.stop(0)
    assert gone(child.pid)
    with contextlib.suppress(BrokenPipeError):
        keeper.close()
