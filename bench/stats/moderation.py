"""Variances of several groups, each shrunk towards what they have in common.

Empirical Bayes after Smyth, "Linear models and empirical Bayes methods for assessing differential
expression in microarray experiments", Stat. Appl. Genet. Mol. Biol. 3 (2004): each true variance
is drawn from s0² d0 / chi²(d0); then (d0 s0² + d s²) / (d0 + d) is its best guess, and Student's t
with d0 + d degrees of freedom holds for it: ``squeezeVar`` and ``fitFDist`` of R's limma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.lazy import scipy_special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Of two groups the spread of the variances is itself known by one degree of freedom.
FEWEST_GROUPS = 3
_ALMOST_NONE = 1e-5  # of the median variance: what a zero counts as (as in limma)


@dataclass(frozen=True, slots=True)
class Prior:
    """What the groups have in common: a variance, and how many degrees of freedom it is worth.

    ``freedom`` is near 0 where the groups' variances are far apart, infinite where they differ no
    more than chance makes them.
    """

    variance: float
    freedom: float


def fit_prior(variances: Sequence[float], freedoms: Sequence[float]) -> Prior | None:
    """The prior that makes such variances likely, by the moments of their logarithms.

    Args:
        variances: of each group, at least 0, shape (n,).
        freedoms: the degrees of freedom of each, positive, shape (n,).

    Returns:
        None of fewer than 3 groups, or where half of the variances are 0.
    """
    if len(variances) < FEWEST_GROUPS:
        return None
    found = np.asarray(variances, dtype=np.float64)
    halves = np.asarray(freedoms, dtype=np.float64) / 2.0
    typical = float(np.median(found))
    if typical <= 0.0:
        return None
    special = scipy_special()
    logs = np.log(np.maximum(found, _ALMOST_NONE * typical))
    logs = logs - special.digamma(halves) + np.log(halves)
    excess = float(logs.var(ddof=1) - special.polygamma(1, halves).mean())
    middle = float(logs.mean())
    if excess <= 0.0:
        # One pool: then their mean is the better guess than that of their logarithms.
        return Prior(float(np.average(found, weights=halves)), float("inf"))
    half = trigamma_inverse(excess)
    return Prior(float(np.exp(middle + special.digamma(half) - np.log(half))), 2.0 * half)


def moderate(
    variances: Sequence[float], freedoms: Sequence[float], prior: Prior
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each variance shrunk towards the prior's, and the degrees of freedom of the result.

    Args:
        variances: of each group, shape (n,).
        freedoms: of each, 0 for a group that has no variance of its own, shape (n,).
        prior: from `fit_prior`.

    Returns:
        Both of shape (n,). No freedom exceeds that of all the groups together.
    """
    found = np.asarray(variances, dtype=np.float64)
    own = np.asarray(freedoms, dtype=np.float64)
    share = 1.0 if np.isinf(prior.freedom) else prior.freedom / (prior.freedom + own)
    shrunk = share * prior.variance + (1.0 - share) * found
    return shrunk, np.minimum(prior.freedom + own, own.sum())


def trigamma_inverse(value: float) -> float:
    """The x > 0 whose trigamma is the value (> 0): Newton's method on 1 / trigamma, nearly a line.

    Smyth (2004), appendix; with the asymptotes 1 / x² for small x and 1 / x for large.
    """
    if value > 1e7:
        return float(1.0 / np.sqrt(value))
    if value < 1e-6:
        return 1.0 / value
    special = scipy_special()
    x = 0.5 + 1.0 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, x))
        step = trigamma * (1.0 - trigamma / value) / float(special.polygamma(2, x))
        x += step
        if -step / x < 1e-10:
            break
    return float(x)
