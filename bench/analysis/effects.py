"""Effects: the ratio between two levels of one axis, all else equal, as a short list of answers.

Sentences are made from figures by the rules below, never by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.stats import LogRatio, geometric_mean_ratio
from bench.text import number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.analysis.rows import Row

NO_EFFECT = 0.05  # smaller ones are called none


@dataclass(frozen=True, slots=True)
class Effect:
    """How many times the throughput of ``base`` a level has, over the cells it is taken from."""

    axis: str
    level: str
    base: str
    of: str  # which cells: an io kind, or all
    users: int
    ratio: LogRatio
    lowest: float  # over the cells
    highest: float

    @property
    def low(self) -> float:
        """The interval's lower end; with three cells or fewer, the range's."""
        return self.lowest if self.ratio.low is None else self.ratio.low

    @property
    def high(self) -> float:
        """The interval's upper end; with three cells or fewer, the range's."""
        return self.highest if self.ratio.high is None else self.ratio.high


@dataclass(frozen=True, slots=True)
class _Contrast:
    """Two levels of an axis, and what is kept apart."""

    axis: str
    level: str
    base: str
    by_io: bool


def effects(rows: Sequence[Row], users: int) -> tuple[Effect, ...]:
    """All effects that the rows hold, in the order in which people ask."""
    found: list[Effect] = []
    for contrast in _contrasts(rows):
        kinds = list(dict.fromkeys(row.io for row in rows)) if contrast.by_io else [None]
        found += [
            effect for io in kinds if (effect := _effect(rows, contrast, io, users)) is not None
        ]
    return tuple(found)


def sentence(effect: Effect, name: Callable[[str], str] = str) -> str:
    """One effect in words; `name` makes io kinds, servers and the like fit for where it stands."""
    return SENTENCES[effect.axis](effect, name)


def _contrasts(rows: Sequence[Row]) -> list[_Contrast]:
    contrasts = [
        _Contrast("endpoint", "async_sync", "async", by_io=True),
        _Contrast("endpoint", "async", "sync", by_io=True),
    ]
    for axis in ("workers", "server", "python"):
        levels = list(dict.fromkeys(str(getattr(row, axis)) for row in rows))
        contrasts += [_Contrast(axis, level, levels[0], by_io=False) for level in levels[1:]]
    return contrasts


def _effect(rows: Sequence[Row], contrast: _Contrast, io: str | None, users: int) -> Effect | None:
    ratios = _ratios(rows, contrast, io)
    if not ratios:
        return None
    return Effect(
        axis=contrast.axis,
        level=contrast.level,
        base=contrast.base,
        of=io or "all io kinds",
        users=users,
        ratio=geometric_mean_ratio(ratios),
        lowest=min(ratios),
        highest=max(ratios),
    )


def _ratios(rows: Sequence[Row], contrast: _Contrast, io: str | None) -> list[float]:
    """A ratio for each pair of cells that differ in this axis alone."""
    by_rest: dict[tuple[object, ...], dict[str, float]] = {}
    for row in rows:
        rate = row.throughput_rps.median if row.throughput_rps is not None else 0.0
        if rate <= 0 or (io is not None and row.io != io):
            continue
        axes = {name: getattr(row, name)
                for name in ("endpoint", "io", "server", "workers", "python")}  # fmt: skip
        level = str(axes.pop(contrast.axis))
        by_rest.setdefault(tuple(axes.values()), {})[level] = rate
    return [
        rates[contrast.level] / rates[contrast.base]
        for rates in by_rest.values()
        if contrast.level in rates and contrast.base in rates
    ]


def _times(effect: Effect, *, inverse: bool = False) -> str:
    """``38× (36 to 40)``, with the interval or, for few cells, the range."""
    ratio, low, high = effect.ratio.ratio, effect.low, effect.high
    if inverse:
        ratio, low, high = 1 / ratio, 1 / high, 1 / low
    return f"{number(ratio)}× ({number(low)} to {number(high)})"


def _over(effect: Effect) -> str:
    """What it is taken from."""
    cells = "1 pair of cells" if effect.ratio.n == 1 else f"{effect.ratio.n} pairs of cells"
    return f"[{cells}]"


def _none(effect: Effect) -> bool:
    """No effect worth the name: within 5 %, or the interval holds both ways."""
    return abs(effect.ratio.ratio - 1) < NO_EFFECT or effect.low <= 1 <= effect.high


def _endpoint(effect: Effect, name: Callable[[str], str]) -> str:
    where = f"with {name(effect.of)} at {effect.users} users"
    if effect.level == "async_sync":
        if _none(effect):
            return (f"One blocking call in `async def` makes no clear difference {where}:"
                    f" {_times(effect)} the throughput {_over(effect)}")  # fmt: skip
        if effect.ratio.ratio < 1:
            return (f"One blocking call in `async def` costs {_times(effect, inverse=True)}"
                    f" throughput {where} {_over(effect)}")  # fmt: skip
        return (f"A blocking call in `async def` gives {_times(effect)} the throughput of an"
                f" awaited one {where} {_over(effect)}")  # fmt: skip
    return _compared(effect, "`async def`", "`def`", where)


def _compared(effect: Effect, level: str, base: str, where: str) -> str:
    if _none(effect):
        return (f"{level} and {base} show no clear difference {where}: {_times(effect)}"
                f" the throughput {_over(effect)}")  # fmt: skip
    if effect.ratio.ratio > 1:
        return f"{level} has {_times(effect)} the throughput of {base} {where} {_over(effect)}"
    return (f"{base} has {_times(effect, inverse=True)} the throughput of {level} {where}"
            f" {_over(effect)}")  # fmt: skip


def _workers(effect: Effect, _: Callable[[str], str]) -> str:
    return (f"{effect.level} workers have {_times(effect)} the throughput of {effect.base}, over"
            f" {effect.of} {_over(effect)}")  # fmt: skip


def _server(effect: Effect, name: Callable[[str], str]) -> str:
    return _compared(effect, name(effect.level), name(effect.base), f"over {effect.of}")


def _python(effect: Effect, name: Callable[[str], str]) -> str:
    level, base = name(effect.level), name(effect.base)
    return _compared(effect, f"Python {level}", f"Python {base}", f"over {effect.of}")


SENTENCES: dict[str, Callable[[Effect, Callable[[str], str]], str]] = {
    "endpoint": _endpoint,
    "workers": _workers,
    "server": _server,
    "python": _python,
}
