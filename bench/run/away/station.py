"""One load machine: made ready before the first trial, then asked for processes with users."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shlex
import socket
import tarfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.run.away.link import Link, Unreachable, connect
from bench.run.process import children
from bench.run.process.children import Child, Ended, Late
from bench.text import shown
from locustfiles import away, clocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.config import Machine
    from bench.run.process.children import Keeper

SETTLE_S = 30.0  # of a machine that has its environment;
MAKING_S = away.INSTALL_S + 60.0  # that makes it
APART_S = 2.0  # between two looks at its clock, at least
WRONG_RATE = 1e-3  # of a clock: so wrong would be every latency
HELD_S = 2.0 * away.SILENT_S  # until a connection of ours that was cut lets go
SESSIONS = 8  # of one connection; a usual sshd allows ten (MaxSessions)
PYTHONS = ("python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10")
# Reads the program from its standard input, and leaves there what is the program's.
_READ = (
    "import os, sys\n"
    "n, s = int(sys.argv[2]), b''\n"
    "while len(s) < n:\n"
    "    s += os.read(0, n - len(s)) or sys.exit(1)\n"
    "exec(compile(s, 'away.py', 'exec'))"
)
_SAYS = {
    away.NO_PYTHON: "has no Python 3.10 or newer: {told}",
    away.NO_ENVIRONMENT: "can't make the load generator's environment: {told}",
    away.NO_ROUTE: "can't reach {address}, where the servers listen: {told}",
    away.IN_USE: "is in use: {told}",
    away.NO_ROOM: "{told}",
}


@dataclass(frozen=True, slots=True)
class Part:
    """The load part: what a load machine runs, as one packed file."""

    digest: str
    packed: bytes
    theirs: Mapping[str, str]  # where the locustfiles of one's own lie in it


def load_part(root: Path, locustfiles: Sequence[str] = ()) -> Part:
    """Of this checkout as it stands, with locustfiles of one's own, each by itself.

    Raises:
        OSError: a file can't be read.
    """
    names = {one: f"theirs/{at}/{Path(one).name}" for at, one in enumerate(locustfiles)}
    ours = [*sorted((root / "locustfiles").glob("*.py")), root / "requirements" / "load.txt"]
    files = {path.relative_to(root).as_posix(): path for path in ours}
    files |= {name: Path(one) for one, name in names.items()}
    buffer, digest = io.BytesIO(), hashlib.sha256()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, path in files.items():
            data = path.read_bytes()
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return Part(digest.hexdigest()[:16], buffer.getvalue(), names)


@dataclass(frozen=True, slots=True)
class Way:
    """To the servers under test."""

    host: str
    port: int  # of something that answers, to try it


class Heart:
    """Gives the other end signs of life; a few bytes every few seconds."""

    def __init__(self, holder: Child) -> None:
        """Begin."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, args=(holder,), daemon=True)
        self._thread.start()

    def _beat(self, holder: Child) -> None:
        while not self._ended.wait(away.SILENT_S / 5):
            with contextlib.suppress(OSError):
                holder.say(b".")

    def stop(self) -> None:
        """End, and be gone before the pipe is closed, whose number may then be another file's."""
        self._ended.set()
        self._thread.join()


