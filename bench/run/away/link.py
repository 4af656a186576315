"""One connection of the system's ssh to a load machine, and what goes over it.

ssh keeps the connection (`ControlMaster`), with the person's own keys, host checks and config;
commands and port forwardings then take one round trip each. Nothing is asked on the way: what would
need an answer fails, and says so.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.run.process import children
from bench.text import shown

if TYPE_CHECKING:
    from bench.run.process.children import Child, Keeper

CONNECT_S = 10.0
ASK_S = 10.0  # for what takes a round trip or two
ALIVE_S, ALIVE_TIMES = 2, 5  # so many unanswered signs of life, so far apart, and the line is dead
POLL_S = 0.02
# Whatever a config says of these is not for us.
OURS = (
    *("BatchMode=yes", "ClearAllForwardings=yes", "ControlPersist=no", "RemoteCommand=none"),
    *("ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no", "RequestTTY=no"),
    *(f"ServerAliveInterval={ALIVE_S}", f"ServerAliveCountMax={ALIVE_TIMES}"),
    f"ConnectTimeout={CONNECT_S:g}",
)


class Unreachable(Exception):  # noqa: N818 - a finding, not an error
    """A load machine can't be used; the text says why, for a person."""


@dataclass(slots=True)
class Link:
    """A connection to ``host``, which is named as ssh takes it."""

    host: str
    keeper: Keeper
    _folder: Path
    _child: Child
    _closed: bool = field(default=False)

    @property
    def pid(self) -> int:
        """Of the ssh that keeps it."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether ssh still has it; it takes some seconds to see that the other end is gone."""
        return self._child.exit_code() is None

    def argv(self, command: str) -> list[str]:
        """What runs a command there, in the person's login shell."""
        # Ours again: where the connection takes no more sessions ssh makes one by itself.
        return [*_ssh(self._folder), *_options(), "-T", "--", self.host, command]

    def forward(self, port: int) -> int:
        """Let a port there, on its loopback, lead to one here, on ours; gives that port.

        Raises:
            Unreachable: the machine allows none, or is gone.
        """
        done = self._control("forward", port)
        if done.returncode == 0 and done.stdout.strip().isdigit():
            return int(done.stdout)
        told = (
            f"it forwards no port ({_last(done.stderr) or 'nothing said'}): its sshd needs"
            " `AllowTcpForwarding` remote or yes"
        )
        raise Unreachable(told)

    def unforward(self, port: int) -> None:
        """Take that back."""
        if self.alive:
            with contextlib.suppress(Unreachable):
                self._control("cancel", port)

    def close(self) -> None:
        """End it, and with it whatever runs over it."""
        if self._closed:
            return
        self._closed = True
        self._child.stop(grace_s=0.5)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, what: str, port: int) -> subprocess.CompletedProcess[str]:
        way = f"127.0.0.1:0:127.0.0.1:{port}"
        argv = [*_ssh(self._folder), "-O", what, "-R", way, "--", self.host]
        try:
            return subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ASK_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unreachable(f"it has not answered for {ASK_S:g} s") from None


def connect(host: str, keeper: Keeper) -> Link:
    """Connect to a machine as ``ssh host`` would.

    Raises:
        Unreachable: ssh can't, with what it said.
    """
    program = shutil.which("ssh")
    if program is None:
        raise Unreachable("there is no `ssh` here: install an OpenSSH client")
    # Not below the run's folder: the name of a socket has 104 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="mx-"))
    keeper.remove_at_end(folder)
    log = folder / "log"
    child = None
    try:
        child = children.start(
            f"ssh to {host}",
            [program, "-M", "-N", "-S", str(folder / "s"), *_options(), "--", host],
            keeper=keeper,
            cwd=folder,
            env=_environment(),
            log=log,
        )
        _await(child, folder, host)
    except BaseException:
        if child is not None:
            child.stop(grace_s=0)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Link(host, keeper, folder, child)


def _await(child: Child, folder: Path, host: str) -> None:
    deadline = time.monotonic() + CONNECT_S + ASK_S
    while time.monotonic() < deadline:
        if child.exit_code() is not None:
            told = _last(child.log_tail()) or f"exit status {child.exit_code()}"
            raise Unreachable(f"ssh says: {told}; `ssh {host} true` must work without a question")
        if (folder / "s").exists() and _checks(folder, host):
            return
        time.sleep(POLL_S)
    raise Unreachable(f"ssh has no connection after {CONNECT_S + ASK_S:g} s")


def _checks(folder: Path, host: str) -> bool:
    argv = [*_ssh(folder), "-O", "check", "--", host]
    with contextlib.suppress(subprocess.TimeoutExpired):
        return subprocess.run(argv, capture_output=True, timeout=ASK_S, check=False).returncode == 0
    return False


def _ssh(folder: Path) -> list[str]:
    """Over the connection that is there, and no other."""
    return [shutil.which("ssh") or "ssh", "-S", str(folder / "s"), "-o", "ControlMaster=no",
            "-o", "BatchMode=yes"]  # fmt: skip


def _options() -> list[str]:
    return [part for option in OURS for part in ("-o", option)]


def _environment() -> dict[str, str]:
    """With the agent that holds the person's keys."""
    kept = {name: os.environ[name] for name in ("SSH_AUTH_SOCK", "USER", "LOGNAME")
            if name in os.environ}  # fmt: skip
    return children.child_environment(**kept)


def _last(said: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return shown(lines[-1], 200) if lines else ""
