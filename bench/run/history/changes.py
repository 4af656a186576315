"""What differs between a run and one that would start now, in words. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.axes import SETTINGS as SETTINGS_OF_CELLS
from bench.config import format_duration, format_percentage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.config import Machine
    from bench.records.model import RunRecord

# Of a profile. Its name changes nothing, and a run goes on under another budget or precision.
SETTINGS = {
    "users": "number of users",
    "delay_s": "delay",
    "spawn_rate": "spawn rate",
    "warmup_s": "warm-up",
    "duration_s": "duration",
    "longest_s": "longest window",
    "rounds": "number of rounds",
    "rate": "rate of requests",
    "arrivals": "kind of arrivals",
    "in_flight": "most requests in flight",
    "generators": "number of generator processes",
    "machines": "number of load machines",
}
# Of a host, what differs from start to start of the same machine.
PASSING = {"load_before", "open_files"}
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. Trials ``apart`` can't be in one run, whatever a person says."""

    text: str
    apart: bool = False


def changes(before: RunRecord, now: RunRecord) -> tuple[Change, ...]:
    """All that has changed since ``before``; none if it can simply be resumed."""
    return (
        *(Change(text, apart=True) for text in _plan(before, now)),
        *(Change(text) for text in _less_asked(before, now)),
        *(Change(text) for text in _cells(before.cells, now.cells)),
        *(Change(text) for text in _sources(before.sources, now.sources)),
        *(Change(text) for text in _environments(before.environments, now.environments)),
        *(Change(text) for text in _machine(before, now)),
    )


def _less_asked(before: RunRecord, now: RunRecord) -> Iterator[str]:
    """What was measured for more is not passed off as what less of it gave."""
    was, new = before.profile.budget_s, now.profile.budget_s
    if was is not None and new is not None and new < was:
        yield f"the budget was {format_duration(was)} and is {format_duration(new)}"
    coarse, fine = now.profile.precision, before.profile.precision
    if coarse > fine:
        yield f"the precision was {format_percentage(fine)} and is {format_percentage(coarse)}"


def _plan(before: RunRecord, now: RunRecord) -> Iterator[str]:
    """Load and order; a run of other ones has other trials."""
    for name, called in SETTINGS.items():
        was, new = getattr(before.profile, name), getattr(now.profile, name)
        if was != new:
            yield f"the profile's {called} was {_shown(name, was)} and is {_shown(name, new)}"
    if before.seed != now.seed:
        yield f"the seed was {before.seed} and is {now.seed}"
    if before.probe != now.probe:
        yield f"the probe was {_on(before.probe)} and is {_on(now.probe)}"
    for axis in SETTINGS_OF_CELLS:
        was, new = (run.settings.get(axis, "the usual") for run in (before, now))
        if was != new:
            yield f"the cells' {axis} was {was} and is {new}"
    was, new = _pythons(before), _pythons(now)
    # With several, the cells' names tell them apart.
    if len(was) == len(new) == 1 and was != new:
        yield f"the Python of the cells was {was[0]} and is {new[0]}"


def _cells(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    added = [cell for cell in now if cell not in before]
    gone = [cell for cell in before if cell not in now]
    if added:
        yield f"{_cells_are(added)} new ({_some(added)})"
    if gone:
        yield f"{_cells_are(gone)} no longer in the plan ({_some(gone)})"
    if not added and not gone and tuple(before) != tuple(now):
        yield "the cells are listed in another order"


def _sources(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    if not before:  # recorded before there was this field
        yield "it doesn't say from which sources it was measured"
        return
    for name in now:
        if before.get(name) != now[name]:
            yield f"the {name} has changed"


def _environments(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Those that both have; others come and go with their cells."""
    for name, new in now.items():
        was = before.get(name)
        if was is None:
            continue
        if bool(was.get("unusable")) != bool(new.get("unusable")):
            words = ("can be used now", "can't be used any more")
            yield f"the environment {name} {words[bool(new.get('unusable'))]}"
        elif name == "go":
            if was.get("version") != new.get("version"):
                yield f"Go was {was.get('version')} and is {new.get('version')}"
        elif details := _details(was, new):
            yield f"the environment {name} has changed ({details})"


def _details(was: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs in an environment, packages by name."""
    before, now = (_versions(side) for side in (was, new))
    names = [n for n in dict.fromkeys([*before, *now]) if before.get(n) != now.get(n)]
    if not names and was.get("lock_sha256") != new.get("lock_sha256"):
        return "its lock file"
    return _some([f"{n} was {before.get(n, 'none')} and is {now.get(n, 'none')}" for n in names])


def _versions(environment: Mapping[str, Any]) -> dict[str, Any]:
    other = {"unusable", "lock_sha256", "packages"}
    named = {name: value for name, value in environment.items() if name not in other}
    return named | dict(environment.get("packages", {}))


def _machine(before: RunRecord, now: RunRecord) -> Iterator[str]:
    was, new = asdict(before.host), asdict(now.host)
    for name in new:
        if name not in PASSING and was[name] != new[name]:
            yield f"the machine's {name.replace('_', ' ')} was {was[name]} and is {new[name]}"
    if _placed(before) != _placed(now):
        yield "the placement on the machine's cores has changed"


def _placed(run: RunRecord) -> str:
    """Where what ran, however it was asked for; the same before and after it was JSON."""
    where = {role: cpus for role, cpus in run.placement.items() if role != "asked" and cpus}
    return json.dumps(where, sort_keys=True)


def _pythons(run: RunRecord) -> list[str]:
    """Of the servers, as in ``server-uvicorn-3.12``."""
    servers = [name for name, found in run.environments.items() if found.get("role") == "server"]
    return sorted({name.rpartition("-")[2] for name in servers})


def _shown(name: str, value: float | str | tuple[Machine, ...] | None) -> str:
    if isinstance(value, tuple):
        counts = [str(one.processes) for one in value]
        return f"{len(counts)} ({' and '.join(counts)} processes)" if counts else "0"
    if isinstance(value, str):
        return value
    if value is None:
        return "not fixed"
    return format_duration(value) if name.endswith("_s") else f"{value:g}"


def _on(value: bool) -> str:  # noqa: FBT001 - it is what is shown
    return "on" if value else "off"


def _cells_are(cells: Sequence[str]) -> str:
    return "1 cell is" if len(cells) == 1 else f"{len(cells)} cells are"


def _some(names: Sequence[str]) -> str:
    """Not more than a person wants to read in a sentence."""
    rest = len(names) - MOST_NAMED
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown
