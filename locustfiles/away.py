"""On a load machine: what the harness starts there, through ssh. Standard library alone.

``settle`` takes the load part, makes its environment, and tries the way to the servers. ``hold``
keeps the machine for one run as long as that gives signs of life. ``run`` is one process with
users: it is given what to do on standard input, and ends, with all it has started and written, when
that closes: so nothing stays when the harness, ssh or the line goes.

What it tells is one line of JSON on standard output.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import platform
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CACHE = "fastapi-matrix"  # below ~/.cache
CONNECT_S = 5.0
INSTALL_S = 900.0
SILENT_S = 10.0  # without a sign of life of who holds the machine
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE")
PR_SET_PDEATHSIG = 1
# Exit statuses, beside 1 for whatever nobody thought of.
NO_PYTHON, NO_ENVIRONMENT, NO_ROUTE, IN_USE, NO_ROOM = 61, 62, 63, 64, 65


class Trouble(Exception):  # noqa: N818 - becomes a line for a person
    """Why this machine can't be used."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status = status


def tell(**facts: object) -> None:
    """One line of JSON to the harness."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def cache() -> Path:
    """Where load parts and environments are kept from one run to the next."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / CACHE


# -- settle


def settle(asked: dict[str, Any], packed: bytes) -> None:
    """Make ready, and say what machine this is; then say what time it is, as often as asked."""
    try:
        home = cache()
        home.mkdir(parents=True, exist_ok=True)
        with (home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be making the same
            load = unpacked(home, asked["load"], packed)
            python = environment(home, load / "requirements" / "load.txt")
    except OSError as error:
        told = f"no room or no right for {home}: {error.strerror or error}"
        raise Trouble(NO_ROOM, told) from error
    _try(asked["host"], asked["port"])
    tell(event="ready", load=str(load), python=str(python), about=about(python))
    for _ in sys.stdin.buffer:
        tell(ns=time.monotonic_ns())


def unpacked(home: Path, digest: str, packed: bytes) -> Path:
    """The load part of that digest."""
    folder = home / f"load-{digest}"
    if folder.is_dir():
        return folder
    draft = Path(tempfile.mkdtemp(prefix=".load-", dir=home))
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                name = Path(member.name)
                source = archive.extractfile(member)
                if not member.isreg() or name.is_absolute() or ".." in name.parts or not source:
                    raise Trouble(1, f"the load part holds {member.name}, which is no file of it")
                target = draft / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read())
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def environment(home: Path, lock: Path) -> Path:
    """Its Python; made where there is none of this lock file and this Python."""
    asked = lock.read_bytes() + sys.version.encode() + sys.executable.encode()
    folder = home / f"env-{hashlib.sha256(asked).hexdigest()[:16]}"
    python = folder / "bin" / "python"
    if (folder / "whole").is_file():
        return python
    tell(event="making", version=platform.python_version())
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _do("make an environment", [sys.executable, "-m", "venv", str(folder)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        patience = ["--retries", "1", "--timeout", "10", "--no-input"]
        _do("install", [*pip, *patience, "--require-hashes", "-r", str(lock)])
        (folder / "whole").touch()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return python


def _do(what: str, argv: list[str]) -> None:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INSTALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Trouble(NO_ENVIRONMENT, f"it took over {INSTALL_S:g} s to {what}") from None
    if done.returncode:
        raise Trouble(NO_ENVIRONMENT, why(what, done.stdout.decode(errors="replace")))


def why(what: str, said: str) -> str:
    """What venv or pip said, in one line that tells a person what is missing."""
    unreached = re.findall(r"(?:NewConnectionError|ConnectTimeoutError)\(.*?: ([^':]+)'\)", said)
    if unreached or "Connection to" in said:
        reason = f" ({unreached[-1]})" if unreached else ""
        return (
            f"it reaches no package index{reason}: give it one (pip's own settings are heeded),"
            " for the first time alone"
        )
    if "ensurepip is not available" in said:
        return "its Python makes no environments: install python3-venv there"
    lines = [line.strip() for line in said.splitlines()]
    telling = [line for line in lines if line.startswith(("ERROR", "Error"))] or lines
    return f"could not {what}: {' '.join(one for one in telling[-2:] if one)[-400:]}"


def _try(host: str, port: int) -> None:
    """The way that the requests will go."""
    try:
        with socket.create_connection((host, port), timeout=CONNECT_S) as connection:
            connection.settimeout(CONNECT_S)
            answer = connection.recv(1)
    except TimeoutError:
        raise Trouble(NO_ROUTE, f"no answer in {CONNECT_S:g} s: is there a firewall?") from None
    except OSError as error:
        raise Trouble(NO_ROUTE, f"{error.strerror or error}") from None
    if answer != b"1":
        raise Trouble(NO_ROUTE, "something else answers there")


def about(python: Path) -> dict[str, object]:
    """The machine, without its name."""
    cpu = None
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    ask = "import importlib.metadata as m, json; print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}))"  # noqa: E501
    done = subprocess.run([str(python), "-I", "-c", ask], capture_output=True, check=True)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "cores": usable,
        "cpu": cpu or platform.processor() or platform.machine(),
        "kernel": f"{platform.system()} {platform.release()}",
        "packages": dict(sorted(json.loads(done.stdout).items())),
    }


# -- hold


def hold() -> None:
    """Keep the machine for one run, which is to say something every few seconds.

    Raises:
        Trouble: another run has it.
    """
    with _only_one():
        tell(event="held")
        while select.select([0], [], [], SILENT_S)[0]:
            if not os.read(0, 4096):
                return
        _hang_up()


def _hang_up() -> None:
    """The line is dead, of which its sshd may know nothing for hours: end it, and what it forwards.

    It is this process's parent, and this person's: nobody else's connection.
    """
    parent = os.getppid()
    with contextlib.suppress(OSError):
        if Path(f"/proc/{parent}/comm").read_text(encoding="utf-8").startswith("sshd"):
            os.kill(parent, signal.SIGTERM)


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """A name in the kernel goes with its process, however that ends; else a locked file."""
    with contextlib.ExitStack() as stack:
        try:
            if platform.system() == "Linux":
                name = stack.enter_context(socket.socket(socket.AF_UNIX))
                name.bind("\0" + os.environ.get("MATRIX_HELD", f"{CACHE}-load"))
            else:
                file = stack.enter_context((cache() / "held").open("a"))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Trouble(IN_USE, "another run uses it") from None
        yield


# -- run


def run(asked: dict[str, Any]) -> int:
    """One process with users, in a folder of its own, for so many seconds at most."""
    try:
        folder = tempfile.mkdtemp(prefix=f"{CACHE}-")
    except OSError as error:
        raise Trouble(NO_ROOM, f"no room for the records: {error.strerror}") from None
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    child = None
    try:
        child = subprocess.Popen(
            [sys.executable, *asked["argv"]],
            cwd=Path(__file__).resolve().parent.parent,
            env=environment | asked["environment"] | {"MATRIX_TRIAL_DIR": folder},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - there are no threads here
        )
        return _until_done(child, time.monotonic() + asked["seconds"])
    finally:
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _leave(*_: object) -> None:
    raise SystemExit(1)


def _die_with(parent: int) -> Callable[[], None]:
    """What a child does first, so as to be killed when its parent is; or to end, if that was."""
    prctl = None
    if platform.system() == "Linux":
        import ctypes  # noqa: PLC0415 - there is none everywhere

        prctl = ctypes.CDLL(None).prctl

    def agree() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return agree


def _until_done(child: subprocess.Popen[bytes], deadline: float) -> int:
    while time.monotonic() < deadline:
        if (status := child.poll()) is not None:
            return status
        if select.select([0], [], [], 0.1)[0] and not os.read(0, 4096):
            return 1  # nobody wants it any more
    sys.stderr.write("the load took longer than it may\n")
    return 1


def main(source: IO[bytes], verb: str) -> int:
    """One line of JSON says what is wanted; what else there is follows it, byte for byte."""
    asked = json.loads(_line(source))
    try:
        if verb == "settle":
            settle(asked, _exactly(source, asked["bytes"]))
        elif verb == "hold":
            hold()
        else:
            return run(asked)
    except Trouble as trouble:
        if verb == "run":  # its log is all that is looked at
            sys.stderr.write(f"{trouble}\n")
        tell(event="trouble", told=str(trouble))
        return trouble.status
    return 0


def _line(source: IO[bytes]) -> bytes:
    """Unbuffered: what follows is for ``select``."""
    line = b""
    while not line.endswith(b"\n"):
        more = source.read(1)
        if not more:
            break
        line += more
    return line


def _exactly(source: IO[bytes], count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = source.read(count - len(found))
        if not more:
            raise Trouble(1, "the load part arrived cut off")
        found += more
    return found


if __name__ == "__main__":
    with open(0, "rb", buffering=0, closefd=False) as standard_input:
        sys.exit(main(standard_input, sys.argv[1]))
