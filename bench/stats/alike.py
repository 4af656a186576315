"""Which parts of a group of cells have one spread, and which have each their own.

One spread over an experiment's worker counts is known twice as well as one for each, and mostly
they have it in common. But not always (measured: one shared client, 50 users: 33 to 243 requests/s
with one worker, 243 in each trial with two), and then the quiet part must not be told as wild.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.stats.lazy import scipy_special

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIFFER = (
    0.001  # p of "no difference", below which parts stand apart: a pool lost is an interval wider
)


def groups_alike(
    logs: Mapping[str, Sequence[float]], group_of: Mapping[str, str], part_of: Mapping[str, str]
) -> dict[str, str]:
    """The group of each cell, divided into its parts where their variances differ.

    By the F test of the widest against the narrowest part that have repeats, with Bonferroni's
    factor for the pairs that there are to choose from (Snedecor and Cochran, "Statistical
    Methods", 8th ed., 6.12 and 13.10).

    Args:
        logs: natural logarithms of each cell's trials.
        group_of: of each cell: its experiment.
        part_of: of each cell, within its group: its worker count.

    Returns:
        By cell: its group's name, or that and its part's.
    """
    squares: dict[str, dict[str, float]] = {}
    freedoms: dict[str, dict[str, int]] = {}
    for cell, values in logs.items():
        trials = np.asarray(values, dtype=np.float64)
        if trials.size > 1:
            group, part = group_of[cell], part_of[cell]
            found = squares.setdefault(group, {})
            known = freedoms.setdefault(group, {})
            found[part] = found.get(part, 0.0) + float(np.square(trials - trials.mean()).sum())
            known[part] = known.get(part, 0) + trials.size - 1
    apart = {group for group in squares if _differ(squares[group], freedoms[group])}
    return {
        cell: f"{group_of[cell]} {part_of[cell]}" if group_of[cell] in apart else group_of[cell]
        for cell in logs
    }


def _differ(squares: Mapping[str, float], freedoms: Mapping[str, int]) -> bool:
    """Whether the widest and the narrowest part do, beyond what chance makes of so many."""
    if len(squares) < 2:
        return False
    variances = {part: squares[part] / freedoms[part] for part in squares}
    wide = max(variances, key=lambda part: variances[part])
    narrow = min(variances, key=lambda part: variances[part])
    if variances[narrow] <= 0.0:
        return variances[wide] > 0.0
    ratio = variances[wide] / variances[narrow]
    beyond = float(scipy_special().fdtrc(freedoms[wide], freedoms[narrow], ratio))
    pairs = len(squares) * (len(squares) - 1)  # each either way round
    return beyond * pairs < DIFFER
