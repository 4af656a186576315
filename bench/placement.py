"""Which cores the server, the load generator and the delay server get.

Where there are four or more, each has cores of its own, so that none can take the
others' time; where there are fewer they share, and reports say so. Linux only:
macOS has no way to keep a process on a core.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEWEST = 4  # cores, for each to have some of its own
OF_THEM = 4  # one in so many is the load generator's
ROLES = ("server", "generator", "delay")
_EXAMPLE = "--pin server=0-5,generator=6,delay=7"
_PART = re.compile(r"(?P<role>[a-z]+)=(?P<cpus>\d{1,5}(?:-\d{1,5})?(?:\+\d{1,5}(?:-\d{1,5})?)*)")


@dataclass(frozen=True, slots=True)
class Placement:
    """CPU numbers by role; empty where a process may run anywhere."""

    asked: str
    server: tuple[int, ...] = ()
    generator: tuple[int, ...] = ()
    delay: tuple[int, ...] = ()

    @property
    def pinned(self) -> bool:
        """Whether anything is kept to cores of its own."""
        return bool(self.server or self.generator or self.delay)

    def groups(self) -> dict[str, list[int]]:
        """The CPUs of each that is kept to some."""
        kept = {role: [*getattr(self, role)] for role in ROLES}
        return {role: cpus for role, cpus in kept.items() if cpus}


UNPINNED = Placement("off")


def place(
    asked: str,
    cpus: Sequence[int],
    cores: int,
    siblings: Sequence[Sequence[int]],
    *,
    generators: int | None = None,
) -> Placement:
    """What ``--pin`` means on a machine whose CPUs ``cpus`` we may use.

    Args:
        asked: as typed.
        cpus: that we may use.
        cores: how many of them a quota leaves us.
        siblings: the groups of CPUs that are threads of one core.
        generators: processes of the load generator; None: as many as have a core of their own.

    Raises:
        BadInputError: an option that is none, or names CPUs that we may not use.
    """
    if asked == "off":
        return Placement(asked)
    if asked == "auto":
        return _auto(cpus, cores, siblings, generators)
    return _explicit(asked, cpus)


def _auto(
    cpus: Sequence[int], cores: int, siblings: Sequence[Sequence[int]], generators: int | None
) -> Placement:
    """The delay server gets the last core, the generator those before it, the server all others."""
    allowed = set(cpus)
    groups = sorted({tuple(sorted(allowed & set(group))) for group in siblings} - {()})
    # Whole cores if they suffice: two threads of one core take each other's time.
    if len(groups) < FEWEST:
        groups = [(cpu,) for cpu in sorted(allowed)]
    if min(len(groups), cores) < FEWEST:
        return Placement("auto")
    wanted = own_cores(len(groups)) if generators is None else generators
    first = len(groups) - 1 - min(wanted, len(groups) - 2)
    server, generator = _flat(groups[:first]), _flat(groups[first:-1])
    return Placement("auto", server, generator, groups[-1])


def own_cores(cores: int) -> int:
    """That the load generator gets of so many, where it isn't said."""
    return max(1, cores // OF_THEM)


def _flat(groups: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(sorted(cpu for group in groups for cpu in group))


def _explicit(asked: str, cpus: Sequence[int]) -> Placement:
    found: dict[str, tuple[int, ...]] = {}
    for part in asked.split(","):
        match = _PART.fullmatch(part)
        if match is None or match["role"] not in ROLES or match["role"] in found:
            raise BadInputError(
                f"--pin: found {asked[:100]!r}, allowed: auto, off, or which CPUs each gets, as in"
                f" `{_EXAMPLE}` (2-3+6 for several)"
            )
        found[match["role"]] = numbers(match["cpus"])
    named = {cpu for given in found.values() for cpu in given}
    if not named <= set(cpus):
        raise BadInputError(
            f"--pin: names CPU {min(named - set(cpus))}, this machine lets us use"
            f" {', '.join(map(str, sorted(cpus)))}"
        )
    return Placement(asked, **found)


def numbers(text: str) -> tuple[int, ...]:
    """CPU numbers from ``0-2+5``."""
    found: set[int] = set()
    for span in text.split("+"):
        first, _, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(found))


def as_text(roles: Mapping[str, Sequence[int]]) -> str:
    """``server 0-5, load generator 6, delay server 7``; without those that run anywhere."""
    titles = {"server": "server", "generator": "load generator", "delay": "delay server"}
    return ", ".join(
        f"{title} {_ranges(roles[role])}" for role, title in titles.items() if roles.get(role)
    )


def _ranges(cpus: Sequence[int]) -> str:
    spans: list[list[int]] = []
    for cpu in sorted(cpus):
        if spans and spans[-1][-1] == cpu - 1:
            spans[-1].append(cpu)
        else:
            spans.append([cpu])
    return "+".join(str(s[0]) if len(s) == 1 else f"{s[0]}-{s[-1]}" for s in spans)
