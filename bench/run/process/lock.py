"""One run at a time on a machine: two would spoil each other's numbers.

The lock is the kernel's (flock on a file), so it ends with its holder, however
that ends. What the file says serves the message alone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import psutil
from pydantic import Field, TypeAdapter, ValidationError

from bench import text
from bench.errors import RequirementError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Not in TMPDIR: that may differ from user to user, and the machine is one.
PATH = Path("/tmp/fastapi-matrix.lock")  # noqa: S108 - opened with care, see _open
MOST_BYTES = 16384
# No link is followed, no child inherits it, and a pipe in its place doesn't hang us.
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Holder:
    """Who measures: only ever shown to a person, never recorded."""

    command: str
    folder: str  # the checkout
    pid: Annotated[int, Field(gt=0, lt=2**31)]
    since: datetime

    def __str__(self) -> str:
        """As messages name it."""
        since = self.since.astimezone()
        today = since.date() == datetime.now().astimezone().date()
        shown = f"{since:%H:%M:%S}" if today else f"{since:%Y-%m-%d %H:%M}"
        return (
            f"`{text.line(self.command)}` in {text.line(self.folder)},"
            f" process {self.pid}, since {shown}"
        )


_HOLDER = TypeAdapter(Holder)


@contextlib.contextmanager
def hold(command: str, folder: Path) -> Iterator[None]:
    """Be the only one on this machine who measures.

    Raises:
        RequirementError: another run is measuring, or the lock's file can't be used.
    """
    fd = _take(_path())
    try:
        # A file that another user made may be read-only: that locks as well, but tells nobody.
        with contextlib.suppress(OSError):
            _write(fd, Holder(command, str(folder), os.getpid(), datetime.now(timezone.utc)))
        yield
    finally:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, 0)
        os.close(fd)


def seen() -> str | None:
    """Who is measuring on this machine now; None if nobody is.

    Raises:
        RequirementError: the lock's file can't be used.
    """
    path = _path()
    if not os.path.lexists(path):
        return None
    fd = _open(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _read(fd)
        return f"a run that {path} doesn't name" if holder is None else str(holder)
    else:
        return None
    finally:
        os.close(fd)


def _path() -> Path:
    """``MATRIX_LOCK`` for tests, and for the benchmark that runs a matrix of its own."""
    return Path(os.environ.get("MATRIX_LOCK", PATH))


def _take(path: Path) -> int:
    """The locked file's descriptor."""
    while True:
        fd = _open(path)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(fd)
            os.close(fd)
            raise RequirementError(_refusal(path, holder)) from None
        if os.fstat(fd).st_nlink:
            return fd
        os.close(fd)  # removed meanwhile: whoever comes next would lock another one


def _refusal(path: Path, holder: Holder | None) -> str:
    if holder is None:
        who, way = f", and {path} doesn't say which", f"find it with `lsof {path}`"
    else:
        who, way = f": {holder}", f"end it with `kill {holder.pid}`"
    return (
        f"Another run is measuring on this machine{who}."
        f" Two would spoil each other's numbers: wait for it, or {way}."
    )


def _open(path: Path) -> int:
    """Open the file, or make it; what others may have put in its place is refused."""
    try:
        fd = _open_or_make(path)
    except OSError as error:
        raise _unusable(path, error) from error
    status = os.fstat(fd)
    # One with a second name may be anybody's file, and it is written to.
    if stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
        return fd
    os.close(fd)
    raise _unusable(path, None)


def _open_or_make(path: Path) -> int:
    # Not made in the same step: in /tmp, O_CREAT on another user's file is refused
    # (fs.protected_regular).
    for access in (os.O_RDWR, os.O_RDONLY):
        with contextlib.suppress(PermissionError, FileNotFoundError):
            return os.open(path, _FLAGS | access)
    try:
        fd = os.open(path, _FLAGS | os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return os.open(path, _FLAGS | os.O_RDWR)  # just made by another, or not for us
    os.fchmod(fd, 0o666)  # despite the umask: the next user has to say who it is, too
    return fd


def _unusable(path: Path, error: OSError | None) -> RequirementError:
    if error is None:
        why = "it is no plain file of its own"
    elif error.errno == errno.ELOOP:
        why = "it is a symbolic link"
    else:
        why = str(error.strerror)
    return RequirementError(
        f"{path} keeps two runs from measuring at once, but can't be used: {why}."
        " Remove it, or ask whoever made it to."
    )


def _write(fd: int, holder: Holder) -> None:
    content = asdict(holder) | {"since": holder.since.isoformat(timespec="seconds")}
    os.ftruncate(fd, 0)
    os.pwrite(fd, json.dumps(content).encode(), 0)


def _read(fd: int) -> Holder | None:
    """Who holds it, unless that is half written, or left by a process that is no more."""
    try:
        holder = _HOLDER.validate_json(os.pread(fd, MOST_BYTES, 0))
    except ValidationError:
        return None
    return holder if psutil.pid_exists(holder.pid) else None
