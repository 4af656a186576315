"""Several measured ratios as one, and whether they are one at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.stats.lazy import scipy_stats
from bench.stats.student import CONFIDENCE, p_value_of, reach_of

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class LogEffect:
    """The logarithm of a ratio, its standard error, and the freedom of Student's t."""

    log: float
    error: float
    freedom: float

    def reach(self, confidence: float = CONFIDENCE) -> float:
        """Half the width of its interval, on the log scale."""
        return reach_of(self.error, self.freedom, confidence)

    def p_beyond(self, threshold: float) -> float:
        """Two-sided p-value of "its size is ``threshold`` (a logarithm) at most"."""
        beyond = abs(self.log) - threshold
        if self.error == 0.0:
            return 0.0 if beyond > 0 else 1.0
        return p_value_of(beyond / self.error, self.freedom)


def combine(effects: Sequence[LogEffect]) -> LogEffect:
    """Their mean, weighted by precision: fixed-effect meta-analysis (Hedges and Olkin, 1985).

    The freedom is Welch and Satterthwaite's, of errors that are known apart (Satterthwaite,
    Biometrics Bulletin 2, 1946), but at most the largest of theirs: they may rest on one spread.

    Raises:
        ValueError: there is none.
    """
    if not effects:
        raise ValueError("no effects to combine")
    exact = [effect for effect in effects if effect.error == 0.0]
    if exact:  # they outweigh all others
        mean = sum(effect.log for effect in exact) / len(exact)
        return LogEffect(mean, 0.0, min(effect.freedom for effect in exact))
    weights = [1.0 / effect.error**2 for effect in effects]
    mean = sum(w * e.log for w, e in zip(weights, effects, strict=True)) / sum(weights)
    # Of the mean's variance each effect has as large a part as its weight.
    parts = [weight / sum(weights) for weight in weights]
    apart = sum(part**2 / e.freedom for part, e in zip(parts, effects, strict=True))
    most = max(effect.freedom for effect in effects)
    freedom = most if apart == 0.0 else min(1.0 / apart, most)
    return LogEffect(mean, math.sqrt(1.0 / sum(weights)), freedom)


def disagree(effects: Sequence[LogEffect], *, apart: float, alpha: float = 0.05) -> bool:
    """Whether they differ beyond their errors, by more than ``apart`` (a logarithm) in all.

    Cochran's Q, chi-squared with one degree of freedom less than there are effects (Cochran,
    Biometrics 10, 1954); as F where the errors are estimated from few trials.
    """
    if len(effects) < 2:
        return False
    logs = [effect.log for effect in effects]
    if max(logs) - min(logs) <= apart:
        return False
    whole = combine(effects)
    if whole.error == 0.0:
        return True
    q = sum(((effect.log - whole.log) / effect.error) ** 2 for effect in effects)
    freedom = len(effects) - 1
    if math.isinf(whole.freedom):
        return float(scipy_stats().chi2.sf(q, freedom)) < alpha
    return float(scipy_stats().f.sf(q / freedom, freedom, whole.freedom)) < alpha
