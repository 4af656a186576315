"""Values in order, each with how many there are of it: a million alike take the room of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Whole numbers, such as instants or ages in nanoseconds.

    ``values``: ascending, shape (n,). ``upto``: how many there are of the first k of them together,
    from 0 on, shape (n + 1,); None if one of each.
    """

    values: NDArray[np.int64]
    upto: NDArray[np.int64] | None = None

    @property
    def size(self) -> int:
        """How many there are."""
        return self.values.size if self.upto is None else int(self.upto[-1])

    def before(self, at: Any, side: Literal["left", "right"] = "left") -> NDArray[np.int64]:
        """How many lie below each of ``at``; not above it with the ``right`` side."""
        found: NDArray[np.int64] = np.searchsorted(self.values, at, side=side)
        return found if self.upto is None else self.upto[found]

    def distinct(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The distinct values, and how many there are of each."""
        # Not np.unique, which would sort (or hash) once more: half the time at a million.
        values = self.values
        first = np.flatnonzero(np.diff(values, prepend=values[:1] - 1))
        upto = first if self.upto is None else self.upto[first]
        return values[first], np.diff(upto, append=self.size)

    def within(self, first: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """Those from ``first`` up to before ``end``, and how many of each (None: one)."""
        low, high = np.searchsorted(self.values, (first, end))
        counts = None if self.upto is None else np.diff(self.upto[low : high + 1])
        return self.values[low:high], counts


def counted(
    values: NDArray[np.int64] | Counted, weights: NDArray[np.int64] | None = None
) -> Counted:
    """Put them in order; ``weights`` says how many there are of each, shape as the values."""
    if isinstance(values, Counted):
        return values
    if weights is None:
        return Counted(np.sort(values))
    order = np.argsort(values, kind="stable")
    upto = np.zeros(values.size + 1, dtype=np.int64)
    np.cumsum(weights[order], out=upto[1:])
    return Counted(values[order], upto)
