"""The JSON of github-action-benchmark: ``customBiggerIsBetter`` or ``customSmallerIsBetter``.

A list of ``name``, ``unit``, ``value`` and, where there is one, ``range`` and ``extra``, as
https://github.com/benchmark-action/github-action-benchmark has it. The direction holds for a whole
file, so a file has one metric.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import BadInputError
from bench.export.figures import (
    Figure,
    label,
    percentile,
    plain,
    sentences,
    throughput,
    unstable,
    usable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.export.figures import Content, Entry


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of a row, in which unit, and which of the action's tools reads it."""

    unit: str
    tool: str
    of: Callable[[Entry], Figure]


def _latency(name: str) -> Metric:
    return Metric("ms", SMALLER, lambda row: percentile(row, name))


BIGGER, SMALLER = "customBiggerIsBetter", "customSmallerIsBetter"
METRICS = {
    "throughput_rps": Metric("requests/s", BIGGER, throughput),
    "p50_ms": _latency("p50"),
    "p90_ms": _latency("p90"),
    "p99_ms": _latency("p99"),
    "cpu_ms_per_request": Metric(
        "ms/request", SMALLER, lambda row: Figure(row["cpu_ms_per_request"])
    ),
    "rss_mb": Metric("MB", SMALLER, lambda row: Figure(row["rss_mb"])),
}
DEFAULT = "throughput_rps"


def text(content: Content, name: str = DEFAULT) -> str:
    """One metric of all cells that have it: others have no place here.

    Raises:
        BadInputError: none has it; the action would fail on an empty list and not say why.
    """
    metric = METRICS[name]
    found = [
        _entry(row, metric, figure, content)
        for row in content["rows"]
        if usable(row) and not unstable(row) and (figure := metric.of(row)).value is not None
    ]
    if not found:
        raise BadInputError(
            f"export: no cell of run {label(content['run']['id'])} has a figure for {name},"
            f" so there is nothing to export; `--metric` names another: {', '.join(METRICS)}"
        )
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _entry(row: Entry, metric: Metric, figure: Figure, content: Content) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": label(row["cell"]),
        "unit": metric.unit,
        "value": figure.value,
    }
    if figure.low is not None and figure.high is not None:
        entry["range"] = f"{plain(figure.low)} to {plain(figure.high)}"  # 95 % interval
    reasons = sentences(row)
    verdict = f"{row['verdict']}: {reasons}" if reasons else str(row["verdict"])
    why = [] if row["why"] is None else [label(row["why"])]
    profile = content["run"]["profile"]
    load = f"{label(profile['name'])}, {profile['users']} users, run {label(content['run']['id'])}"
    return entry | {"extra": "\n".join([verdict, *why, load])}