@dataclass(slots=True)
class Station:
    """A load machine that is ready."""

    label: str  # for records, which name no machine
    host: str  # as ssh takes it
    links: tuple[Link, ...]  # the first also forwards; several where there are many processes
    load: str  # folder of the load part, there
    python: str  # of its environment
    about: dict[str, Any]
    round_trip_ms: float  # over ssh
    _holder: Child
    _heart: Heart

    @property
    def gone(self) -> str | None:
        """Why it can't be used any more; None: as far as is known it can."""
        if not all(link.alive for link in self.links):
            return "the connection is lost"
        return None if self._holder.exit_code() is None else "it has given up on us"

    @property
    def pids(self) -> list[int]:
        """Of what stands here for it."""
        return [*(link.pid for link in self.links), self._holder.pid]

    @property
    def link(self) -> Link:
        """The one that forwards."""
        return self.links[0]

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        number: int,
        environment: Mapping[str, str],
        seconds: float,
        keeper: Keeper,
        log: Path,
    ) -> Child:
        """Start a process there, the ``number``-th of it; it ends when its child here does.

        What it is told, variables among it, goes through its standard input: arguments can be read
        by everybody on either machine.
        """
        child = children.start(
            f"{name} ({self.label})",
            self.links[(number + 1) // SESSIONS].argv(
                _command([self.python, f"{self.load}/locustfiles/away.py", "run"])
            ),
            keeper=keeper,
            cwd=log.parent,
            env=children.child_environment(),
            log=log,
            tells="stdout",
            hears=True,
        )
        asked = {"argv": list(argv), "environment": dict(environment), "seconds": seconds}
        child.say(json.dumps(asked).encode() + b"\n")
        return child

    def close(self) -> None:
        """Let it go."""
        self._heart.stop()
        self._holder.stop(grace_s=0)
        for link in self.links:
            link.close()


