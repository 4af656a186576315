"""`profile`: a sentence, a flame graph, and both in the reports from then on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from bench.errors import CELLS_FAILED
from bench.profile import flame, stacks
from bench.profile.record import NATIVE_RATE, RATE, record
from bench.profile.told import APPLICATION, FOLDER, SCHEMA
from bench.records import atomic
from bench.run.failure import TrialFailed
from bench.run.history.run_record import sources_of
from bench.run.host import machine
from bench.text import line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.paths import Paths
    from bench.plan import Cell, Plan
    from bench.profile.record import Profile

HELD = 0.5  # of the loop's samples, for what holds it up to be told


@dataclass(frozen=True, slots=True)
class Told:
    """What a profile comes to."""

    sentence: str
    loop_busy: float  # share of the samples in which the loop's thread did something
    samples: int


def run(
    planned: Plan,
    where: Paths,
    output: Path,
    secrets: Mapping[str, str],
    say: Callable[[str], None],
) -> int:
    """Profile each cell; gives the exit status.

    Raises:
        RequirementError: an environment or py-spy is missing, or it may not look.
    """
    missed = 0
    for cell in planned.cells:
        say(f"{cell.id}: one more trial, with py-spy beside it; it counts nowhere else")
        try:
            found = record(cell, planned, where, secrets)
        except TrialFailed as failed:
            say(line(f"{cell.id} can't be measured: {failed}"))
            missed += 1
            continue
        told = tell(found)
        files = _files(cell, planned, where, output / FOLDER, found, told)
        say(line(f"{cell.id}: {told.sentence}"))
        for path in files:
            say(f"  {path}")
    return CELLS_FAILED if missed else 0


def tell(found: Profile) -> Told:
    """What holds up the loop, where something does; else what takes the CPU."""
    loop = stacks.of_loop(found.all)
    held = [stack for stack in loop if not stacks.waits(stack)]
    busy = stacks.share(loop, lambda stack: not stacks.waits(stack))
    samples = sum(one.count for one in found.cpu)
    looks = sum(one.count for one in loop) * NATIVE_RATE / RATE  # of the other half
    computing = samples / max(1.0, looks)
    parts = []
    # Busy by the clock while no thread computes: it waits in a call that should be awaited.
    if busy >= HELD and computing < busy / 2:
        blocked = stacks.sentence(held, "the time that the loop is held up")
        parts.append(f"the loop is held up {busy:.0%} of the time, mostly without CPU")
        parts += [blocked] if blocked else []
    else:
        cpu = stacks.sentence(found.cpu, "the server's CPU")
        parts += [cpu] if cpu else []
    if not parts:
        parts = [f"the server hardly ever computes: {samples} samples in which it did"]
    return Told("; ".join(parts), busy, samples)


def _files(
    cell: Cell, planned: Plan, where: Paths, folder: Path, found: Profile, told: Told
) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    root = where.root if planned.target is None else planned.target.path
    about: dict[str, Any] = {
        "schema": SCHEMA,
        "cell": cell.id,
        "measured": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "git": machine.git_state(root),
        "sources": _application(sources_of(planned.target, where)),
        "users": planned.profile.users,
        "sentence": told.sentence,
        "loop_busy": round(told.loop_busy, 4),
        "samples": told.samples,
    }
    shown = found.cpu or found.all
    title = f"{cell.id}: the server's CPU, {told.samples} samples"
    files = {
        folder / f"{cell.id}.svg": flame.svg(shown, title).encode(),
        folder / f"{cell.id}.speedscope.json": flame.speedscope(shown, title).encode(),
        folder / f"{cell.id}.json": (json.dumps(about, indent=2, default=str) + "\n").encode(),
    }
    atomic.replace(files)
    return [*files]


def _application(sources: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in sources.items() if name.startswith(APPLICATION)}
