"""What queues of one server do whose law is known: Poisson arrivals, first come first served.

Pure.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS = 80  # the sum for even services alternates, and loses most of them
HALVINGS = 60


def percentile_mm1(q: float, rate: float, service_s: float) -> float:
    """Of the time in the system, s, where services are exponential: so is it.

    Of mean 1 / (mu - lambda): Kleinrock, Queueing Systems I, 1975, 5.118.
    """
    return -math.log1p(-q) / (1.0 / service_s - rate)


def percentile_md1(q: float, rate: float, service_s: float) -> float:
    """The same of even services, by the law of their wait; 0.95 of full at most."""
    low_s, high_s = 0.0, 200.0 * service_s
    for _ in range(HALVINGS):
        middle_s = (low_s + high_s) / 2.0
        if wait_md1(middle_s, rate, service_s) < q:
            low_s = middle_s
        else:
            high_s = middle_s
    return low_s + service_s


def wait_md1(until_s: float, rate: float, service_s: float) -> float:
    """The probability of a wait of at most so long.

    Erlang 1909; Iversen and Staalhagen, ITC 16, 1999: (1 - rho) times the sum, for each k up to
    t / D, of (lambda (k D - t))^k / k! e^(-lambda (k D - t)).
    """
    with localcontext() as context:
        context.prec = DIGITS
        until, arrivals, service = map(Decimal, (str(until_s), str(rate), str(service_s)))
        total, factorial, at = Decimal(0), Decimal(1), 0
        while at * service <= until:
            factorial *= max(1, at)
            x = arrivals * (at * service - until)
            total += (x**at if at else Decimal(1)) / factorial * (-x).exp()
            at += 1
        return float((1 - arrivals * service) * total)


def capacity(
    percentile: Callable[[float, float, float], float], q: float, within_s: float, service_s: float
) -> float:
    """The highest rate at which the percentile is that or less, up to 0.95 of full."""
    low, high = 0.0, 0.95 / service_s
    for _ in range(HALVINGS // 2):
        middle = (low + high) / 2.0
        if percentile(q, middle, service_s) <= within_s:
            low = middle
        else:
            high = middle
    return low
