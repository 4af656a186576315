"""Sleeping until an instant, to some hundredths of a millisecond, beside gevent's other greenlets.

gevent's loops round timers up to whole milliseconds, which an open load's lateness would be. A
timer of the kernel's (timerfd_create(2), Linux) makes its descriptor readable when it is due, and
a loop wakes for that at once. Elsewhere gevent's own sleep has to do.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time

import gevent
from gevent.socket import wait_read

CLOCK_MONOTONIC = 1
ABSOLUTE = 1  # TFD_TIMER_ABSTIME
NS_PER_S = 1_000_000_000


class _Instant(ctypes.Structure):
    """struct timespec."""

    _fields_ = (("seconds", ctypes.c_long), ("ns", ctypes.c_long))


class _Timer(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = (("interval", _Instant), ("due", _Instant))


class Alarm:
    """One greenlet's timer."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._fd = -1
        if self._libc is not None:
            self._fd = self._libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)

    def sleep_until(self, due_ns: int) -> None:
        """Until that instant of CLOCK_MONOTONIC; others run meanwhile, also if it is past."""
        pause_ns = due_ns - time.monotonic_ns()
        if pause_ns <= 0:
            gevent.sleep(0)
            return
        if self._libc is None or self._fd < 0:
            gevent.sleep(pause_ns / NS_PER_S)
            return
        seconds, ns = divmod(due_ns, NS_PER_S)
        timer = _Timer(_Instant(0, 0), _Instant(seconds, ns))
        self._libc.timerfd_settime(self._fd, ABSOLUTE, ctypes.byref(timer), None)
        wait_read(self._fd)
        os.read(self._fd, 8)
