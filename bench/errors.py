"""What a person can do something about: one clear message, no traceback, its own exit status.

Every such message says what is wrong, where, and what to do next.
"""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CELLS_FAILED = 1  # some cells failed or are invalid
BUG = 70  # as sysexits.h calls it: an internal software error
INTERRUPTED = 130  # 128 + SIGINT, as shells have it

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REMEDIES: Final = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in your quota",
    errno.EFBIG: "raise the limit on file sizes (`ulimit -f`)",
    errno.EACCES: "make it yours to write, or choose another `--output`",
    errno.EPERM: "make it yours to write, or choose another `--output`",
    errno.EROFS: "make that disk writable, or choose another `--output`",
}


class MatrixError(Exception):
    """Stops the command; ``str(problem)`` is printed as it is."""

    exit_status: ClassVar[int]


class BadInputError(MatrixError):
    """The configuration, an option or a recorded file is wrong."""

    exit_status = 2


class RequirementError(MatrixError):
    """The machine or an installation is missing something."""

    exit_status = 3


@contextlib.contextmanager
def named(folder: Path) -> Iterator[None]:
    """Says at least the folder where a disk is full and the system names no file."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or error.filename:
            raise
        raise OSError(error.errno, error.strerror, str(folder)) from error


def refused(error: OSError) -> str:
    """What to tell a person when the system refuses something: a full disk, a folder not theirs."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    remedy = _REMEDIES.get(error.errno or 0, "see to that")
    return (
        f"The system refused: {what}.\n"
        f"What was measured until now is kept, and no report is half replaced:"
        f" {remedy}, then give the same command again; it resumes there."
    )
