"""Routes generated from endpoint style × io kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.io import Kind
    from app.probe.thread_log import ThreadLog

Handler = Callable[[], object] | Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Route:
    """One experiment's route."""

    index: int  # its number in the thread log
    path: str
    endpoint: str  # sync, async or async_sync
    kind: Kind


def routes(kinds: Iterator[Kind]) -> tuple[Route, ...]:
    """All routes: ``/sync/json``, ``/async/json``, ``/async/json/sync``, …"""
    paths = (
        (path, endpoint, kind)
        for kind in kinds
        for endpoint, path in (
            ("sync", f"/sync/{kind.name}"),
            ("async", f"/async/{kind.name}"),
            ("async_sync", f"/async/{kind.name}/sync"),
        )
    )
    return tuple(Route(index, *rest) for index, rest in enumerate(paths))


def handler(route: Route, log: ThreadLog | None) -> Handler:
    """The endpoint function itself; with a log, each call leaves a record.

    The record is made *in* the handler: middleware runs on the event loop, so
    the thread it would name is always the loop's.
    """
    blocking, awaiting = route.kind.blocking, route.kind.awaiting
    if route.endpoint == "sync":
        return blocking if log is None else _logged_def(blocking, log, route.index)
    if route.endpoint == "async":
        return awaiting if log is None else _logged_async(awaiting, log, route.index)
    return (
        _blocking_async(blocking) if log is None else _logged_blocking(blocking, log, route.index)
    )


def _blocking_async(blocking: Callable[[], object]) -> Handler:
    async def endpoint() -> object:
        return blocking()

    return endpoint


def _logged_def(blocking: Callable[[], object], log: ThreadLog, index: int) -> Handler:
    def endpoint() -> object:
        place = log.begin(index)
        try:
            return blocking()
        finally:
            log.end(place)

    return endpoint


def _logged_async(awaiting: Callable[[], Awaitable[object]], log: ThreadLog, index: int) -> Handler:
    async def endpoint() -> object:
        place = log.begin(index)
        try:
            return await awaiting()
        finally:
            log.end(place)

    return endpoint


def _logged_blocking(blocking: Callable[[], object], log: ThreadLog, index: int) -> Handler:
    async def endpoint() -> object:
        place = log.begin(index)
        try:
            return blocking()
        finally:
            log.end(place)

    return endpoint
