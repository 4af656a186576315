"""Who shows a run to a person: the one place that writes to the console while it goes on.

On a terminal it is a small region that is drawn over (`bench.live.terminal`), elsewhere a line a
trial.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from bench.records.model import Outcome
from bench.report import lines
from bench.run.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from bench.plan import Plan
    from bench.records.model import TrialRecord
    from bench.run.schedule import Progress

FEWEST_COLUMNS, FEWEST_LINES = 40, 8


@contextlib.contextmanager
def display(*, quiet: bool) -> Iterator[Observer]:
    """Shows a run as long as the context lasts; the console is as it was afterwards."""
    console = None if quiet else _terminal()
    if console is None:
        yield Plain(quiet=quiet)
        return
    from bench.live.terminal import Live  # noqa: PLC0415 - rich isn't needed elsewhere

    live = Live(console)
    try:
        yield live
    finally:
        live.close()


def _terminal() -> Console | None:
    """The console, if a person sees it and it can be drawn over."""
    if os.environ.get("CI") or not sys.stdout.isatty():
        return None
    from rich.console import Console  # noqa: PLC0415 - rich isn't needed elsewhere

    console = Console(highlight=False, markup=False, emoji=False)
    width, height = console.size
    fits = width >= FEWEST_COLUMNS and height >= FEWEST_LINES
    return console if console.is_terminal and not console.is_dumb_terminal and fits else None


class Plain(Observer):
    """A line a trial; quiet: only of those that have no numbers."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._plan: Plan | None = None
        self._cores = 1

    def say(self, line: str) -> None:
        """To stdout."""
        if not self._quiet:
            print(line, flush=True)

    def warn(self, line: str) -> None:
        """To stderr."""
        print(line, file=sys.stderr, flush=True)

    def opened(self, plan: Plan, records: Sequence[TrialRecord], cores: int) -> None:
        """What its lines are made with."""
        del records
        self._plan, self._cores = plan, cores

    def ended(self, record: TrialRecord, progress: Progress) -> None:
        """Where in the run, its rate and why."""
        if self._plan is None:
            return
        place = lines.place(record, self._plan, progress.done, progress.spent_s)
        told = lines.trial_line(record, place, self._cores)
        if record.outcome is Outcome.MEASURED:
            self.say(told)
        elif self._quiet:
            self.warn(told)
        else:
            self.say(told)