def settle(
    label: str,
    asked: Machine,
    *,
    part: Part,
    way: Way,
    keeper: Keeper,
    folder: Path,
    say: Callable[[str], None],
    again: bool = False,
) -> Station:
    """Connect to a machine, make it ready and keep it for this run.

    Args:
        label: for records.
        asked: the machine.
        part: what it is to run.
        way: that the requests will go.
        keeper: of the processes here.
        folder: for their logs.
        say: told what takes long.
        again: it was ours before: what is left there of us has to notice first.

    Raises:
        Unreachable: it can't be used; why.
    """
    with contextlib.ExitStack() as stack:
        links = []
        for _ in range(asked.processes // SESSIONS + 1):  # with one session for who holds it
            links.append(connect(asked.host, keeper))
            stack.callback(links[-1].close)
        ready, round_trip_ms = _made_ready(links[0], part, way, folder, label, say)
        links[0].forward(way.port)  # it lets us, or says now that it doesn't
        links[0].unforward(way.port)
        holder = _held(links[0], ready, folder, label, HELD_S if again else 0.0)
        stack.pop_all()
    return Station(
        *(label, asked.host, tuple(links), ready["load"], ready["python"], ready["about"]),
        round_trip_ms,
        holder,
        Heart(holder),
    )


def _held(
    link: Link, ready: Mapping[str, Any], folder: Path, label: str, patience_s: float
) -> Child:
    """Keep it for this run, tried for so long."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with contextlib.suppress(Unreachable):
            return _hold(link, ready, folder, label)
        time.sleep(1.0)
    return _hold(link, ready, folder, label)


def _made_ready(
    link: Link, part: Part, way: Way, folder: Path, label: str, say: Callable[[str], None]
) -> tuple[dict[str, Any], float]:
    """What it says of itself, and the smallest round trip, ms."""
    program = _source()
    asked = {
        "load": part.digest, "bytes": len(part.packed), "host": way.host, "port": way.port,
    }  # fmt: skip
    with _talk(link, _anypython(program), folder / f"{label.replace(' ', '-')}.log") as child:
        child.say(program + json.dumps(asked).encode() + b"\n" + part.packed)
        told = _next(child, SETTLE_S, way)
        if told["event"] == "making":
            say(f"{label}: making the load generator's environment, on Python {told['version']}")
            told = _next(child, MAKING_S, way)
        first = _clock(child)
        time.sleep(APART_S)
        last = _clock(child)
    fast, error = clocks.rate(first, last)
    if abs(fast) > WRONG_RATE + error:
        raise Unreachable(
            f"its clock runs {abs(fast):.2%} {'fast' if fast > 0 else 'slow'} against this"
            " machine's, and so would be every latency that it measures: mend its time service"
            f" (or this machine's), so that both agree to {WRONG_RATE:.1%}"
        )
    return told, 2 * min(first.bound_ns, last.bound_ns) / 1e6


def _hold(link: Link, ready: Mapping[str, Any], folder: Path, label: str) -> Child:
    """Keep it for this run."""
    argv = [ready["python"], f"{ready['load']}/locustfiles/away.py", "hold"]
    log = folder / f"{label.replace(' ', '-')}-held.log"
    child = _start(link, _command(argv), log)
    try:
        child.say(b"{}\n")
        _next(child, SETTLE_S, None)
    except BaseException:
        child.stop(grace_s=0)
        raise
    return child


def _clock(child: Child) -> clocks.Offset:
    exchanges = []
    try:
        for _ in range(clocks.EXCHANGES):
            asked_ns = time.monotonic_ns()
            child.say(b"\n")
            told = child.event(SETTLE_S)
            exchanges.append((asked_ns, int(told["ns"]), time.monotonic_ns()))
    except (Late, Ended, KeyError, ValueError):
        raise Unreachable("it stopped answering while its clock was looked at") from None
    return clocks.offset(exchanges)


def _next(child: Child, patience_s: float, way: Way | None) -> dict[str, Any]:
    """What it tells next.

    Raises:
        Unreachable: a trouble, or nothing.
    """
    try:
        told = child.event(patience_s)
    except Late:
        raise Unreachable(f"it has not answered for {patience_s:g} s") from None
    except Ended:
        said = child.log_tail().splitlines()
        told = {"event": "trouble", "told": shown(said[-1], 200) if said else "it said nothing"}
    if told.get("event") != "trouble":
        return told
    status = _status(child)
    address = "" if way is None else f"{way.host}:{way.port}"
    says = _SAYS.get(status, "can't be used: {told}")
    raise Unreachable(says.format(told=shown(str(told.get("told")), 600), address=address))


def _status(child: Child) -> int:
    deadline = time.monotonic() + 2.0
    while (status := child.exit_code()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return -1 if status is None else status


@contextlib.contextmanager
def _talk(link: Link, command: str, log: Path) -> Iterator[Child]:
    child = _start(link, command, log)
    try:
        yield child
    finally:
        child.stop(grace_s=0)


def _start(link: Link, command: str, log: Path) -> Child:
    return children.start(
        f"ssh to {link.host}",
        link.argv(command),
        keeper=link.keeper,
        cwd=log.parent,
        env=children.child_environment(),
        log=log,
        tells="stdout",
        hears=True,
    )


def _source() -> bytes:
    with open(away.__file__, "rb") as file:  # noqa: PTH123 - bytes of a module
        return file.read()


def _anypython(program: bytes) -> str:
    """The first Python there that is new enough reads the program; else which one it has."""
    run = shlex.join(["-c", _READ, "settle", str(len(program))])
    old = "import sys; sys.exit(sys.version_info < (3, 10))"
    none = json.dumps({"event": "trouble", "told": "its python3 is VERSION"})
    script = (
        f"for p in {' '.join(PYTHONS)}; do"
        f' if "$p" -c {shlex.quote(old)} 2>/dev/null; then exec "$p" {run}; fi; done;'
        " v=$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null);"
        f' echo {shlex.quote(none)} | sed "s/VERSION/${{v:-missing}}/";'
        f" exit {away.NO_PYTHON}"
    )
    return _command(["/bin/sh", "-c", script])


def _command(argv: Sequence[str]) -> str:
    """For the login shell there, whichever it is."""
    return "exec " + shlex.join(argv)


def listen(host: str) -> socket.socket:
    """Something that answers at the address where the servers will.

    Raises:
        OSError: it is no address of this machine.
    """
    found = socket.create_server((host, 0), backlog=16)
    threading.Thread(target=_answer, args=(found,), daemon=True).start()
    return found


def _answer(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # closed
            return
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"1")
