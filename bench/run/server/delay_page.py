"""The delay server's page: how many requests are inside it, read without asking it (page.go)."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PAGE_BYTES = 4096
PAGE_MAGIC = 0x3159_414C_4544_584D  # "MXDELAY1"
(P_MAGIC, P_STARTED, P_SERVED, P_CANCELLED, P_IN_FLIGHT, P_INTEGRAL, P_CHANGED_AT) = range(7)
PAGE_WORDS = 7
TRIES = 100  # a change takes some 10 ns: more than a few tries, and its writer stands still


class DelayPage:
    """The page, mapped for reading. The map stays good when the server is started anew."""

    def __init__(self, path: Path) -> None:
        """Map it.

        Raises:
            OSError: it can't be opened or mapped.
            ValueError: it is too short, or no such page.
        """
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), PAGE_BYTES, access=mmap.ACCESS_READ)
        self._words = memoryview(mapped).cast("Q")
        if self._words[P_MAGIC] != PAGE_MAGIC:
            raise ValueError(f"{path} is no page of a delay server")

    def in_flight_ns(self, at_ns: int) -> int | None:
        """The time integral of the requests in flight, from the last reset to ``at_ns``.

        In request·ns. None: the page is being changed, by a server that has no core just now.
        """
        for _ in range(TRIES):
            words = self._copy()
            if words[P_CHANGED_AT] and words == self._copy():
                return words[P_INTEGRAL] + words[P_IN_FLIGHT] * (at_ns - words[P_CHANGED_AT])
        return None

    def _copy(self) -> list[int]:
        return self._words[:PAGE_WORDS].tolist()
