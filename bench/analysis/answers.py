"""Which cells an answer hangs on that isn't known well enough: by widths, for the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.effects import NARROW, contrasts, pairs
from bench.analysis.rows import rows_of
from bench.stats import combine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.analysis.effects import Contrast, Pair
    from bench.records.model import TrialRecord


def open_cells(
    cells: Sequence[str], trials: Sequence[TrialRecord], precision: float, cores: int
) -> tuple[str, ...]:
    """The cells of all answers whose interval isn't narrow yet.

    Of the pairs with one worker count, or of one experiment: whether pairs agree is not looked at,
    since that would be to look at what was found.
    """
    found = rows_of(cells, trials, precision, cores)
    wanted: dict[str, None] = {}
    for contrast in contrasts(found):
        for group in _groups(pairs(found, contrast), contrast):
            if combine([pair.effect for pair in group]).reach() > NARROW:
                wanted.update(dict.fromkeys(cell for pair in group for cell in pair.cells))
    return tuple(wanted)


def _groups(found: Sequence[Pair], contrast: Contrast) -> Iterable[Sequence[Pair]]:
    """As answers come apart most often."""
    axes = ("workers",) if contrast.axis == "endpoint" else ("endpoint", "io")
    groups: dict[tuple[str, ...], list[Pair]] = {}
    for pair in found:
        levels = dict(pair.axes)
        groups.setdefault(tuple(levels[axis] for axis in axes), []).append(pair)
    return groups.values()
