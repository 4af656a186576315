"""How a profile loads and how often it measures, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.axes import BY_CELL
from bench.config import format_duration, format_percentage
from locustfiles.arrivals import POISSON

if TYPE_CHECKING:
    from collections.abc import Collection

    from bench.config import Profile


def load(profile: Profile, varied: Collection[str] = ()) -> str:
    """Users, delay, and what is fixed of each trial; of axes that vary, that they do."""
    fixed = [
        f"{profile.spawn_rate:g} users started a second" if profile.spawn_rate else None,
        None if profile.warmup_s is None else f"{format_duration(profile.warmup_s)} warm-up",
        None if profile.duration_s is None else f"{format_duration(profile.duration_s)} window",
        _generators(profile),
    ]
    told = ", ".join(part for part in fixed if part)
    delay = format_duration(profile.delay_s)
    if None in (profile.warmup_s, profile.duration_s):
        longest = format_duration(profile.longest_s)
        follows = f"trials as long as their cells need (windows up to {longest})"
        told = f"{told}, {follows}" if told else follows
    waits = f"delay {delay}, " if profile.delay_s else ""
    if "delay" in varied:
        waits = f"delay {BY_CELL}, "
    users = f"users {BY_CELL}" if "users" in varied else f"{profile.users} users"
    if profile.rate is not None:
        kind = "Poisson" if profile.arrivals == POISSON else profile.arrivals
        users = f"an open load of {profile.rate:g} requests/s ({kind} arrivals)"
    return f"{users}, {waits}{told}"


def _generators(profile: Profile) -> str | None:
    if profile.machines:
        processes = sum(one.processes for one in profile.machines)
        of = len(profile.machines)
        on = "another machine" if of == 1 else f"{of} other machines"
        return f"{processes} generator process{'' if processes == 1 else 'es'} on {on}"
    if profile.generators in {None, 1}:
        return None
    return f"{profile.generators} generator processes"


def repeats(profile: Profile) -> str:
    """How often each cell is measured."""
    if profile.rounds is not None:
        return "1 round" if profile.rounds == 1 else f"{profile.rounds} rounds"
    return (
        f"a budget of {format_duration(profile.budget_s or 0.0)}, each throughput to"
        f" {format_percentage(profile.precision)} if it lasts"
    )
