"""What trials would have read, had the machine been as fast as usual: a control variate.

Beside each trial goes a clock, what a piece of work that is always the same costs meanwhile. Where
a cell's figure follows it from trial to trial, most of what its trials differ by is the machine's
doing and can be taken out: regression on a control variate (Lavenberg and Welch, "A perspective on
the use of control variables to increase the efficiency of Monte Carlo simulations", Management
Science 27, 1981), here with one slope for all cells of a run, as in the analysis of covariance
(Cochran, Biometrics 13, 1957).

The clock itself is slower beside one cell than beside another (they share caches with it), so a
cell's mean clock tells of the machine only in part: how large a part, the run's cells tell together
(a random effect of each cell, estimated as in Henderson, Biometrics 9, 1953), and what that leaves
open stands in the error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.moderation import fit_prior, moderate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LEAST = 2  # cells
FEWEST = 10  # degrees of freedom, to know a slope by
# How much more of its variance over n a normal distribution's median has than its mean: pi/2 - 1.
_MEDIANS_MORE = 0.571
_ROUNDS = 5  # of weighting; the weights hardly change after three
_LEAST = 1e-12  # a variance: a millionth, in deviations, is none


@dataclass(frozen=True, slots=True)
class Pairs:
    """The logarithms of one cell's trials: of the figure, and of the clock's cost; both (n,)."""

    group: str  # cells whose trials differ alike
    figures: NDArray[np.float64]
    clock: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Corrected:
    """Of one cell: what to add to each trial's logarithm, shape (n,), and to the mean's error.

    Both are standard errors of the mean shift: its own, and what all cells of the run have alike.
    """

    shifts: NDArray[np.float64]
    own_error: float
    common_error: float


@dataclass(frozen=True, slots=True)
class Control:
    """How the figures of a run's cells follow the clock.

    ``slope``: of the figure's logarithm on the clock's. ``middle``: the clock's mean over the
    cells. ``usual``: the clock in the median trial; that the machine is slow at times doesn't move
    it much. ``within`` and ``between``: the clock's variances from trial to trial of a cell, and
    from one cell to the next beyond that, as far as may well be. The errors are standard errors.
    """

    slope: float
    slope_error: float
    middle: float
    middle_error: float
    usual: float
    usual_error: float
    within: float
    between: float

    def correct(self, clock: Sequence[float]) -> Corrected:
        """Of one cell, by the logarithms of what the clock's work cost in its trials."""
        found = np.asarray(clock, dtype=np.float64)
        speeds = found - self.of_cell(found)
        known = self._known(found.size)
        left = self.within / found.size * (1.0 - known) + (known * self.middle_error) ** 2
        far = float(speeds.mean()) - self.usual
        return Corrected(
            shifts=-self.slope * (speeds - self.usual),
            own_error=float(np.sqrt(self.slope**2 * left + (self.slope_error * far) ** 2)),
            common_error=abs(self.slope) * self.usual_error,
        )

    def of_cell(self, clock: NDArray[np.float64]) -> float:
        """What the clock is slower beside this cell, most likely, whatever the machine does."""
        return (1.0 - self._known(clock.size)) * (float(clock.mean()) - self.middle)

    def _known(self, trials: int) -> float:
        """How much of a cell's mean clock is the machine's doing, as a share of its variance."""
        ours = self.within / trials
        return ours / (ours + self.between) if ours > 0.0 else 0.0


def fit_control(cells: Mapping[str, Pairs]) -> Control | None:
    """How figures follow the clock in these cells.

    Args:
        cells: those that can follow it, as they compute all the time.

    Returns:
        None if they have too few trials to tell, if the clock never changed, or if the figures
        don't fall when its work costs more.
    """
    repeated = [one for one in cells.values() if one.figures.size > 1]
    freedom = sum(one.figures.size - 1 for one in repeated)
    if freedom < FEWEST or len(cells) < LEAST:
        return None
    within = sum(float(np.square(_centred(one.clock)).sum()) for one in repeated) / freedom
    slope, slope_error = _slope(repeated)
    if within <= _LEAST or not slope < 0.0:
        return None
    means = np.array([one.clock.mean() for one in cells.values()])
    sizes = np.array([one.clock.size for one in cells.values()])
    between = _between(means, within * float((1.0 / sizes).mean()))
    control = Control(
        slope=slope,
        slope_error=slope_error,
        middle=float(means.mean()),
        middle_error=float(np.sqrt(between / sizes.size + within / sizes.sum())),
        usual=0.0,
        usual_error=float(np.sqrt(_MEDIANS_MORE * within / sizes.sum())),
        within=within,
        between=between,
    )
    speeds = np.concatenate([one.clock - control.of_cell(one.clock) for one in cells.values()])
    return replace(control, usual=float(np.median(speeds)))


def _between(means: NDArray[np.float64], by_chance: float) -> float:
    """What cells' means vary by beyond chance, with one standard error more.

    To take it for less than it is would say that a cell's mean tells of the machine what it
    doesn't: then intervals are too narrow.
    """
    varies = float(means.var(ddof=1))
    return max(0.0, varies - by_chance) + varies * float(np.sqrt(2.0 / (means.size - 1)))


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = values - values.mean()
    return centred


def _slope(cells: Sequence[Pairs]) -> tuple[float, float]:
    """Within cells, each group weighted by how little its trials differ beside; and its error."""
    products: dict[str, NDArray[np.float64]] = {}  # of clock², clock x figure, figure², freedom
    for one in cells:
        x, y = _centred(one.clock), _centred(one.figures)
        found = np.array([x @ x, x @ y, y @ y, x.size - 1])
        products[one.group] = products.get(one.group, np.zeros(4)) + found
    xx, xy, yy, freedoms = np.array([*products.values()]).T
    weights = np.ones(xx.size)
    slope = 0.0
    for _ in range(_ROUNDS):
        total = float(weights @ xx)
        if total <= 0.0:
            return 0.0, 0.0
        slope = float(weights @ xy) / total
        left = np.maximum(yy - 2.0 * slope * xy + slope**2 * xx, 0.0)
        weights = 1.0 / np.maximum(_variances(left, freedoms), _LEAST)
    return slope, float(1.0 / np.sqrt(weights @ xx))


def _variances(squares: NDArray[np.float64], freedoms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each group, shrunk to what they have in common: one of few trials may look quiet."""
    variances = squares / freedoms
    prior = fit_prior([*variances], [*freedoms])
    if prior is None:
        return np.full(squares.size, squares.sum() / freedoms.sum())
    return moderate([*variances], [*freedoms], prior)[0]
