"""What is asked of a cell: service level objectives such as ``p99<250ms``. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bench.config.durations import ALLOWED, parse_duration, parse_percentage
from bench.errors import BadInputError
from bench.text import shown

PERCENTILES = {"p50": 0.50, "p90": 0.10, "p95": 0.05, "p99": 0.01, "p99.9": 0.001}
ERRORS = "errors"
_SLO = re.compile(r"\s*([a-z0-9.]{1,10})\s*<\s*(\S{1,20})\s*")
_EXAMPLE = "--slo 'p99<250ms' --slo 'errors<0.1%'"
SURE = 0.05  # of no failure among n the 95 % bound is 1 - 0.05^(1/n), about 3 / n


@dataclass(frozen=True, slots=True)
class Slo:
    """One of them: fewer than a share of the requests may be bad."""

    text: str  # p99<250ms
    share: float  # that may be: 0.01
    within_s: float | None  # what a good one takes at most; None: it may fail, and that is all

    @property
    def clean(self) -> int:
        """Requests without a bad one that show it kept."""
        return math.ceil(math.log(SURE) / math.log1p(-self.share))


def parse(texts: tuple[str, ...]) -> tuple[Slo, ...]:
    """As typed, each once.

    Raises:
        BadInputError: one is none, or none is given.
    """
    if not texts:
        raise BadInputError(f"--slo: found none, allowed: what is asked, as in {_EXAMPLE}")
    return tuple(dict.fromkeys(_parse(text) for text in texts))


def _parse(text: str) -> Slo:
    match = _SLO.fullmatch(text)
    if match is None or match[1] not in {*PERCENTILES, ERRORS}:
        names = ", ".join([*PERCENTILES, ERRORS])
        raise BadInputError(
            f"--slo: found {shown(text)}, allowed: one of {names}, < and a bound, as in {_EXAMPLE}"
        )
    name, bound = match[1], match[2]
    if name == ERRORS:
        try:
            share = parse_percentage(bound)
        except ValueError as error:
            raise BadInputError(f"--slo: found {shown(text)}, allowed: {error}") from None
        if not 1e-6 <= share < 1.0:
            raise BadInputError(f"--slo: found {shown(text)}, allowed: 0.0001% to under 100%")
        return Slo(f"{name}<{bound}", share, None)
    try:
        within_s = parse_duration(bound)
    except ValueError:
        raise BadInputError(f"--slo: found {shown(text)}, allowed: {ALLOWED}") from None
    if not 0.001 <= within_s <= 60.0:
        raise BadInputError(f"--slo: found {shown(text)}, allowed: 1ms to 60s")
    return Slo(f"{name}<{bound}", PERCENTILES[name], within_s)
