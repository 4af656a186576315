"""latest.json: every field that design.md promises, in every row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.analysis.results import results
from bench.records.model import Resumption
from bench.report.document import document
from tests.support.records import example, measured, run, trial

TOP = {"schema", "run", "host", "environments", "rows"}
RUN = {"id", "started", "finished", "profile", "seed", "git"}
ROW = [
    "cell",
    "experiment",
    "endpoint",
    "io",
    "server",
    "workers",
    "python",
    "verdict",
    "reasons",
    "trials",
    "requests",
    "failures",
    "unfinished",
    "throughput_rps",
    "latency_ms",
    "latency_over_ms",
    "threads_spawned",
    "threads_active_avg",
    "cpu_ms_per_request",
    "rss_mb",
    "loop_delay_ms",
    "pool",
    "upstream_in_flight_avg",
    "limit_rps",
    "share_of_limit",
    "why",
]
NESTED = {
    "throughput_rps": {"value", "low", "high", "regimes", "trial_deviation"},
    "latency_ms": {"p50", "p90", "p99", "mean_by_little"},
    "loop_delay_ms": {"p50", "max"},
    "pool": {"size", "busy_avg", "waiting_avg"},
}
# Fields that may hold something where the numbers must not be printed.
ALWAYS = {"cell", "experiment", "endpoint", "io", "server", "workers", "python", "host"}
JUDGED = {"verdict", "reasons", "trials"}


def content(rounds: int = 1) -> dict[str, Any]:
    """The example as programs read it."""
    made, trials = example(rounds)
    found: dict[str, Any] = json.loads(document(results(made, trials)))
    return found


def test_the_head_says_what_was_run() -> None:
    """Schema, run, host, environments."""
    found = content()
    assert found.keys() >= TOP
    assert found["run"].keys() >= RUN
    assert found["schema"] == 2
    assert found["run"]["finished"] == run().finished


def test_what_changed_halfway_is_told_to_programs() -> None:
    """An empty list, or when, after how many trials and what."""
    assert content()["run"]["resumed"] == []
    step = Resumption("2026-03-04T06:00:00+00:00", 3, ("the application (app/) has changed",))
    found = json.loads(document(results(run(resumed=(step,)), [trial()])))
    assert found["run"]["resumed"] == [
        {
            "at": "2026-03-04T06:00:00+00:00",
            "done": 3,
            "changes": ["the application (app/) has changed"],
        }
    ]


@pytest.mark.parametrize(("rounds", "best"), [(1, set()), (3, {"valid"})])
def test_no_field_is_ever_absent(rounds: int, best: set[str]) -> None:
    """Whatever the verdict."""
    found = content(rounds)["rows"]
    assert {row["verdict"] for row in found} == {"rough", "invalid", "failed", "skipped"} | best
    for row in found:
        assert set(ROW) <= row.keys(), row["cell"]
        for name, parts in NESTED.items():
            assert parts <= row[name].keys(), (row["cell"], name)


def test_a_row_that_cannot_be_used_has_no_figure() -> None:
    """Null or empty, all the way down; the reasons say why."""

    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for part in value.values() for leaf in leaves(part)]
        return (
            [leaf for part in value for leaf in leaves(part)]
            if isinstance(value, list)
            else [value]
        )

    for row in content()["rows"]:
        if row["verdict"] in {"invalid", "failed", "skipped"}:
            told = {name: value for name, value in row.items() if name not in ALWAYS | JUDGED}
            assert [leaf for leaf in leaves(told) if leaf is not None] == [], row["cell"]
            assert row["trials"] == 0
            assert row["reasons"]


def test_a_withheld_percentile_is_null_with_its_bound_and_reason() -> None:
    """What is known has no bound beside it."""
    doubtful = content()["rows"][1]
    assert doubtful["latency_ms"]["p50"] == 79.9
    assert doubtful["latency_ms"]["p99"] is None
    assert doubtful["latency_over_ms"] == {"p99": 999.7}
    assert doubtful["latency_withheld"] == {"p99": "3 of the 5 completions needed beyond it"}


def test_figures_have_six_digits() -> None:
    """More would be noise, and would differ from machine to machine."""
    made = run()
    found = json.loads(
        document(results(made, [trial(measured=measured(throughput_rps=38.12345678))]))
    )
    assert found["rows"][0]["throughput_rps"]["value"] == 38.1235


def test_whole_figures_are_whole_numbers() -> None:
    """41 threads, not 41.0."""
    text = document(results(run(), [trial()]))
    assert '"threads_spawned": 41,' in text


def test_texts_stay_as_they_are() -> None:
    """JSON needs no escaping for a page; names and reasons can be compared."""
    found = content()["rows"]
    assert found[6]["cell"] == "<script>|`x`-uvicorn-w2"
    assert "<script>alert(1)</script> | `rm -rf`" in found[4]["reasons"][0]
