"""What the formats share: figures as they may be shown, and numbers and names as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.analysis.verdict import Word
from bench.axes import BASIC
from bench.text import line

Content = Mapping[str, Any]  # of latest.json
Entry = Mapping[str, Any]  # one of its rows
PERCENTILES = ("p50", "p90", "p99")
_UNUSABLE = {Word.INVALID.value, Word.FAILED.value, Word.SKIPPED.value}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval, or the bound that it is known to exceed; any may be None."""

    value: float | None
    low: float | None = None
    high: float | None = None
    over: float | None = None


def levels(row: Entry) -> dict[str, Any]:
    """Its axes: the five that all cells have, and those that its file varies."""
    return {**{axis: row[axis] for axis in BASIC}, **row["settings"]}


def usable(row: Entry) -> bool:
    """Whether its verdict lets it have figures."""
    return row["verdict"] not in _UNUSABLE


def unstable(row: Entry) -> bool:
    """Whether it has two regimes, of which no one figure is true."""
    return bool(row["verdict"] == Word.UNSTABLE.value)


def throughput(row: Entry) -> Figure:
    """Requests a second; no value where there are two regimes."""
    found = row["throughput_rps"]
    return Figure(found["value"], found["low"], found["high"])


def percentile(row: Entry, name: str) -> Figure:
    """A latency in ms as the tables show it: one whose interval is open above is a bound only."""
    value, low, high = (
        row[field][name] for field in ("latency_ms", "latency_low_ms", "latency_high_ms")
    )
    if value is None:
        return Figure(None, over=row["latency_over_ms"].get(name))
    if low is not None and high is None:
        return Figure(None, low=low, over=low)
    return Figure(value, low, high)


def loop_delay_max(row: Entry) -> Figure:
    """In ms; a bound only where the loop was still blocked when the window ended."""
    found = row["loop_delay_ms"]
    if found["max_is_bound"]:
        return Figure(None, over=found["max"])
    return Figure(found["max"])


def seconds(value_ms: float) -> float:
    """From milliseconds, without the digits that dividing adds."""
    return float(f"{value_ms / 1000:.12g}")


def plain(value: float) -> str:
    """A number as any program reads it."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def label(value: object) -> str:
    """A name in one line, and printable."""
    return line(str(value))


def sentences(row: Entry) -> str:
    """Why the verdict isn't better."""
    return line("; ".join(row["reasons"]))
