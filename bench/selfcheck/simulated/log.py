"""What a simulated trial leaves behind: its requests, as the generator would have written them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NS_PER_S = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """All requests that began before the horizon, in no order; each array has the shape (n,).

    ``start_ns``, ``end_ns``: int64; -1 for one that had not ended at the horizon. ``succeeded``:
    all but the unfinished. ``user``: who sent it, from 0.
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    succeeded: NDArray[np.bool_]
    user: NDArray[np.int64]

    @property
    def ends_ns(self) -> NDArray[np.int64]:
        """When each success ended, ascending, shape (successes,)."""
        return np.sort(self.end_ns[self.succeeded])


def log_of(
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    user: NDArray[np.int64],
    horizon_ns: int,
) -> Log:
    """The log of requests told in seconds, cut at the horizon; infinite ends never come.

    Args:
        start_s: when each began, shape (n,).
        end_s: when it would end, shape (n,).
        user: who sent it, shape (n,).
        horizon_ns: from here on nothing is seen.
    """
    horizon_s = horizon_ns / NS_PER_S
    begun = start_s < horizon_s
    start_s, end_s, user = start_s[begun], end_s[begun], user[begun]
    ended = end_s < horizon_s
    end_ns = np.where(ended, np.rint(np.where(ended, end_s, 0.0) * NS_PER_S), -1.0)
    return Log(
        start_ns=np.rint(start_s * NS_PER_S).astype(np.int64),
        end_ns=end_ns.astype(np.int64),
        succeeded=ended,
        user=user,
    )


def joined(logs: list[Log]) -> Log:
    """Several logs, of different users, as one."""
    return Log(
        np.concatenate([one.start_ns for one in logs]),
        np.concatenate([one.end_ns for one in logs]),
        np.concatenate([one.succeeded for one in logs]),
        np.concatenate([one.user for one in logs]),
    )
