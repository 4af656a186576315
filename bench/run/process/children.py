"""The one owner of child processes.

Each child has a process group and a session of its own, its output in a file,
and one way down: terminate, wait briefly, kill the whole group, reap. A keeper
(``keeper.py``) does the last two if the harness itself is killed.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POLL_S = 0.01
# Of the harness's own environment, children get these; no proxies, no secrets.
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT")
GONE_S = 2.0  # how long killed processes may take to vanish


class Ended(Exception):  # noqa: N818 - an event, not an error
    """The child ended, or closed its pipe, while something was awaited from it."""


class Late(Exception):  # noqa: N818 - an event, not an error
    """A deadline passed."""


class Keeper:
    """The pipe to the process that cleans up after the harness."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("keeper.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal must not reach it
        )
        if self._process.stdin is None:
            raise AssertionError
        self._fd = self._process.stdin.fileno()

    def adopt_self(self, *, quits: bool = False) -> None:
        """Called in a child between fork and exec, so there is no gap to be killed in.

        One that ``quits`` is told to by SIGQUIT before it is killed.
        """
        os.write(self._fd, b"%c%d\n" % (b"~" if quits else b"+", os.getpid()))

    def forget(self, group: int) -> None:
        """The group has been ended."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._fd, b"-%d\n" % group)

    def remove_at_end(self, folder: Path) -> None:
        """A temporary folder, an absolute path without line breaks, that must not stay."""
        os.write(self._fd, os.fsencode(f"{folder}\n"))

    def close(self) -> None:
        """Let it go; it kills what is still listed, and removes what was named."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


@dataclass(slots=True)
class Child:
    """A running child. ``pid`` is also its process group."""

    name: str
    argv: tuple[str, ...]
    log: Path
    _process: subprocess.Popen[bytes]
    _keeper: Keeper
    _events_fd: int
    _gate_fd: int
    _end_by: signal.Signals = signal.SIGTERM
    _buffer: bytes = b""
    _closed: bool = field(default=False)

    @property
    def pid(self) -> int:
        """Process id, and process group id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """The exit status (negative: the signal), None while it runs."""
        return self._process.poll()

    def say(self, word: bytes) -> None:
        """Write to a child that reads at its gate; one that is gone hears nothing."""
        with contextlib.suppress(BrokenPipeError):
            while word:
                word = word[os.write(self._gate_fd, word) :]

    def event(self, timeout_s: float) -> dict[str, Any]:
        """The next line of JSON that the child tells.

        Raises:
            Late: none came within ``timeout_s`` seconds.
            Ended: the child closed its end, or told something that is no JSON object.
        """
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            wait_s = max(0.0, deadline - time.monotonic())
            if not select.select([self._events_fd], [], [], wait_s)[0]:
                raise Late(f"{self.name} said nothing for {timeout_s:g} s")
            got = os.read(self._events_fd, 65536)
            if not got:
                raise Ended(f"{self.name} ended")
            self._buffer += got
        line, self._buffer = self._buffer.split(b"\n", 1)
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise Ended(f"{self.name} said {line[:200]!r}, which is no JSON object")
        return told

    def log_tail(self, lines: int = 6) -> str:
        """The last lines of its output."""
        with contextlib.suppress(OSError):
            text = self.log.read_bytes()[-16384:].decode(errors="replace")
            return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])
        return ""

    def stop(self, grace_s: float) -> None:
        """Terminate, wait up to ``grace_s`` seconds, kill the group, reap. May be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._process.poll() is None and grace_s > 0:
                self._process.send_signal(self._end_by)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(grace_s)
        finally:
            self._kill_group()
            _close(self._events_fd, self._gate_fd)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        deadline = time.monotonic() + GONE_S
        while group_members(self.pid) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        self._keeper.forget(self.pid)


def start(
    name: str,
    argv: Sequence[str | Path],
    *,
    keeper: Keeper,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    tells: str = "nothing",
    cpus: Sequence[int] = (),
    user: str | None = None,
    quits: bool = False,
    hears: bool = False,
) -> Child:
    """Start ``argv`` in a group of its own, its output appended to ``log``, on ``cpus`` if given.

    ``tells`` says where its lines of JSON come from: ``stdout``, or ``pipe``
    (MATRIX_EVENTS_FD, with a gate to wait at in MATRIX_GATE_FD), or ``nothing``.
    ``user`` is whom it runs as, if not as we do. One that ``quits`` is ended by SIGQUIT: by
    itself it ends more than its group. One that ``hears`` reads what is said on its standard input.

    Raises:
        OSError: the program can't be started.
    """
    program = str(argv[0])
    if not os.access(program, os.X_OK):
        # Said before the fork: a child that can't exec has told the keeper already.
        raise FileNotFoundError(errno.ENOENT, f"{name} can't be started: no program", program)
    events_read = events_write = gate_read = gate_write = -1
    environment = dict(env)
    if tells != "nothing":
        events_read, events_write = os.pipe()
    if tells == "pipe" or hears:
        gate_read, gate_write = os.pipe()
    if tells == "pipe":
        environment |= {
            "MATRIX_EVENTS_FD": str(events_write),
            "MATRIX_GATE_FD": str(gate_read),
        }
    handed = [fd for fd in (events_write, gate_read) if fd >= 0]
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in argv],
                cwd=cwd,
                env=environment,
                stdin=gate_read if hears else subprocess.DEVNULL,
                stdout=events_write if tells == "stdout" else output,
                stderr=output,
                pass_fds=handed if tells == "pipe" else (),
                start_new_session=True,
                # A system call or two between fork and exec take no lock, so they are
                # safe beside the idle threads of numpy's libraries; and there is no
                # other way to tell the keeper, or to choose CPUs, before the program starts.
                preexec_fn=partial(_settle, keeper, tuple(cpus), quits),  # noqa: PLW1509
                user=user,
                group=None if user is None else pwd.getpwnam(user).pw_gid,
                extra_groups=None if user is None else [],
            )
    except subprocess.SubprocessError as error:
        _close(events_read, gate_write)
        what = f"its CPUs {cpus} are not ours, or the keeper is gone" if cpus else "no keeper"
        raise OSError(f"{name} can't be started: {what}") from error
    except BaseException:
        _close(events_read, gate_write)
        raise
    finally:
        _close(*handed)
    ending = signal.SIGQUIT if quits else signal.SIGTERM
    shown = tuple(map(str, argv))
    return Child(name, shown, log, process, keeper, events_read, gate_write, ending)


def first_gone(running: Sequence[Child]) -> Child | None:
    """The first of them that has ended."""
    return next((one for one in running if one.exit_code() is not None), None)


def _settle(keeper: Keeper, cpus: tuple[int, ...], quits: bool) -> None:  # noqa: FBT001 - by partial
    """In the child, before its program."""
    keeper.adopt_self(quits=quits)
    if cpus:
        os.sched_setaffinity(0, cpus)


def _close(*fds: int) -> None:
    for fd in set(fds) - {-1}:
        os.close(fd)


def child_environment(**variables: str) -> dict[str, str]:
    """The environment a child gets: a few variables of ours, and what is meant for it."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return kept | variables


def group_members(group: int) -> list[int]:
    """Process ids of a process group that are alive; zombies don't count."""
    members = []
    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError, psutil.Error):
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                members.append(process.pid)
    return members
