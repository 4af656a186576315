"""Effects as sentences, made from figures by the rules below, never by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench import axes
from bench.analysis.effects import SAME, Effect, Outcome, Part
from bench.axes import SETTINGS
from bench.text import number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Name = Callable[[str], str]

MINUTES = 90  # more are told in hours
COMMANDS = 2  # that are told
ENDPOINTS = {
    "async_sync": "one blocking call in `async def`",
    "async": "`async def`",
    "sync": "`def`",
}


def sentence(effect: Effect, name: Name = str) -> str:
    """One effect in words; `name` makes io kinds, servers and the like fit for where it stands."""
    head, parts = told(effect, name)
    return f"{head}: {'; '.join(parts)}" if parts else head


def told(effect: Effect, name: Name = str) -> tuple[str, list[str]]:
    """The same as a sentence, or as its beginning and what is said of each part."""
    level, base = _sides(effect, name)
    about = "" if effect.of is None else f" with {name(effect.of)}"
    at = effect.axis == "endpoint" and effect.users is not None
    scope = f"{about} at {effect.users} users" if at else about
    left_out = _left_out(effect)
    if not effect.parts:
        return f"{_capital(level)} against {base}{scope}: no answer{left_out}", []
    if len(effect.parts) == 1:
        return f"{_whole(effect.parts[0], level, base, scope)}{_pairs(effect)}{left_out}", []
    return f"{_capital(level)} against {base}{scope}", parts_told(effect, name)


def by_turns(effects: Sequence[Effect], *, own: bool) -> str | None:
    """The commands that tell sooner what isn't known yet of cells that compute.

    Args:
        effects: of a run.
        own: of an application of one's own, whose file they need.
    """
    cells = [part.turns for effect in effects for part in effect.parts if part.turns]
    if not cells:
        return None
    config = " --config FILE" if own else ""
    commands = [f"`nox -s versus -- {base} {level}{config}`" for base, level in cells[:COMMANDS]]
    return f"Of cells that compute, turns tell sooner what isn't known yet: {', '.join(commands)}"


def sides(effect: Effect, name: Name = str) -> str:
    """What is compared with what: ``2 workers against 1 worker``."""
    level, base = _sides(effect, name)
    return f"{_capital(level)} against {base}"


def parts_told(effect: Effect, name: Name = str, *, brief: bool = False) -> list[str]:
    """What is said of each part, for whoever has said already what is compared.

    In brief: without how long to go on, and why pairs were left out.
    """
    if not effect.parts:
        return [f"no answer{_left_out(effect)}"]
    left_out = _left_out(effect, brief=brief)
    costs = effect.level == "async_sync"
    found = [_short(part, costs=costs, brief=brief) for part in effect.parts]
    if len(found) > 1:
        found = [
            f"{_where(part, effect, name)} {said}"
            for part, said in zip(effect.parts, found, strict=True)
        ]
    found[-1] += left_out
    return found


def _sides(effect: Effect, name: Name) -> tuple[str, str]:
    if effect.axis == "endpoint":
        base = "an awaited one" if effect.level == "async_sync" else ENDPOINTS[effect.base]
        return ENDPOINTS[effect.level], base
    if effect.axis == "workers":
        return f"{effect.level} workers", _workers(effect.base)
    return _level(effect.axis, effect.level, name), _level(effect.axis, effect.base, name)


def _whole(part: Part, level: str, base: str, scope: str) -> str:
    if part.outcome is Outcome.SAME:
        told = f"{level} and {base} have the same throughput within {SAME:.0%}"
        return f"{_capital(told)}{scope}: {_times(part)}"
    if part.outcome is Outcome.UNKNOWN:
        told = f"{level} against {base}"
        return f"{_capital(told)}{scope}: not known yet, {_times(part)} the throughput{_more(part)}"
    if level == ENDPOINTS["async_sync"] and part.ratio < 1:
        return f"{_capital(level)} costs {_times(part, inverse=True)} throughput{scope}"
    if part.ratio > 1:
        return f"{_capital(level)} has {_times(part)} the throughput of {base}{scope}"
    return f"{_capital(base)} has {_times(part, inverse=True)} the throughput of {level}{scope}"


def _short(part: Part, *, costs: bool, brief: bool) -> str:
    if part.outcome is Outcome.SAME:
        return f"the same, {_times(part)}"
    if part.outcome is Outcome.UNKNOWN:
        return f"not known yet, {_times(part)}{'' if brief else _more(part)}"
    if costs and part.ratio < 1:
        return f"it costs {_times(part, inverse=True)}"
    # Beside a cost, a bare ratio would be read as one.
    return f"it has {_times(part)} the throughput" if costs else _times(part)


def _more(part: Part) -> str:
    """How long to go on."""
    if part.more_s is None:
        return f" (too near to {SAME:.0%} to be told in any reasonable time)"
    minutes = math.ceil(part.more_s / 60)
    long = f"{minutes} min" if minutes <= MINUTES else f"{math.ceil(minutes / 60)} h"
    return f" (about {long} more of measuring would tell)"


def _where(part: Part, effect: Effect, name: Name) -> str:
    """What sets this part apart from the effect's others."""
    every = [dict(other.where) for other in effect.parts]
    levels = {
        axis: level
        for axis, level in part.where
        if any(other.get(axis) != level for other in every)
    }
    told = []
    if "endpoint" in levels or "io" in levels:
        endpoint, io = levels.pop("endpoint", None), levels.pop("io", None)
        told += [ENDPOINTS_SHORT[endpoint]] if endpoint is not None else []
        told += [name(io)] if io is not None else []
    told += [_level(axis, level, name) for axis, level in levels.items()]
    return f"with {', '.join(told)}"


ENDPOINTS_SHORT = {"sync": "`def`", "async": "`async def`", "async_sync": "blocking `async def`"}


def _level(axis: str, level: str, name: Name) -> str:
    if axis == "workers":
        return _workers(level)
    if axis in SETTINGS:
        return axes.told(axis, level)
    return f"Python {name(level)}" if axis == "python" else name(level)


def _workers(count: str) -> str:
    return "1 worker" if count == "1" else f"{count} workers"


def _times(part: Part, *, inverse: bool = False) -> str:
    """``38× (36 to 40)``, with its 95 % confidence interval."""
    ratio, low, high = part.ratio, part.low, part.high
    if inverse:
        ratio, low, high = 1 / ratio, 1 / high, 1 / low
    return f"{number(ratio)}× ({number(low)} to {number(high)})"


def _pairs(effect: Effect) -> str:
    count = effect.parts[0].pairs
    return f" [{'1 pair' if count == 1 else f'{count} pairs'} of cells]"


def _left_out(effect: Effect, *, brief: bool = False) -> str:
    count = effect.unstable + effect.alone + effect.vague
    if brief:
        return f"; {'1 pair' if count == 1 else f'{count} pairs'} left out" if count else ""
    causes = (
        (effect.unstable, "one of the two cells has two regimes"),
        (effect.alone, "a single trial of one of the two counts"),
        (effect.vague, "one of the two cells is known to worse than ± 50 %"),
    )
    told = "".join(
        f"; {'1 pair' if count == 1 else f'{count} pairs'} left out: {why}"
        for count, why in causes
        if count
    )
    if effect.packages:
        told += f"; packages differ, too: {', '.join(effect.packages)}"
    return told


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
