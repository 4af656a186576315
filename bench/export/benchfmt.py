"""Go's benchmark format, for `benchstat`: golang.org/design/14313-benchmark-format.

A line a trial, so that benchstat has repeats to judge. A name is ``BenchmarkCell`` and the cell's
axes as ``/key=value``: `benchstat -col /endpoint` then sets `def` beside `async def`. The second
field, iterations, is 1: one trial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from bench.errors import BadInputError
from bench.export.figures import label, levels, percentile, plain, seconds, unstable, usable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.export.figures import Content, Entry

UNITS = {  # benchstat shows seconds as ms or µs, and must be told where more is better
    "throughput_rps": ("requests/s", "higher"),
    "p50_ms": ("p50-sec", "lower"),
    "cpu_ms_per_request": ("cpu-sec/request", "lower"),
    "handler_min_ms": ("fastest-handler-sec", "lower"),
}


def text(content: Content) -> str:
    """The usable cells; one with two regimes isn't, as a median over both would be of neither.

    Raises:
        BadInputError: there is none.
    """
    rows = [row for row in content["rows"] if usable(row) and not unstable(row)]
    results = [one for row in rows for one in _results(row)]
    if not results:
        raise BadInputError(
            f"export: no cell of run {label(content['run']['id'])} has figures,"
            " so there is nothing to export"
        )
    units = [f"Unit {unit} better={better}" for unit, better in UNITS.values()]
    return "\n".join([*_configuration(content), "", *units, "", *results]) + "\n"


def _configuration(content: Content) -> Iterator[str]:
    """``key: value`` for what must be alike for runs to be comparable; the rest as comments.

    benchstat makes a table of its own for each configuration, so one that held the run's id would
    set no two runs side by side.
    """
    run, host = content["run"], content["host"]
    about = {
        "run": run["id"],
        "started": run["started"],
        "commit": run["git"].get("commit"),
        "profile": run["profile"]["name"],
        "kernel": host["kernel"],
    }
    alike = {
        "pkg": "fastapi-matrix",
        "users": run["profile"]["users"],
        "delay": f"{plain(run['profile']['delay_s'])}s",
        "cpu": host["cpu"],
        "cpu-count": host["cores"],
        "os": host["os"],
    }
    for before, found in (("# ", about), ("", alike)):
        for key, value in found.items():
            if value is not None and (shown := label(value)):
                yield f"{before}{key}: {shown}"


def _results(row: Entry) -> Iterator[str]:
    axes = (f"{axis}={_name(level)}" for axis, level in levels(row).items())
    name = "/".join(["BenchmarkCell", *axes])
    given = [metric for metric in UNITS if _given(row, metric)]
    for sample in row["samples"] if given else ():
        pairs = [f"{_value(metric, sample[metric])} {UNITS[metric][0]}" for metric in given]
        yield " ".join([name, "1", *pairs])


def _given(row: Entry, metric: str) -> bool:
    """Only what every trial has: of some alone it would be a figure of the quicker ones."""
    if metric == "p50_ms" and percentile(row, "p50").value is None:
        return False
    return bool(row["samples"]) and all(sample[metric] is not None for sample in row["samples"])


def _value(metric: str, value: float) -> str:
    return plain(value if metric == "throughput_rps" else seconds(value))


def _name(value: object) -> str:
    """Without what ends a name or a part of one."""
    return quote(label(value), safe="") or "-"
