"""Starts of all cells, round about, until each is known well enough or the budget ends. Pure.

Nothing here looks at what was found, only at how well it is known.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.turns.judge import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.turns.model import Start

FIRST_GUESS_S = 12.0  # of a start
MOST_FAILURES = 2


@dataclass(slots=True)
class Progress:
    """Of one cell."""

    cell: str
    starts: list[Start] = field(default_factory=list)
    method: str | None = None  # None: it has not been tried
    why_trials: str | None = None  # why whole trials, if it is those
    failures: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """It is not tried again."""
        return len(self.failures) >= MOST_FAILURES

    def takes_s(self) -> float:
        """The next start, about."""
        if not self.starts:
            return FIRST_GUESS_S
        return max(start.took_s for start in self.starts[-3:])

    def open(self, threshold: float) -> bool:
        """It is not known well enough, and may yet be."""
        return not self.failed and len(self.starts) < needed(self.starts, threshold)


def run(
    cells: Sequence[Progress],
    start: Callable[[Progress], None],
    *,
    threshold: float,
    budget_s: float,
    clock: Callable[[], float],
    seed: int,
) -> None:
    """Start the open cells in turn, each round in another order, while the budget lasts.

    Args:
        cells: as far as they are; ``start`` carries one of them on.
        start: makes one start of a cell, and adds it or a failure to its progress.
        threshold: an effect that matters, 0.05 for 5 %; intervals go to half of it.
        budget_s: a start that would end later is not begun; each cell gets one all the same.
        clock: seconds.
        seed: of the orders.
    """
    began = clock()
    order = random.Random(seed)  # noqa: S311 - an order, no secret
    while todo := [cell for cell in cells if cell.open(threshold)]:
        order.shuffle(todo)
        before = [(len(cell.starts), len(cell.failures)) for cell in cells]
        for cell in todo:
            first = not cell.starts and not cell.failures
            if first or clock() - began + cell.takes_s() <= budget_s:
                start(cell)
        if before == [(len(cell.starts), len(cell.failures)) for cell in cells]:
            return
