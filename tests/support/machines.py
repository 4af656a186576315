"""Load machines for tests: network namespaces, each with a real sshd, a line, and a clock at will.

They share this machine's files and its clock; what they have of their own is their network, so the
only ways to them are their line and ssh over it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTEN = "10.98.0.1"  # where servers listen; the machines have a way to it
NET = "10.98.{}.{}"
RELAYED_S = 0.02  # that a relay holds each packet for
REQUIRED = "MATRIX_REQUIRE_MACHINES"


def lacking() -> str | None:
    """Why there can be no such machines here."""
    if sys.platform != "linux" or os.geteuid():
        return "network namespaces take root on Linux"
    for program in ("ip", "sshd", "ssh", "ssh-keygen"):
        if _program(program) is None:
            return f"there is no {program} (Debian: openssh-server, openssh-client, iproute2)"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    done = subprocess.run([tool("ip"), "netns", "add", "mxtry"], capture_output=True, check=False)
    if done.returncode:
        return f"no network namespace can be made: {done.stderr.decode().strip()}"
    subprocess.run([tool("ip"), "netns", "del", "mxtry"], check=True)
    return None


def tool(name: str) -> str:
    """Where a program is."""
    found = _program(name)
    assert found is not None, f"no {name}"
    return found


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@dataclass(slots=True)
class Machine:
    """One; ``name`` is what ssh calls it."""

    name: str
    number: int
    folder: Path
    sshd: subprocess.Popen[bytes] | None = None
    relay: subprocess.Popen[str] | None = None
    variables: dict[str, str] = field(default_factory=dict)  # that its sessions have
    lines: list[str] = field(default_factory=list)  # of its sshd's configuration

    @property
    def namespace(self) -> str:
        """Its network."""
        return f"mx{self.number}"

    @property
    def address(self) -> str:
        """At its end of the line."""
        return NET.format(self.number, 2)

    def processes(self) -> list[psutil.Process]:
        """That run there, but for sshd's own."""
        done = subprocess.run(
            [tool("ip"), "netns", "pids", self.namespace],
            capture_output=True,
            text=True,
            check=False,
        )
        found = []
        for pid in done.stdout.split():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(int(pid))
                of_the_line = self.relay is not None and process.pid == self.relay.pid
                if not (of_the_line or process.name().startswith("sshd")):
                    found.append(process)
        return found

    def workers(self) -> list[psutil.Process]:
        """Processes of a load generator there, in the order of their parts."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if "locust" in process.cmdline() and "--worker" in process.cmdline():
                    found.append((int(process.environ()["MATRIX_PART"]), process))
        return [process for _, process in sorted(found, key=lambda one: one[0])]

    def listening(self) -> list[str]:
        """Addresses at which anything listens there."""
        done = self.run("ss", "-Htln")
        return [line.split()[3] for line in done.splitlines()]

    def run(self, *argv: str) -> str:
        """A command in its network."""
        return subprocess.run(
            [tool("ip"), "netns", "exec", self.namespace, *argv],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def link(self, state: str) -> None:
        """Set its line up or down."""
        self.run("ip", "link", "set", self.namespace, state)

    def say(self, text: str) -> None:
        """To the relay, if its line is one."""
        pipe: IO[str] | None = self.relay.stdin if self.relay else None
        assert pipe is not None
        pipe.write(text + "\n")
        pipe.flush()

    def start_sshd(self) -> None:
        """With the variables of the moment."""
        config = self.folder / f"{self.name}.sshd"
        set_env = " ".join(f'"{key}={value}"' for key, value in self.variables.items())
        config.write_text(
            f"ListenAddress {self.address}\n"
            f"HostKey {self.folder}/host_key\n"
            f"AuthorizedKeysFile {self.folder}/user_key.pub\n"
            "StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
            "PasswordAuthentication no\nPidFile none\nAcceptEnv none\n"
            + (f"SetEnv {set_env}\n" if set_env else "")
            + "".join(f"{line}\n" for line in self.lines),
            encoding="utf-8",
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        inside = [tool("ip"), "netns", "exec", self.namespace]
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.sshd = subprocess.Popen(
                [*inside, tool("sshd"), "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        deadline = time.monotonic() + 10
        while f"{self.address}:22" not in self.listening():
            assert time.monotonic() < deadline, "sshd does not listen"
            time.sleep(0.02)

    def restart_sshd(self) -> None:
        """With other variables, or other lines."""
        self.stop_sshd()
        self.start_sshd()

    def finds(self, folder: Path) -> None:
        """Let its sessions find programs in that folder first, whatever its shell would do."""
        command = self.folder / f"{self.name}.command"
        command.write_text(
            f'#!/bin/sh\nPATH={folder}:/usr/bin:/bin exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n',
            encoding="utf-8",
        )
        command.chmod(0o755)
        self.lines = [f"ForceCommand {command}"]
        self.restart_sshd()

    def stop_sshd(self) -> None:
        """It, and every session of it."""
        if self.sshd is None:
            return
        found = [psutil.Process(self.sshd.pid)]
        with contextlib.suppress(psutil.Error):
            found += found[0].children(recursive=True)
        for process in reversed(found):
            with contextlib.suppress(psutil.Error):
                if process.name().startswith("sshd") or process.pid == self.sshd.pid:
                    process.kill()
        self.sshd.wait()
        self.sshd = None


def _ip(*argv: str) -> None:
    subprocess.run([tool("ip"), *argv], check=True, capture_output=True)


@contextlib.contextmanager
def machines(folder: Path, count: int, *, relayed: tuple[int, ...] = ()) -> Iterator[list[Machine]]:
    """So many, ``load1`` and so on; the line of those of these numbers is a relay.

    While they are there, ``ssh`` on PATH knows them, and keys to them.
    """
    for name in ("host_key", "user_key"):
        subprocess.run(
            [tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)],
            check=True,
        )
    found = [Machine(f"load{number}", number, folder) for number in range(1, count + 1)]
    for machine in found:
        _clear(machine)  # of a test run that was killed
    _tried("addr", "del", f"{LISTEN}/32", "dev", "lo")
    with contextlib.ExitStack() as stack:
        _ip("addr", "add", f"{LISTEN}/32", "dev", "lo")
        stack.callback(_ip, "addr", "del", f"{LISTEN}/32", "dev", "lo")
        for machine in found:
            stack.enter_context(_networked(machine, relayed=machine.number in relayed))
            machine.start_sshd()
            stack.callback(machine.stop_sshd)
        stack.enter_context(_ssh_knows(folder, found))
        yield found


def _tried(*argv: str) -> None:
    subprocess.run([tool("ip"), *argv], check=False, capture_output=True)


def _clear(machine: Machine) -> None:
    """Whatever there is of its network, and runs there."""
    done = subprocess.run(
        [tool("ip"), "netns", "pids", machine.namespace],
        capture_output=True,
        text=True,
        check=False,
    )
    for pid in done.stdout.split():
        with contextlib.suppress(psutil.Error):
            psutil.Process(int(pid)).kill()
    _tried("link", "del", f"{machine.namespace}h")
    _tried("netns", "del", machine.namespace)


@contextlib.contextmanager
def _networked(machine: Machine, *, relayed: bool) -> Iterator[None]:
    here, there, name = NET.format(machine.number, 1), machine.address, machine.namespace
    inside = ("-n", name)
    _ip("netns", "add", name)
    try:
        _ip(*inside, "link", "set", "lo", "up")
        if relayed:
            relay = [sys.executable, str(Path(__file__).with_name("relay.py"))]
            machine.relay = subprocess.Popen(
                [*relay, name, name, here, there],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert machine.relay.stdout is not None
            assert machine.relay.stdout.readline() == "ready\n"
        else:
            _ip("link", "add", f"{name}h", "type", "veth", "peer", "name", name, "netns", name)
            _ip("addr", "add", f"{here}/24", "dev", f"{name}h")
            _ip("link", "set", f"{name}h", "up")
            _ip(*inside, "addr", "add", f"{there}/24", "dev", name)
            _ip(*inside, "link", "set", name, "up")
        _ip(*inside, "route", "add", f"{LISTEN}/32", "via", here)
        yield
    finally:
        if machine.relay is not None and machine.relay.stdin is not None:
            machine.relay.stdin.close()
            machine.relay.wait(5)
            if machine.relay.stdout is not None:
                machine.relay.stdout.close()
        _clear(machine)


@contextlib.contextmanager
def _ssh_knows(folder: Path, found: list[Machine]) -> Iterator[None]:
    """The person's config, in which they are known; a config in a file of its own takes ``-F``."""
    hosts = "\n".join(f"Host {one.name}\n  HostName {one.address}\n" for one in found)
    config = folder / "config"
    # What a person's config may say, and is not for us.
    hosts += "Host load3\n  RemoteCommand false\n  RequestTTY force\n  ForwardAgent yes\n"
    config.write_text(
        f"{hosts}Host *\n  User root\n  IdentityFile {folder}/user_key\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known\n  StrictHostKeyChecking yes\n",
        encoding="utf-8",
    )
    key = (folder / "host_key.pub").read_text(encoding="utf-8")
    known = "".join(f"{one.address} {key}" for one in found)
    (folder / "known").write_text(known, encoding="utf-8")
    programs = folder / "bin"
    programs.mkdir()
    wrapper = programs / "ssh"
    wrapper.write_text(
        f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n', encoding="utf-8"
    )
    wrapper.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        yield


def made(cache: Path, machine: Machine) -> None:
    """Make the load generator's environment where machines look for it: they reach no index."""
    done = subprocess.run(
        [tool("ssh"), machine.name, "python3 -c 'import sys; print(sys.executable)'"],
        capture_output=True,
        text=True,
        check=True,
    )
    root = Path(__file__).resolve().parent.parent.parent
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from locustfiles import away; home = away.cache(); home.mkdir(parents=True);"
        "away.environment(home, Path(sys.argv[2]))"
    )
    subprocess.run(
        [done.stdout.strip(), "-c", code, str(root), str(root / "requirements" / "load.txt")],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        check=True,
        timeout=600,
    )
