"""An application of a person's own, and what its users ask: checked, in base units.

What a request says travels to the load generator as JSON (`asdict`), which makes requests of it
(`locustfiles.requests`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Expect:
    """What a right answer is."""

    status: int = 200
    contains: tuple[str, ...] = ()  # texts that stand in its body


@dataclass(frozen=True, slots=True)
class Request:
    """One kind of request; values of ``vary`` and ``query`` are gone through in order."""

    name: str
    method: str
    path: str
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vary: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of ``${NAME}`` anywhere
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    encoding: str | None = None  # of variables' values in the body: json, form; None: as they are
    expect: Expect = Expect()


@dataclass(frozen=True, slots=True)
class Login:
    """A request that each user makes once, and what it takes from the JSON that it is answered."""

    request: Request
    take: Mapping[str, str]  # by the name in ``${NAME}``: its place, as in ``data.token``


@dataclass(frozen=True, slots=True)
class Locustfile:
    """A file of somebody's own users; another content makes another plan."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Target:
    """The application, how it is installed and started, and what is done around its trials."""

    app: str  # shop.main:app
    path: Path  # its folder
    factory: bool = False
    install: tuple[str, ...] = ()  # arguments of pip, each a line
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[str, ...] = ()  # commands: once for each environment and run,
    before_trial: tuple[str, ...] = ()  # before each trial's server starts,
    after_trial: tuple[str, ...] = ()  # and after it has ended
    ready: str | None = None  # a path that answers 200 once all is up
    login: Login | None = None
    # By name, and of a mix how often each is asked: as many as its weight says, in turn.
    requests: Mapping[str, Request] = field(default_factory=dict)
    mixes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    locustfiles: Mapping[str, Locustfile] = field(default_factory=dict)  # whose users ask, by name

    def asked(self, name: str) -> tuple[tuple[Request, int], ...]:
        """The kinds of requests of one experiment, each with its weight; none of a locustfile."""
        if name in self.locustfiles:
            return ()
        if name in self.requests:
            return ((self.requests[name], 1),)
        return tuple((self.requests[kind], weight) for kind, weight in self.mixes[name].items())


def as_json(kinds: tuple[tuple[Request, int], ...], login: Login | None) -> dict[str, Any]:
    """As the load generator is told."""
    return {
        "kinds": [{**asdict(request), "weight": weight} for request, weight in kinds],
        "login": None if login is None else {**asdict(login.request), "take": dict(login.take)},
    }
