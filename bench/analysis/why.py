"""Why a number is what it is: the resource that is used up; else where the users are.

A why is a prediction: relieve the resource, and throughput rises (`nox -s selfcheck -- why`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bench.analysis.places import complete
from bench.analysis.resources import USED_UP, Resource, Use, uses

if TYPE_CHECKING:
    from bench.analysis.evidence import Evidence

ALIKE = 0.05  # shares that are so near are both named
ALONE = {Resource.GENERATOR, Resource.UPSTREAM}  # then the cell isn't what was measured


@dataclass(frozen=True, slots=True)
class Why:
    """Of one trial."""

    evidence: Evidence
    causes: tuple[Use, ...]  # one or two that are used up
    most_used: Use | None  # where none is
    place: str | None  # where most users are then: a name of `Places`


def why(evidence: Evidence) -> Why:
    """What limits a trial."""
    known = uses(evidence)
    used_up = [use for use in known if use.share >= USED_UP]
    if not used_up:
        most = max(known, key=lambda use: use.share, default=None)
        return Why(evidence, (), most, _fullest(evidence))
    return Why(evidence, _causes(used_up), None, None)


def _causes(used_up: list[Use]) -> tuple[Use, ...]:
    """The most used, and one that is used nearly as much."""
    alone = next((use for use in used_up if use.resource in ALONE), None)
    if alone is not None:
        return (alone,)
    if Resource.CORE in {use.resource for use in used_up}:
        # That a worker computes says why the machine is full.
        used_up = [use for use in used_up if use.resource is not Resource.MACHINE]
    first, *rest = sorted(used_up, key=lambda use: -use.share)[:2]
    chosen = [first, *(use for use in rest if use.share >= first.share - ALIKE)]
    return tuple(use for use in used_up if use in chosen)


def _fullest(evidence: Evidence) -> str | None:
    """The place with the most users."""
    places = complete(evidence.measured.places)
    if places is None:
        return None
    known = {name: users for name, users in asdict(places).items() if users is not None}
    return max(known, key=lambda name: known[name]) if known else None
