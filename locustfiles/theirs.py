"""Beside a locustfile of somebody's own: its users ask, and every request is remembered here.

Their users are whatever they are: they wait, log in, follow redirects. So nothing is known of them
but what passes through locust's own clients, whose ``request`` is watched from its start to its
end, and what else they fire as an event: that tells of a request once it has ended, and never of
who is cut off.

The harness speaks with it as with ``users`` (`locustfiles.process`).
"""

from __future__ import annotations

import sys
import time
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from locust import events
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.exception import CatchResponseError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from locustfiles import crew, layout, process
from locustfiles.process import PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment

LONGEST = 100  # characters of what they say of a failure
MOST_NAMES = 1000  # of requests; further ones are one kind
OTHERS = "other requests"


def _here() -> int:
    return id(gevent.getcurrent())


class Open:
    """A request that has begun; ``end_ns`` once its answer is there, judged or not."""

    __slots__ = ("at", "end_ns", "name", "start_ns")

    def __init__(self, name: str) -> None:
        self.name, self.at = name, _here()
        self.start_ns = time.monotonic_ns()
        self.end_ns: int | None = None


class Watch:
    """The requests that are open, by the greenlet that makes them, and the names of all."""

    def __init__(self) -> None:
        self.open: dict[int, list[Open]] = {}
        self.users: dict[int, int] = {}  # number of each greenlet
        self.names: dict[str, int] = {}
        self.unseen = 0  # requests of other clients: who is cut off is not known

    def begin(self, name: str) -> Open:
        """One more of this greenlet's."""
        found = Open(name)
        self.open.setdefault(found.at, []).append(found)
        PROCESS.records.started += 1
        return found

    def broken(self, found: Open, error: BaseException) -> None:
        """It ended with an error of the client's, of which no event told."""
        if self._drop(found):
            self._end(found.start_ns, time.monotonic_ns(), found.name, error)

    def cut_off(self, found: Open) -> None:
        """It was stopped on its way."""
        if self._drop(found):
            self._add(found.start_ns, time.monotonic_ns(), layout.UNFINISHED, found.name)

    def judged(self, name: str, response_ms: float, error: BaseException | None) -> None:
        """An event tells of a request of this greenlet: the oldest that is open, if one is."""
        mine = self.open.get(_here())
        end_ns = time.monotonic_ns()
        if mine:
            found = mine[0]
            self._drop(found)
            self._end(found.start_ns, found.end_ns or end_ns, name, error)
            return
        self.unseen += 1
        PROCESS.records.started += 1
        self._end(max(0, end_ns - int(response_ms * 1e6)), end_ns, name, error)

    def close(self) -> None:
        """What is open still: cut off, or answered and never judged, which is no failure."""
        for found in [one for mine in self.open.values() for one in mine]:
            cut_off = found.end_ns is None
            outcome = layout.UNFINISHED if cut_off else layout.SUCCEEDED
            end_ns = found.end_ns or time.monotonic_ns()
            self._add(found.start_ns, end_ns, outcome, found.name)
        self.open.clear()

    def _end(self, start_ns: int, end_ns: int, name: str, error: BaseException | None) -> None:
        records = PROCESS.records
        outcome = layout.SUCCEEDED if error is None else records.kind(_told(error))
        records.count(end_ns - start_ns, end_ns, failed=error is not None)
        self._add(start_ns, end_ns, outcome, name)

    def _drop(self, found: Open) -> bool:
        """Whether it was still open."""
        mine = self.open.get(found.at, [])
        if found not in mine:
            return False
        mine.remove(found)
        if not mine:
            del self.open[found.at]
        return True

    def _add(self, start_ns: int, end_ns: int, outcome: int, name: str) -> None:
        user = self.users.setdefault(_here(), len(self.users)) & layout.MOST_USERS
        if name not in self.names and len(self.names) >= MOST_NAMES:
            name = OTHERS
        kind = self.names.setdefault(name, len(self.names))
        PROCESS.records.add(start_ns, end_ns, outcome, user, kind)


WATCH = Watch()


def _told(error: BaseException) -> str:
    """In few and general words: as many kinds as there are requests tell nobody anything."""
    if isinstance(error, CatchResponseError):  # in their own words
        return str(error)[:LONGEST]
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"HTTP {status}" if status else type(error).__name__


def watched(request: Callable[..., Any]) -> Callable[..., Any]:
    """A client's method that makes a request, noted at its start and at its end."""

    @wraps(request)
    def asking(session: object, method: str, url: str, *args: Any, **options: Any) -> Any:
        found = WATCH.begin(str(options.get("name") or url))
        try:
            answer = request(session, method, url, *args, **options)
        except gevent.GreenletExit:
            WATCH.cut_off(found)
            raise
        except Exception as error:
            WATCH.broken(found, error)
            raise
        found.end_ns = time.monotonic_ns()
        return answer

    return asking


HttpSession.request = watched(HttpSession.request)  # type: ignore[method-assign]
FastHttpSession.request = watched(FastHttpSession.request)  # type: ignore[method-assign]


@events.init.add_listener
def take_up(environment: Environment, **_: object) -> None:
    """Wait for the server, and send all users there, wherever their file would."""

    def aim(target: dict[str, Any]) -> None:
        environment.host = target["url"]

    crew.take_up(environment, aim, leave)


@events.request.add_listener
def note(
    name: str, response_time: float, exception: BaseException | None = None, **_: object
) -> None:
    """A request has been judged."""
    WATCH.judged(str(name), float(response_time or 0.0), exception)


@events.test_start.add_listener
def start(**_: object) -> None:
    """The first user is about to begin."""
    if not crew.leads():
        process.begin(0)  # locust tells how many there are when all are there


@events.spawning_complete.add_listener
def begin(**_: object) -> None:
    """All users are there."""
    if not PROCESS.spawned_ns and not crew.leads():
        PROCESS.users = PROCESS.runner.user_count
        process.all_there()


def leave(environment: Environment, **_: object) -> None:
    """All users have stopped."""
    WATCH.close()
    process.write_down(environment, kinds=list(WATCH.names), unseen=WATCH.unseen)
