"""Templates of the charts in an opened row; the page's script puts a trial's figures in.

Data sources by name: ``points`` (t, value, name), ``window`` (from, to); ``curve`` (trial, ms,
below, part), ``ends`` (at).
"""

from __future__ import annotations

from typing import Any

import altair as alt

from page import palette

KNOWN, BOUND = "known", "only a bound"


def track() -> Any:
    """Something over a trial's time, with its window."""
    window = (
        alt.Chart(alt.NamedData("window"))
        .mark_rect(color=palette.MUTED, opacity=0.16)
        .encode(x="from:Q", x2="to:Q")
    )
    lines = (
        alt.Chart(alt.NamedData("points"))
        .mark_line(strokeWidth=1.5, interpolate="linear", invalid="break-paths-show-domains")
        .encode(
            x=alt.X("t:Q", title="s since the first user began", axis=alt.Axis(tickCount=6)),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4, format="~s")),
            color=alt.Color("name:N", title=None, legend=None, scale=alt.Scale(
                range=[palette.BLUE, palette.VERMILION])),
            strokeDash=alt.StrokeDash("name:N", legend=None, title=None, scale=alt.Scale(
                range=[[1, 0], [5, 3]])),
        )
    )  # fmt: skip
    return alt.layer(window, lines).properties(width=300, height=90)


def latency() -> Any:
    """The share of requests that took at most so long; dashed where it is only a bound."""
    curve = alt.Chart(alt.NamedData("curve")).encode(
        x=alt.X("ms:Q", title="ms, logarithmic", scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(tickCount=5, format="~s")),
        y=alt.Y("below:Q", title="took at most", scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=".0%", tickCount=5)),
        color=alt.Color("trial:N", title="trial", scale=alt.Scale(range=list(palette.SERIES))),
        detail="part:N",
    )  # fmt: skip
    known = curve.transform_filter(f"datum.part == '{KNOWN}'").mark_line(
        interpolate="step-after", strokeWidth=1.8
    )
    bound = curve.transform_filter(f"datum.part == '{BOUND}'").mark_line(
        interpolate="step-after", strokeWidth=1.8, strokeDash=[2, 3], opacity=0.8
    )
    ends = alt.Chart(alt.NamedData("ends")).mark_rule(strokeDash=[6, 3]).encode(x="at:Q")
    return alt.layer(known, bound, ends).properties(width=300, height=220)
