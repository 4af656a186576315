"""A row's figures as a person reads them: withheld and bounded ones look so."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING, Any

from bench import text
from bench.analysis.fairness import Fairness
from bench.report import fairness
from bench.report.places import NAMES
from bench.text import NONE, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from page.reading import Row

ENDPOINTS = {"sync": "def", "async": "async def", "async_sync": "async def, blocking"}
Facts = list[tuple[str, str]]


def endpoint(name: str) -> str:
    """How an endpoint is written, in words."""
    return ENDPOINTS.get(name, name)


def workers(count: int) -> str:
    """``1 worker``."""
    return "1 worker" if count == 1 else f"{count} workers"


def rate(row: Row) -> str:
    """``40.7 ± 6%``, both of two regimes, or a dash."""
    found = row.rate
    if found.regimes:
        return " or ".join(map(number, found.regimes))
    if found.value is None:
        return NONE
    if not found.low or not found.high:
        return f"~ {number(found.value)}"
    half_width = math.expm1(math.log(found.high / found.low) / 2)
    return f"{number(found.value)} ± {half_width:.0%}"


def latency(row: Row, name: str) -> str:
    """A percentile, its bound, or a dash."""
    found: Any = row.latency.get(name)
    return NONE if found is None else text.percentile(found)


def is_bounded(row: Row, name: str) -> bool:
    """Only something that it exceeds is known of this percentile."""
    return latency(row, name).startswith(">")


def latency_reason(row: Row, name: str) -> str:
    """Why a percentile is a bound or a dash."""
    if not row.usable:
        return "; ".join(row.reasons)
    found = row.latency.get(name)
    if found is not None and found.reason:
        return found.reason
    return "its upper end isn't known" if is_bounded(row, name) else "not known"


def users(row: Row) -> str:
    """``39.6 at the delay server, 10 waiting for a thread``."""
    total = sum(row.users_at.values())
    told = [
        f"{number(count)} {NAMES.get(place, place)}"
        for place, count in sorted(row.users_at.items(), key=lambda item: -item[1])
        if count >= total / 1000 and count > 0
    ]
    return ", ".join(told) or NONE


def facts(row: Row) -> Facts:
    """All that is known of a cell, a line each."""
    if not row.usable:
        return [(row.verdict, "; ".join(row.reasons) or "no reason was recorded")]
    return [*_load(row), *_server(row), *_beside(row.figures["background"])]


def _load(row: Row) -> Iterator[tuple[str, str]]:
    figures, found = row.figures, row.rate
    interval = "" if found.low is None or found.high is None else (
        f" (95 % interval {number(found.low)} to {number(found.high)})"
    )  # fmt: skip
    regimes = ": two regimes, so no single figure" if found.regimes else ""
    yield "requests/s", f"{rate(row)}{interval}{regimes}"
    limit = number(figures["limit_rps"])
    yield "limit", f"{limit} requests/s, {text.share(row.share_of_limit)} of it used"
    for name in row.latency:
        told = latency(row, name)
        why = f" ({latency_reason(row, name)})" if told == NONE or told.startswith(">") else ""
        yield f"latency, {name}", f"{told}{why}"
    by_little = text.milliseconds(figures["latency_ms"]["mean_by_little"])
    yield "latency, mean", f"{by_little} by Little's law"
    failed = (
        f"{_count(figures['requests'])} completed, {_count(figures['failures'])} of them failed"
    )
    yield "requests", f"{failed}, {number(figures['unfinished'])} in flight at the end"
    if figures["failure_kinds"]:
        kinds = (f"{count} × {name}" for name, count in figures["failure_kinds"].items())
        yield "failures, whole trials", ", ".join(kinds)
    yield "users", users(row)
    for kind in figures.get("kinds", ()):
        yield f"of {kind['name']}", _kind(kind)


def _kind(kind: Mapping[str, Any]) -> str:
    """Of a mix of requests: one of them."""
    levels = ", ".join(
        f"{level} {text.milliseconds(value)}"
        for level, value in kind["latency_ms"].items()
        if value is not None
    )
    failed = f", {kind['failures']} failed" if kind["failures"] else ""
    told = f"{number(kind['throughput_rps'])} requests/s of {kind['requests']} completed{failed}"
    waiting = kind.get("users")
    users = "" if waiting is None else f"; {number(waiting)} users wait for it"
    return f"{told}; {levels}{users}" if levels else f"{told}{users}"


def _server(row: Row) -> Iterator[tuple[str, str]]:
    figures = row.figures
    loop, pool = figures["loop_delay_ms"], figures["pool"]
    ran = fairness_of(row)
    if ran is not None:
        yield "served", fairness.told(ran)
    yield "CPU", f"{number(figures['cpu_ms_per_request'])} ms a request"
    yield "memory", f"{number(figures['rss_mb'])} MB"
    alive = f"{number(figures['threads_active_avg'])} alive on average"
    yield "threads", f"{number(figures['threads_spawned'])} spawned, {alive}"
    most = ("at least " if loop["max_is_bound"] else "") + text.milliseconds(loop["max"])
    yield "event loop late", f"{text.milliseconds(loop['p50'])} (median), {most} (most)"
    busy = f"{number(pool['busy_avg'])} of {number(pool['size'])} threads busy"
    yield "thread pool", f"{busy}, {number(pool['waiting_avg'])} calls waiting"
    if figures["upstream_in_flight_avg"] is not None:
        yield "delay server", f"{number(figures['upstream_in_flight_avg'])} requests inside"


def fairness_of(row: Row) -> Fairness | None:
    """How its server ran; None of a document that doesn't say."""
    found = row.figures.get("served")
    if found is None:
        return None
    return Fairness(
        loop=found["loop"],
        http=found["http"],
        connections=found["connections"],
        nodelay=found["nodelay"],
        backlog=found["backlog"],
        open_files=found["open_files"],
        log_bytes_per_request=found["log_bytes_per_request"],
        argv=tuple(shlex.split(found["command"])),
    )


def _beside(background: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    generator, delay = background["generator"], background["delay_server"]
    yield "server's cores", number(background["server_cores"])
    if len(background["worker_shares"]) > 1:
        yield "share of each worker", ", ".join(map(text.share, background["worker_shares"]))
    waited = f"waited for one {text.share(generator['waited'])} of the time"
    late = f"its timer {text.milliseconds(generator['late_p99_ms'])} late (p99)"
    yield "load generator", f"{number(generator['cores'])} cores, {waited}, {late}"
    over = f"{text.milliseconds(delay['overshoot_p99_ms'])} too long (p99)"
    yield "delay server's own", f"{number(delay['cores'])} cores, {over}"


def _count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"
