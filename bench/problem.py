"""What a person can do something about: one clear message, no traceback, its own exit status.

Every such message says what is wrong, where, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar

CELLS_FAILED = 1  # some cells failed or are invalid
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Problem(Exception):  # noqa: N818 - it is no error of ours, and people read the word
    """Stops the command; ``str(problem)`` is printed as it is."""

    exit_status: ClassVar[int]


class BadInput(Problem):
    """The configuration, an option or a recorded file is wrong."""

    exit_status = 2


class Lacking(Problem):
    """The machine or an installation is missing something."""

    exit_status = 3
