"""Load machines: made ready as a run would, and let go again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.doctor.check import Check, Fitness
from bench.run.away import station
from bench.run.away.fleet import demand_here, unopened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.config import Machine
    from bench.run.away.station import Station

FAR_MS = 50.0  # a round trip from which on windows of a few seconds are too short for its clock


def looks(root: Path, asked: Sequence[Machine], listen: str | None) -> list[Check]:
    """A line for each machine; nothing is looked at where none is asked for.

    Raises:
        RequirementError: the address is none of this machine.
    """
    if not asked or listen is None:
        return []
    demand_here(listen)
    with unopened(asked, listen, station.load_part(root), _say, _say) as fleet:
        fleet.settle()
        return [
            ready(one, fleet.stations[at])
            if at in fleet.stations
            else unusable(one, fleet.lost[at])
            for at, one in enumerate(asked)
        ]


def unusable(asked: Machine, why: str) -> Check:
    """One without which no trial begins."""
    matters = f"no trial begins without it: {why}"
    return Check(f"load machine {asked.host}", "can't be used", Fitness.MISSING, matters)


def ready(asked: Machine, found: Station) -> Check:
    """One that is; poor where it has fewer cores than processes, or is far away."""
    about = found.about
    cores = int(about["cores"])
    told = (
        f"Python {about['python']}, {about['cpu']}, {cores} core{'' if cores == 1 else 's'};"
        f" round trip {found.round_trip_ms:.2g} ms"
    )
    matters = ""
    if asked.processes > cores:
        matters = f"its {asked.processes} processes share {cores} cores: one each bears most"
    elif found.round_trip_ms > FAR_MS:
        matters = (
            f"its clock is known to {found.round_trip_ms / 2:.0f} ms: windows under"
            f" {found.round_trip_ms / 20:.0f} s are refused"
        )
    fitness = Fitness.POOR if matters else Fitness.GOOD
    return Check(f"load machine {asked.host}", told, fitness, matters)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
