"""When the requests of an open load are due: arrivals that wait for nobody's answer. Pure.

Poisson arrivals are those of many users who don't know of each other; their gaps are exponential,
so they come in bunches. Several processes with independent arrivals of a part of the rate each have
the whole rate's together (superposition of Poisson processes: Kingman, Poisson Processes, 1993,
2.2). Constant ones come evenly, those of one process between those of the others.
"""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

POISSON, CONSTANT = "poisson", "constant"
KINDS = (POISSON, CONSTANT)
NS = 1e9


def arrivals(
    kind: str, rate: float, *, begin_ns: int, seed: str, part: int = 0, parts: int = 1
) -> Iterator[int]:
    """Without end, the instants at which requests are due, ns, ascending.

    Args:
        kind: poisson or constant.
        rate: requests/s of all processes together.
        begin_ns: when the first could be due.
        seed: the same seed gives the same gaps.
        part: which process this is,
        parts: of how many.
    """
    if kind == CONSTANT:
        for number in count():
            yield begin_ns + round((number * parts + part) * NS / rate)
    rng = random.Random(f"{seed}:{part}")  # noqa: S311 - no secret
    due_s = 0.0
    while True:
        due_s += rng.expovariate(rate / parts)
        yield begin_ns + round(due_s * NS)
