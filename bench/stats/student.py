"""Student's t: how far an interval reaches, and how surprising a difference is."""

from __future__ import annotations

import math

from bench.stats.lazy import scipy_special

CONFIDENCE = 0.95
# Under one degree of freedom t's 95 % lie beyond 12.7 errors: nothing is known.
LEAST_FREEDOM = 1.0
_ANYTHING = 300.0  # a log may not reach beyond what floats hold


def reach_of(error: float, freedom: float, confidence: float = CONFIDENCE) -> float:
    """How far an interval of a logarithm reaches to each side, from an error known so well."""
    special = scipy_special()
    level = 0.5 + confidence / 2.0
    times = special.ndtri(level) if math.isinf(freedom) else special.stdtrit(freedom, level)
    return min(float(times) * error, _ANYTHING)


def p_value_of(errors: float, freedom: float) -> float:
    """Two-sided, of so many standard errors (negative: none at all)."""
    special = scipy_special()
    beyond = special.ndtr(-errors) if math.isinf(freedom) else special.stdtr(freedom, -errors)
    return min(1.0, 2.0 * float(beyond))
