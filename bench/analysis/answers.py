"""Which cells an answer hangs on that isn't known well enough: by widths, for the scheduler."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.analysis.effects import SAME, contrasts, pairs
from bench.analysis.rows import rows_of
from bench.stats import combine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.model import TrialRecord


def open_cells(
    cells: Sequence[str], trials: Sequence[TrialRecord], precision: float, cores: int
) -> tuple[str, ...]:
    """The cells of all answers whose interval is wider than what is called no effect.

    Of all pairs of an answer together: whether they agree is not looked at, since that would be
    to look at what was found.
    """
    found = rows_of(cells, trials, precision, cores)
    wanted: dict[str, None] = {}
    for contrast in contrasts(found):
        compared = pairs(found, contrast)
        if compared and combine([p.effect for p in compared]).reach() > math.log1p(SAME):
            wanted.update(dict.fromkeys(cell for pair in compared for cell in pair.cells))
    return tuple(wanted)
