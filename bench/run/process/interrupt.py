"""How a run is ended from outside: cleanly the first time, at once the second.

Ctrl-C, SIGTERM and a closed terminal are all the same to it; so is the death of
nox, which would otherwise leave a matrix measuring that nobody can see.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, NoReturn

import psutil

from bench.errors import INTERRUPTED

if TYPE_CHECKING:
    from types import FrameType

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_S = 0.5  # how often to see whether nox is still there


def arm() -> None:
    """The first of these signals raises KeyboardInterrupt, a second ends this process at once."""
    for number in ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _cleanly)


def end_with_nox() -> None:
    """End as on Ctrl-C when a nox that we run under has gone, however it went.

    A timer's signal rather than a thread: children are forked from this process.
    """
    above = [process for process in psutil.Process().parents() if _is_nox(process)]
    if not above:
        return

    def look(number: int, frame: FrameType | None) -> None:
        # Process objects know when their id was given to another since.
        if not all(process.is_running() for process in above):
            signal.setitimer(signal.ITIMER_REAL, 0)
            _cleanly(number, frame)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)


def disarm() -> None:
    """No more signals from the timer: Python's last act is to forget our handler of them."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _cleanly(number: int, frame: FrameType | None) -> NoReturn:
    """What runs is stopped on the way out: servers, generator, delay server."""
    for again in ENDS:
        if signal.getsignal(again) is _cleanly:
            signal.signal(again, _at_once)
    del number, frame
    raise KeyboardInterrupt


def _at_once(number: int, frame: FrameType | None) -> NoReturn:
    """The keeper kills what is left, as its pipe closes."""
    del number, frame
    os.write(2, b"stopped at once; what was measured is kept\n")
    os._exit(INTERRUPTED)


def _is_nox(process: psutil.Process) -> bool:
    """Its program is nox, or Python running nox; not a shell whose command line names it."""
    try:
        words = [os.path.basename(word) for word in process.cmdline()[:3]]  # noqa: PTH119
    except psutil.Error:
        return False
    return "nox" in words and not {"sh", "bash", "zsh", "dash"} & {*words[:1]}
