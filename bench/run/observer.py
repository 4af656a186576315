"""Who looks on while a run goes on: told of each step, it changes nothing of what is measured.

What a person sees of a run comes through here and nowhere else (``bench.live``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan import Plan, PlannedTrial
    from bench.records.model import TrialRecord
    from bench.run.schedule import Progress


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the users' requests since the trial's gate opened."""

    ns: int  # CLOCK_MONOTONIC, when they were counted
    started: int
    ended: int  # whatever became of them
    failed: int


class Observer:
    """Looks on and says nothing."""

    def say(self, line: str) -> None:
        """What is good to know."""

    def warn(self, line: str) -> None:
        """What must be known."""

    def opened(self, plan: Plan, records: Sequence[TrialRecord], cores: int) -> None:
        """A run begins, or goes on after these records, on so many cores."""

    def planned(self, trials: Sequence[PlannedTrial]) -> None:
        """The trials of a pass, before its first one."""

    def begun(self, planned: PlannedTrial, progress: Progress) -> None:
        """A trial begins."""

    def phase(self, name: str) -> None:
        """A step of a trial or a control begins, by its name in ``phases_s`` of a record."""

    def counted(self, counts: Counts) -> None:
        """The load generator has counted, about twice a second."""

    def window(self, length_s: float) -> None:
        """The window opens, and is so long."""

    def ended(self, record: TrialRecord, progress: Progress) -> None:
        """A trial has ended, and its record is kept."""


SILENT = Observer()
