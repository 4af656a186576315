"""OpenMetrics 1.0 text: gauges of what was found, for Prometheus and its kin.

https://prometheus.io/docs/specs/om/open_metrics_spec/: base units, the unit as the name's suffix,
``# EOF`` at the end. No timestamps: what reads it stores it as of then, and the run's own times are
metrics.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from bench.analysis.verdict import Word
from bench.export.figures import (
    PERCENTILES,
    Figure,
    label,
    levels,
    percentile,
    plain,
    seconds,
    throughput,
    usable,
)
from bench.records.model import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.export.figures import Content, Entry

PREFIX = "fastapi_matrix"
MB = 1_000_000
Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float | None]  # None is left out


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name without prefix and unit, its unit, what it means, a row's samples."""

    name: str
    unit: str
    help: str
    of: Callable[[Entry], list[Sample]]

    @property
    def full_name(self) -> str:
        """With both."""
        return "_".join(part for part in (PREFIX, self.name, self.unit) if part)


def text(content: Content) -> str:
    """All of it. Every cell has its verdict; figures only those that may have them."""
    lines = [*_run(content), *_verdicts(content)]
    for family in FAMILIES:
        lines += [
            *_head(family.full_name, "gauge", family.help, family.unit),
            *(
                _sample(family.full_name, (*_cell(row), *labels), value)
                for row in content["rows"]
                if usable(row)
                for labels, value in family.of(row)
                if value is not None
            ),
        ]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _one(name: str, unit: str, help_: str, of: Callable[[Entry], float | None]) -> Family:
    return Family(name, unit, help_, lambda row: [((), of(row))])


def _latency(name: str, help_: str, of: Callable[[Figure], float | None]) -> Family:
    return Family(
        name,
        "seconds",
        help_,
        lambda row: [
            ((("percentile", one.removeprefix("p")),), _seconds(of(percentile(row, one))))
            for one in PERCENTILES
        ],
    )


def _seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else seconds(value_ms)


RATE = "requests_per_second"
FAMILIES = (
    _one("throughput", RATE, "Requests completed a second.", lambda row: throughput(row).value),
    _one("throughput_low", RATE, "Lower end of its 95 % confidence interval.",
         lambda row: throughput(row).low),
    _one("throughput_high", RATE, "Upper end of its 95 % confidence interval.",
         lambda row: throughput(row).high),
    _one("limit", RATE, "What arithmetic allows at most.", lambda row: row["limit_rps"]),
    _latency("latency", "Latency; none where only a bound is known.", lambda found: found.value),
    _latency("latency_low", "Lower end of its 95 % confidence interval.", lambda found: found.low),
    _latency("latency_high", "Upper end of its 95 % confidence interval.",
             lambda found: found.high),
    _latency("latency_over", "What a latency that isn't known is known to exceed.",
             lambda found: found.over),
    _one("cpu", "seconds_per_request", "CPU time of the server's processes.",
         lambda row: _seconds(row["cpu_ms_per_request"])),
    _one("resident_memory", "bytes", "Memory of the server's processes.",
         lambda row: None if row["rss_mb"] is None else row["rss_mb"] * MB),
    Family("users", "", "Users by where they are, on average.",
           lambda row: [((("place", place.name),), row["users_at"][place.name])
                        for place in fields(Places)]),
    _one("window_requests", "", "Requests completed in the windows of all trials that count.",
         lambda row: row["requests"]),
    _one("window_failures", "", "How many of them failed.", lambda row: row["failures"]),
)  # fmt: skip


def _run(content: Content) -> Iterator[str]:
    """What was run, and when."""
    run, host = content["run"], content["host"]
    about = (
        ("run", run["id"]), ("profile", run["profile"]["name"]),
        ("users", run["profile"]["users"]), ("delay_s", plain(run["profile"]["delay_s"])),
        ("commit", run["git"].get("commit", "")), ("cpu", host["cpu"]),
        ("cores", host["cores"]), ("os", host["os"]), ("kernel", host["kernel"]),
    )  # fmt: skip
    name = f"{PREFIX}_run"
    yield from _head(name, "info", "The run that everything here is of.")
    yield _sample(f"{name}_info", tuple((key, label(value)) for key, value in about), 1)
    for when in ("started", "finished"):
        if (moment := _moment(run[when])) is not None:
            name = f"{PREFIX}_{when}_timestamp_seconds"
            yield from _head(name, "gauge", f"When the run {when}.", "seconds")
            yield _sample(name, (), moment)


def _moment(told: str | None) -> float | None:
    """Seconds since 1970; None for a run that hasn't ended, or a text that tells none."""
    try:
        found = None if told is None else datetime.fromisoformat(told)
    except ValueError:
        return None
    return None if found is None or found.tzinfo is None else found.timestamp()


def _verdicts(content: Content) -> Iterator[str]:
    """A state set: one sample a verdict, 1 for the one that holds."""
    name = f"{PREFIX}_verdict"
    yield from _head(name, "stateset", "What the cell's figures are worth.")
    for row in content["rows"]:
        for word in Word:
            labels = (*_cell(row), (name, word.value))
            yield _sample(name, labels, int(row["verdict"] == word.value))


def _cell(row: Entry) -> Labels:
    axes = ((axis, label(level)) for axis, level in levels(row).items())
    return (("cell", label(row["cell"])), *axes)


def _head(name: str, type_: str, help_: str, unit: str = "") -> Iterator[str]:
    yield f"# TYPE {name} {type_}"
    if unit:
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {_escaped(help_)}"


def _sample(name: str, labels: Labels, value: float) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{told}}} {plain(value)}" if told else f"{name} {plain(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
