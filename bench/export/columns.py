"""The columns of the formats that are tables: csv and parquet have the same."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from functools import reduce
from typing import TYPE_CHECKING, Any

from bench.axes import SETTINGS
from bench.export.figures import (
    PERCENTILES,
    loop_delay_max,
    percentile,
    throughput,
)
from bench.records.model import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.export.figures import Content, Entry


class Kind(Enum):
    """What a column holds; any value may be missing."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"


Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A name with its unit, and where its value is in a row of latest.json."""

    name: str
    kind: Kind
    of: Callable[[Entry], Any]


def cells(content: Content) -> Iterator[list[Value]]:
    """A row a cell, in declared order; unusable ones with their verdict and without figures."""
    for row in content["rows"]:
        yield [content["run"]["id"], *(column.of(row) for column in COLUMNS[1:])]


def _text(name: str) -> Column:
    return Column(name, Kind.TEXT, lambda row: row[name])


def _setting(name: str) -> Column:
    return Column(name, Kind.TEXT, lambda row: row["settings"].get(name))


def _joined(name: str) -> Column:
    return Column(name, Kind.TEXT, lambda row: "; ".join(row[name]) or None)


def _whole(name: str) -> Column:
    return Column(name, Kind.WHOLE, lambda row: row[name])


def _served(name: str, kind: Kind) -> Column:
    """How the server really ran."""
    return Column(f"served_{name}", kind, lambda row: (row["served"] or {}).get(name))


def _arrivals(name: str) -> Column:
    """Of an open load."""
    return Column(
        f"arrivals_{name}", Kind.NUMBER, lambda row: (row.get("arrivals") or {}).get(name)
    )


def _number(name: str, *path: str) -> Column:
    where = path or (name,)
    return Column(name, Kind.NUMBER, lambda row: reduce(lambda part, key: part[key], where, row))


def _regime(name: str, at: int, what: str, kind: Kind) -> Column:
    """Of the slower regime (0) or the faster one (1)."""

    def of(row: Entry) -> Any:
        regimes = row["throughput_rps"]["regimes"]
        return regimes[at][what] if regimes else None

    return Column(name, kind, of)


def _latency(name: str) -> tuple[Column, ...]:
    return (
        Column(f"{name}_ms", Kind.NUMBER, lambda row: percentile(row, name).value),
        Column(f"{name}_low_ms", Kind.NUMBER, lambda row: percentile(row, name).low),
        Column(f"{name}_high_ms", Kind.NUMBER, lambda row: percentile(row, name).high),
        Column(f"{name}_over_ms", Kind.NUMBER, lambda row: percentile(row, name).over),
        Column(f"{name}_withheld", Kind.TEXT, lambda row: row["latency_withheld"].get(name)),
    )


COLUMNS: tuple[Column, ...] = (
    Column("run", Kind.TEXT, lambda _: None),  # not the row's own
    *(_text(name) for name in ("cell", "experiment", "endpoint", "io", "server")),
    _whole("workers"),
    _text("python"),
    Column("host", Kind.WHOLE, lambda row: row.get("host", 0)),
    *(_setting(name) for name in SETTINGS),
    _text("verdict"),
    _joined("reasons"),
    _joined("remarks"),
    _text("why"),
    _text("profile"),
    *(_whole(name) for name in ("trials", "requests", "failures")),
    _number("unfinished"),
    Column("throughput_rps", Kind.NUMBER, lambda row: throughput(row).value),
    Column("throughput_low_rps", Kind.NUMBER, lambda row: throughput(row).low),
    Column("throughput_high_rps", Kind.NUMBER, lambda row: throughput(row).high),
    _regime("regime_slow_rps", 0, "value", Kind.NUMBER),
    _regime("regime_slow_trials", 0, "trials", Kind.WHOLE),
    _regime("regime_fast_rps", 1, "value", Kind.NUMBER),
    _regime("regime_fast_trials", 1, "trials", Kind.WHOLE),
    *(column for name in PERCENTILES for column in _latency(name)),
    _number("mean_by_little_ms", "latency_ms", "mean_by_little"),
    _number("threads_spawned"),
    _number("threads_active_avg"),
    _number("cpu_ms_per_request"),
    _number("rss_mb"),
    *(_arrivals(name) for name in ("rate", "late_p99_ms", "in_system_avg")),
    _number("loop_delay_p50_ms", "loop_delay_ms", "p50"),
    Column("loop_delay_max_ms", Kind.NUMBER, lambda row: loop_delay_max(row).value),
    Column("loop_delay_max_over_ms", Kind.NUMBER, lambda row: loop_delay_max(row).over),
    _number("pool_size", "pool", "size"),
    _number("pool_busy_avg", "pool", "busy_avg"),
    _number("pool_waiting_avg", "pool", "waiting_avg"),
    _number("upstream_in_flight_avg"),
    *(_served(name, Kind.TEXT) for name in ("loop", "http")),
    *(_served(name, Kind.WHOLE) for name in ("connections", "nodelay", "backlog", "open_files")),
    _served("log_bytes_per_request", Kind.NUMBER),
    _number("limit_rps"),
    _number("share_of_limit"),
    *(_number(f"users_at_{place.name}", "users_at", place.name) for place in fields(Places)),
)
