"""What a person sees of a command: it runs on a pseudo-terminal with an emulator behind it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyte

from bench.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Seen:
    """After the command's end."""

    status: int
    screen: tuple[str, ...]  # its lines, without those that are empty at the end
    history: tuple[str, ...]  # the same, with what has scrolled away before
    cursor_hidden: bool
    raw: bytes


class Terminal:
    """A command on a terminal of so many columns and lines."""

    def __init__(
        self,
        words: Sequence[str | Path],
        *,
        columns: int = 100,
        lines: int = 30,
        cwd: Path = ROOT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.raw = b""
        self._screen = pyte.HistoryScreen(columns, lines, history=2000)
        self._stream = pyte.ByteStream(self._screen)
        self._master, ours = pty.openpty()
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name not in _DECIDING}
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=ours, stdout=ours, stderr=ours, cwd=cwd, start_new_session=True,
            env=kept | {"TERM": "xterm-256color"} | dict(environment or {}),
        )  # fmt: skip
        os.close(ours)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is on the screen now."""
        return _trimmed(self._screen.display)

    def until(self, seen: Callable[[Terminal], bool], timeout_s: float = 30.0) -> None:
        """Read until something is seen.

        Raises:
            AssertionError: it was not, in time; with what was.
        """
        deadline = time.monotonic() + timeout_s
        while not seen(self):
            if time.monotonic() > deadline or not self._read(0.1):
                shown = "\n".join(self.lines)
                raise AssertionError(f"not seen; the screen:\n{shown}")

    def close(self, timeout_s: float = 60.0) -> Seen:
        """Read to the command's end."""
        deadline = time.monotonic() + timeout_s
        try:
            while self._read(0.1):
                assert time.monotonic() < deadline, "\n".join(self.lines)
            status = self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self._master)
        before = [
            "".join(line[column].data for column in range(self._screen.columns))
            for line in self._screen.history.top
        ]
        return Seen(
            status,
            self.lines,
            _trimmed([*before, *self._screen.display]),
            self._screen.cursor.hidden,
            self.raw,
        )

    def _read(self, wait_s: float) -> bool:
        """Some more; False at the end."""
        if not select.select([self._master], [], [], wait_s)[0]:
            return True
        try:
            got = os.read(self._master, 65536)
        except OSError:  # Linux says so when nobody has the other end
            return False
        self.raw += got
        self._stream.feed(got)
        return bool(got)


_DECIDING = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE")


def _trimmed(lines: Sequence[str]) -> tuple[str, ...]:
    found = [line.rstrip() for line in lines]
    while found and not found[-1]:
        found.pop()
    return tuple(found)
