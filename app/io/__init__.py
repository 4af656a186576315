"""One file an io kind: what a handler waits for.

Each holds a blocking twin for ``def`` endpoints (and for ``async def`` ones
that block), an awaiting twin for ``async def`` ones, and says what a right
answer is. Both twins do the same work. Adding a kind is adding a file here:
its name is the kind's name in experiments.yaml and in the routes.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


@dataclass(frozen=True, slots=True)
class Kind:
    """One io kind, as its file declares it."""

    name: str
    blocking: Callable[[], object]
    awaiting: Callable[[], Awaitable[object]]
    expected: Callable[[], object]  # the JSON value that a right answer holds
    waits: bool  # takes at least the delay
    upstream_calls: int  # requests to the delay server for each answer
    close: Callable[[], Awaitable[None]] | None = None  # ends what would keep the process alive


def kinds(only: str | None = None) -> Iterator[Kind]:
    """Every kind in this folder, by name; or ``only`` one, without what others import.

    Raises:
        AttributeError: a file lacks one of the five names; it says which.
    """
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if found.name.startswith("_") or only not in {None, found.name}:
            continue
        module = importlib.import_module(f"{__name__}.{found.name}")
        yield Kind(
            name=found.name,
            blocking=module.blocking,
            awaiting=module.awaiting,
            expected=module.expected,
            waits=module.WAITS,
            upstream_calls=module.UPSTREAM_CALLS,
            close=getattr(module, "close", None),
        )
