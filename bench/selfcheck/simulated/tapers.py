"""The weights that a window may have: each a rate per second from moments, as in `bench.stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from bench.stats import hann_rate, plain_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_NS_PER_S = 1e9
_ALPHA = 0.5  # of Tukey's taper: the share of the window that rises or falls


def tukey_rate(end_ns: NDArray[np.int64], t0_ns: int, t1_ns: int) -> float:
    """As `hann_rate`, with Tukey's window (alpha 0.5): flat over the middle half.

    Its integral is 1 - alpha / 2 of the window (Harris, Proc. IEEE 66, 1978).
    """
    inside = end_ns[(end_ns >= t0_ns) & (end_ns < t1_ns)]
    x = (inside - np.int64(t0_ns)) / (t1_ns - t0_ns)
    edge = np.minimum(np.minimum(x, 1.0 - x) * 2.0 / _ALPHA, 1.0)
    weights = (1.0 - np.cos(np.pi * edge)) / 2.0
    return float(weights.sum()) / (1.0 - _ALPHA / 2.0) / ((t1_ns - t0_ns) / _NS_PER_S)


TAPERS: Final[dict[str, Callable[[NDArray[np.int64], int, int], float]]] = {
    "Hann": hann_rate,
    "Tukey": tukey_rate,
    "plain": plain_rate,
}
