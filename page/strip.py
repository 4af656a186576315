"""All trials in the order in which they ran: drift of the machine shows as a slope."""

from __future__ import annotations

from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

import altair as alt

from bench.text import number
from page import palette
from page.overview import Figure, logarithmic

if TYPE_CHECKING:
    from page.reading import Report, Row, Trial

STATES = ("counted", "again (A/A)", "set aside")
MOST = 3000  # marks
Records = list[dict[str, Any]]


def figure(report: Report) -> Figure:
    """Each trial's throughput as a multiple of its cell's."""
    found = _ordered(report) if report.trials else _by_round(report)
    title = "All trials in the order in which they ran"
    if not found:
        return Figure("chart-strip", title, "No trial has a throughput that may be shown.", None)
    axis = "trial" if report.trials else "round or pass"
    ratios = [record["ratio"] for record in found]
    without = "" if report.trials else " Their order within a round isn't recorded here."
    told = (
        f"{len(found)} trials, each as a multiple of its cell's geometric mean: from"
        f" {number(min(ratios))}× to {number(max(ratios))}×. A slope would be drift of the"
        f" machine.{without}"
    )
    note = f"The first {MOST} of {len(found)} trials." if len(found) > MOST else ""
    return Figure("chart-strip", title, told, _chart(found[:MOST], axis), note)


def mean_rps(trial: Trial) -> float | None:
    """Of the points inside the window; for trials that have no figure of their own."""
    inside = [
        value
        for t_s, value in zip(trial.t_s, trial.tracks["throughput_rps"], strict=True)
        if value is not None and trial.t0_s <= t_s <= trial.t1_s
    ]
    return sum(inside) / len(inside) if inside else None


def _ordered(report: Report) -> Records:
    rows = {row.cell: row for row in report.rows}
    records = (_record(trial, rows[trial.cell]) for trial in report.trials)
    return [record for record in records if record is not None]


def _record(trial: Trial, row: Row) -> dict[str, Any] | None:
    """None where cell or trial has no figure."""
    counted = not trial.twin and trial.round in row.samples
    value = row.samples[trial.round] if counted else mean_rps(trial)
    if not value or not row.samples:
        return None
    state = "counted" if counted else "again (A/A)" if trial.twin else "set aside"
    return {
        "x": trial.index,
        "cell": row.cell,
        "ratio": float(f"{value / geometric_mean(row.samples.values()):.4g}"),
        "shown": f"{number(value)} requests/s",
        "state": state,
        "why": "; ".join(trial.disturbances) or "–",
    }


def _by_round(report: Report) -> Records:
    return [
        {
            "x": round_,
            "cell": row.cell,
            "ratio": float(f"{value / geometric_mean(row.samples.values()):.4g}"),
            "shown": f"{number(value)} requests/s",
            "state": "counted",
            "why": "–",
        }
        for row in report.rows
        for round_, value in sorted(row.samples.items())
        if value > 0
    ]


def _chart(found: Records, axis: str) -> Any:
    states = [state for state in STATES if any(record["state"] == state for record in found)]
    colours = dict(zip(STATES, (palette.BLUE, palette.PURPLE, palette.VERMILION), strict=True))
    shapes = dict(zip(STATES, ("circle", "diamond", "cross"), strict=True))
    scaled = logarithmic([*(record["ratio"] for record in found), 0.8, 1.25])
    scaled["axis"] = alt.Axis(format="~g", tickCount=6)
    y = alt.Y("ratio:Q", title="times its cell's mean, logarithmic", **scaled)
    last = max(record["x"] for record in found)
    x = alt.X("x:Q", title=axis, axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(
        domain=[0, last + 1], nice=False))  # fmt: skip
    points = (
        alt.Chart(alt.InlineData(values=found))
        .mark_point(filled=True, opacity=0.8, size=34)
        .encode(
            x=x,
            y=y,
            color=alt.Color("state:N", title=None, sort=states, scale=alt.Scale(
                domain=states, range=[colours[state] for state in states])),
            shape=alt.Shape("state:N", title=None, sort=states, scale=alt.Scale(
                domain=states, range=[shapes[state] for state in states])),
            tooltip=[
                alt.Tooltip("cell:N", title="cell"),
                alt.Tooltip("shown:N", title="this trial"),
                alt.Tooltip("ratio:Q", title="times its cell's", format=".3~f"),
                alt.Tooltip("state:N", title="state"),
                alt.Tooltip("why:N", title="disturbed by"),
            ],
        )
    )  # fmt: skip
    level = alt.Chart(alt.InlineData(values=[{"one": 1}])).mark_rule().encode(y="one:Q")
    return alt.layer(level, points).properties(width=980, height=210)
