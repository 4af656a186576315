"""A run on a terminal: a small region that is drawn over, with rich.

It is told of events and draws only then: no thread of its own.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from typing import TYPE_CHECKING

from rich.live import Live as Region
from rich.text import Text

from bench.analysis.rows import rows_of
from bench.estimate import declared_s
from bench.live import render, state
from bench.live.state import WINDOW
from bench.run.observer import Observer
from bench.run.process.interrupt import ENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from bench.live.state import State
    from bench.plan import Plan, PlannedTrial
    from bench.records.model import TrialRecord
    from bench.run.observer import Counts
    from bench.run.schedule import Progress

CALM_S = 0.9  # between two drawings in a window, where drawing would be measured


class Live(Observer):
    """A region at the bottom of the terminal, drawn anew at each event; nothing of it stays."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._region = Region(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._state: State | None = None
        self._plan: Plan | None = None
        self._records: list[TrialRecord] = []
        self._cores = 1
        self._drawn_s = 0.0

    def close(self) -> None:
        """Take the region away; whatever is printed next stands where it was."""
        self._state = None
        with self._drawing():
            self._region.stop()

    def say(self, line: str) -> None:
        """Above the region, where it stays."""
        with self._drawing():
            self._console.print(line, soft_wrap=True)

    def warn(self, line: str) -> None:
        """The same; to stderr if that is elsewhere."""
        if sys.stderr.isatty():
            self.say(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def opened(self, plan: Plan, records: Sequence[TrialRecord], cores: int) -> None:
        """From here on there is something to draw."""
        self._plan, self._records, self._cores = plan, [*records], cores
        self._state = state.begin(plan, declared_s(plan, cores))
        with self._drawing():
            self._region.start()
            # Never hidden, so that it is there whichever way this process ends.
            self._console.show_cursor(show=True)
        self._draw()

    def planned(self, trials: Sequence[PlannedTrial]) -> None:
        """The heading's."""
        self._to(lambda was: state.planned(was, trials))

    def begun(self, planned: PlannedTrial, progress: Progress) -> None:
        """Which trial."""
        self._to(lambda was: state.begun(was, planned, progress, self._clock()))

    def phase(self, name: str) -> None:
        """What it is at."""
        before = self._state
        self._to(lambda was: state.phase(was, name, self._clock()), draw=False)
        if before is not None and self._word(before) != self._word(self._state):
            self._draw()

    def window(self, length_s: float) -> None:
        """It opens."""
        self._to(lambda was: state.window(was, length_s, self._clock()))

    def counted(self, counts: Counts) -> None:
        """In the window less often than it comes, as drawing takes the core a moment."""
        calm = self._word(self._state) == WINDOW and self._clock() - self._drawn_s < CALM_S
        self._to(lambda was: state.counted(was, counts), draw=not calm)

    def ended(self, record: TrialRecord, progress: Progress) -> None:
        """With what its cell is known to be now."""
        self._records.append(record)
        if self._plan is None:
            return
        cells, precision = [record.cell], self._plan.profile.precision
        found = rows_of(cells, self._records, precision, self._cores)
        row = found[0] if found and not record.twin else None
        self._to(lambda was: state.ended(was, row, progress))

    def _to(self, change: Callable[[State], State], *, draw: bool = True) -> None:
        if self._state is not None:
            self._state = change(self._state)
            if draw:
                self._draw()

    @staticmethod
    def _word(now: State | None) -> str | None:
        return None if now is None or now.trial is None else now.trial.phase

    def _draw(self) -> None:
        if self._state is None:
            return
        self._drawn_s = self._clock()
        width, height = self._console.size
        drawn = Text(no_wrap=True, overflow="crop", end="")
        shown = render.render(self._state, self._drawn_s, width - 1, height)
        for number, line in enumerate(shown):
            drawn.append("\n" if number else "")
            for words, style in line:
                drawn.append(words, style or None)
        with self._drawing():
            self._region.update(drawn, refresh=True)

    @contextlib.contextmanager
    def _drawing(self) -> Iterator[None]:
        """Whole, or not at all: a signal waits until what is being written has been."""
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        try:
            yield
        except OSError:
            pass  # the terminal is gone: a run that nobody sees goes on all the same
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
