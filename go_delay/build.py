"""Finds a Go toolchain and builds the delay server with it, for nox's session ``go``.

Only the standard library, since it runs in nox's own Python.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).resolve().parent
LOCK = SOURCE.parent / "requirements" / "go.txt"
WORK = "work-"  # folders of builds under way, with the process id


class BuildError(Exception):
    """The delay server can't be built; ``str(error)`` says what, where and what next."""


class NoGoError(BuildError):
    """There is no Go toolchain here that can build it."""


def find_go(given: Path | None) -> Path:
    """The ``go`` program to build with: ``given``, else the first suitable one on PATH.

    Raises NoGoError where there is none, or ``given`` is not suitable: what was asked for is
    never silently replaced.
    """
    asks = re.search(r"^go (\d+)\.(\d+)", (SOURCE / "go.mod").read_text("utf-8"), re.MULTILINE)
    needed = (int(asks[1]), int(asks[2])) if asks else (1, 0)  # else `go build` will complain
    on_path = (shutil.which("go", path=folder) for folder in os.get_exec_path() if folder)
    problems = []
    for go in [given] if given else [Path(found) for found in on_path if found]:
        version = _version(go)
        has = re.match(r"go version .*?\bgo(\d+)\.(\d+)", version)
        if has and (int(has[1]), int(has[2])) >= needed:
            return go.absolute()
        problems.append(f"`{go} version` says {version!r}")
    raise NoGoError(
        f"{'; '.join(problems) or 'no `go` on PATH'}: the delay server in {SOURCE} needs Go "
        f"{needed[0]}.{needed[1]} or newer; `nox -s go` installs one where PATH has none"
    )


@functools.cache  # starting a Go toolchain takes a while, and finding and building both ask
def _version(go: Path) -> str:
    """What ``go version`` prints, the release and the platform it builds for; else why not."""
    try:
        done = subprocess.run(
            [go, "version"],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,  # a first start from a cold disk on a busy machine
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stderr if done.returncode else done.stdout).strip()


def _environment() -> dict[str, str]:
    """The toolchain's environment: a person's settings for other projects must not change it.

    Where caches are is theirs to say; the rest of Go's is fixed, and GOENV=off keeps ``go env -w``
    from bringing it back. No network: this has no dependencies, and a toolchain downloaded in
    passing would not be the one whose version was hashed.
    """
    theirs = {"GOCACHE", "GOPATH", "GOMODCACHE", "GOMAXPROCS"}
    dropped = {key for key in os.environ if key.startswith(("GO", "CGO_"))} - theirs
    env = {key: value for key, value in os.environ.items() if key not in dropped}
    fixed = {"GOENV": "off", "GOWORK": "off", "GOTOOLCHAIN": "local", "GOPROXY": "off"}
    return env | fixed | {"CGO_ENABLED": "0"}


def source_hash() -> str:
    """12 hex digits over all that is compiled."""
    sources = [path for path in SOURCE.glob("*.go") if not path.name.endswith("_test.go")]
    files = [SOURCE / "go.mod", *sorted(sources)]
    return _hash(*(part for path in files for part in (path.name.encode(), path.read_bytes())))


def _hash(*parts: bytes) -> str:
    # Lengths keep a byte moved from one part to the next from giving the same hash.
    return hashlib.sha256(b"".join(b"%d:" % len(part) + part for part in parts)).hexdigest()[:12]


def build(folder: Path, go: Path) -> Path:
    """Build the server with ``go`` unless ``folder`` has it, and return the program's path.

    However it ends, the program is there whole or not at all, and no compiler runs on.
    ``folder`` is absolute. Raises BuildError with the end of what the compiler said.
    """
    # What `go version` says ends with GOOS/GOARCH, which `_environment` leaves to the toolchain.
    binary = folder / f"delay-server-{_hash(_version(go).encode(), source_hash().encode())}"
    try:
        if not binary.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            # In that folder, since a rename must stay on one file system.
            prefix = f"{WORK}{os.getpid()}-"
            with (
                _ended_by_signals(),
                tempfile.TemporaryDirectory(
                    dir=folder, prefix=prefix, ignore_cleanup_errors=True
                ) as work,
            ):
                _compile(go, Path(work)).replace(binary)
    except OSError as error:
        raise BuildError(f"cannot build into {folder} with {go}: {error}; see to that") from error
    return binary


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the build as Ctrl-C does: with the compiler, and tidily."""

    def end(number: int, _: object) -> NoReturn:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sweep(folder: Path) -> None:
    """Remove what a killed build has left."""
    for left in folder.glob(f"{WORK}*"):
        pid = left.name.removeprefix(WORK).partition("-")[0]
        with contextlib.suppress(ValueError, PermissionError):  # no folder of ours, or another's
            try:
                os.kill(int(pid), 0)
            except ProcessLookupError:
                shutil.rmtree(left, ignore_errors=True)


def _compile(go: Path, work: Path) -> Path:
    """Run ``go build`` in a process group of its own; returns the program's path in ``work``."""
    target = work / "delay-server"
    with subprocess.Popen(
        # No version control stamp: it needs git, and the commit is no part of the hash.
        [go, "build", "-trimpath", "-buildvcs=false", "-o", target, "."],
        cwd=SOURCE,
        env=_environment() | {"GOTMPDIR": str(work)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate()[0].decode(errors="replace").splitlines()
        except BaseException:
            # Those that it started, too. macOS says PermissionError of a group of zombies.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise BuildError(
            f"`go build` of the delay server in {SOURCE} ended with status {process.returncode}; "
            f"correct the source or the toolchain ({go}) and run again. It said:\n"
            + ("\n".join(said[-20:]) or "(nothing)")
        )
    return target


def note(folder: Path, go: Path) -> dict[str, Any]:
    """Build, and what to note: the server's path, or the error, and what it is made of."""
    word = {"go": str(go), "source": source_hash()}
    try:
        server = build(folder, go)
    except BuildError as error:
        return word | {"server": None, "error": str(error)}
    return word | {"server": str(server), "error": None, "toolchain": _toolchain(go)}


def is_current(noted: Path) -> bool:
    """Whether the file has a ``note`` that would come out the same again; runs no program."""
    try:
        word = json.loads(noted.read_text("utf-8"))
        made_of = [source_hash(), _toolchain(Path(word["go"]))]
        return [word["source"], word["toolchain"]] == made_of and Path(word["server"]).is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _toolchain(go: Path) -> list[Any]:
    """What tells one toolchain from another without a start: the program, PATH's and the lock."""
    return [go.stat().st_size, go.stat().st_mtime_ns, shutil.which("go"), _hash(LOCK.read_bytes())]
