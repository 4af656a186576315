"""The charts of a whole run, with altair; each with a text that says what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from bench import axes
from bench.report.places import LETTERS, NAMES
from bench.text import number, share
from page import palette
from page.chart_data import Figure, charted, logarithmic, order, records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from page.chart_data import Chart, Records
    from page.reading import Report, Row

STEP = 12  # pixels a mark


def figures(report: Report) -> list[Figure]:
    """All charts of a run; those that have nothing to show say so."""
    rows, left_out = charted(report.rows)
    note = (
        f"The first {len(rows)} of {len(report.rows)} cells; the table has all." if left_out else ""
    )
    return [
        Figure("chart-throughput", "Requests/s by endpoint and io", *_throughput(rows), note),
        Figure("chart-limit", "Share of what arithmetic allows", *_limit(rows), note),
        Figure("chart-users", "Where the users are", *_users(rows), note),
        Figure("chart-workers", "Scaling with workers", *_workers(rows), note),
        *([Figure("chart-ladder", "Throughput and latency against users", *ladder, note)]
          if (ladder := _ladder(rows)) else []),
    ]  # fmt: skip


def endpoint_scales(found: Records) -> dict[str, Any]:
    """Colour and shape by endpoint: neither is needed to tell them apart."""
    names = order(found, "endpoint")
    colours = [palette.SERIES[i % len(palette.SERIES)] for i in range(len(names))]
    shapes = [palette.SHAPES[i % len(palette.SHAPES)] for i in range(len(names))]
    return {
        "color": alt.Color(
            "endpoint:N", sort=names, title=None, scale=alt.Scale(domain=names, range=colours)
        ),
        "shape": alt.Shape(
            "endpoint:N", sort=names, title=None, scale=alt.Scale(domain=names, range=shapes)
        ),
    }


def _values(found: Records) -> list[float]:
    fields = ("value", "low", "high", "first", "last")
    return [record[field] for record in found for field in fields if record[field]]


def tooltip(*extra: alt.Tooltip) -> list[alt.Tooltip]:
    """The cell, its figure and its verdict."""
    return [
        alt.Tooltip("cell:N", title="cell"),
        alt.Tooltip("shown:N", title="requests/s"),
        alt.Tooltip("verdict:N", title="verdict"),
        *extra,
    ]


def _panels(found: Records, *layers: Chart, field: str = "io", width: int = 300) -> Chart:
    """Side by side, a panel a level."""
    offset: Any = {"step": STEP, "for": "offset"}
    chart = alt.layer(*layers, data=alt.InlineData(values=found)).properties(
        width=width, height=alt.Step(**offset)
    )
    return chart.facet(column=alt.Column(f"{field}:N", sort=order(found, field), title=None))


def _placed(found: Records) -> dict[str, Any]:
    return {
        "y": alt.Y("variant:N", sort=order(found, "variant"), title=None),
        "yOffset": alt.YOffset("endpoint:N", sort=order(found, "endpoint")),
    }


def _throughput(rows: Sequence[Row]) -> tuple[str, Chart | None]:
    """A point and an interval a cell on a logarithmic axis; two hollow ones for two regimes."""
    found = [r for r in records(rows) if r["value"] or r["first"]]
    if not found:
        return "No cell has a throughput that may be shown.", None
    base = alt.Chart().encode(**_placed(found), tooltip=tooltip())
    scales = endpoint_scales(found)
    x = logarithmic(_values(found))
    title = "requests/s, logarithmic"
    layers = [
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(strokeWidth=2)
        .encode(x=alt.X("low:Q", title=title, **x), x2="high:Q", color=scales["color"]),
        base.transform_filter("isValid(datum.value)")
        .mark_point(filled=True, size=36, opacity=1)
        .encode(x=alt.X("value:Q", title=title, **x), **scales),
    ]
    if any(r["first"] for r in found):
        two = base.transform_filter("isValid(datum.first)")
        layers.append(
            two.mark_rule(strokeDash=[3, 3], strokeWidth=1.5).encode(
                x=alt.X("first:Q", title=title, **x), x2="last:Q", color=scales["color"]
            )
        )
        layers += [
            two.mark_point(filled=False, size=40).encode(
                x=alt.X(f"{end}:Q", title=title, **x), **scales
            )
            for end in ("first", "last")
        ]
    return _range_told(found, len(rows)), _panels(found, *layers)


def _range_told(found: Records, cells: int) -> str:
    ends = [(r["value"] or r["first"], r["cell"]) for r in found]
    (low, slowest), (high, fastest) = min(ends), max(ends)
    absent = cells - len(found)
    missing = f" {absent} have no figure that may be shown." if absent else ""
    return (
        f"{len(found)} cells from {number(low)} requests/s ({slowest}) to {number(high)}"
        f" ({fastest}), each with its 95 % interval where it is known; hollow marks joined by"
        f" dashes: two regimes.{missing}"
    )


def _limit(rows: Sequence[Row]) -> tuple[str, Chart | None]:
    found = [r for r in records(rows) if r["share"] is not None]
    if not found:
        return "No cell has a limit that is known.", None
    base = alt.Chart().encode(
        **_placed(found), tooltip=tooltip(alt.Tooltip("share:Q", title="of limit", format=".0%"))
    )
    most = max(1.0, *(r["share"] for r in found))
    x = alt.X("share:Q", title="of the limit", scale=alt.Scale(domain=[0, most]),
              axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]))  # fmt: skip
    layers = [
        base.mark_bar(height=2, opacity=0.55).encode(x=x, color=endpoint_scales(found)["color"]),
        base.mark_point(filled=True, size=36, opacity=1).encode(x=x, **endpoint_scales(found)),
    ]
    full = sum(r["share"] >= 0.9 for r in found)
    least = min(found, key=lambda r: r["share"])
    told = (
        f"{full} of {len(found)} cells reach 90 % or more of what arithmetic allows them; the"
        f" least is {share(least['share'])} ({least['cell']})."
    )
    return told, _panels(found, *layers)


def _users(rows: Sequence[Row]) -> tuple[str, Chart | None]:
    """Stacked shares, a panel for each endpoint and io."""
    known = [row for row in rows if sum(row.users_at.values()) > 0]
    if not known:
        return "It isn't known of any cell where its users are.", None
    base = records(known)
    found = [
        {
            **{key: record[key] for key in ("cell", "endpoint", "io", "variant")},
            "place": NAMES[place],
            "order": number_,
            "users": float(f"{row.users_at[place]:.3g}"),
            "shown": f"{number(row.users_at[place])} {NAMES[place]}",
        }
        for row, record in zip(known, base, strict=True)
        for number_, place in enumerate(LETTERS)
        if row.users_at.get(place, 0.0) > 0
    ]
    places = [place for place in LETTERS if any(r["place"] == NAMES[place] for r in found)]
    colour = alt.Color(
        "place:N",
        title=None,
        sort=[NAMES[place] for place in places],
        scale=alt.Scale(
            domain=[NAMES[place] for place in places],
            range=[palette.PLACES[place] for place in places],
        ),
        legend=alt.Legend(columns=4),
    )
    chart = (
        alt.Chart(alt.InlineData(values=found))
        .mark_bar()
        .encode(
            y=alt.Y("variant:N", sort=order(base, "variant"), title=None),
            x=alt.X("users:Q", stack="normalize", title=None,
                    axis=alt.Axis(format=".0%", values=[0, 0.5, 1])),
            color=colour,
            order=alt.Order("order:Q"),
            tooltip=[alt.Tooltip("cell:N", title="cell"), alt.Tooltip("shown:N", title="users")],
        )
        .properties(width=265, height=alt.Step(step=14))
        .facet(
            row=alt.Row("endpoint:N", sort=order(base, "endpoint"), title=None,
                        header=alt.Header(labelAngle=0, labelAlign="left", labelOrient="top",
                                          labelAnchor="start", labelPadding=2)),
            column=alt.Column("io:N", sort=order(base, "io"), title=None),
            spacing=12,
        )
    )  # fmt: skip
    queued = sum(
        row.users_at.get("thread_queue", 0.0) >= sum(row.users_at.values()) / 10 for row in known
    )
    told = (
        f"Of {len(known)} cells, the share of their users at each place, in the order in which a"
        f" request passes them; in {queued} a tenth or more wait for a thread."
    )
    return told, chart


def _workers(rows: Sequence[Row]) -> tuple[str, Chart | None]:
    """Lines over worker counts, a server a shape."""
    found = [r for r in records(rows) if r["value"]]
    counts = sorted({r["workers"] for r in found})
    if len(counts) < 2:
        return "All cells with figures have the same number of workers.", None
    scales = endpoint_scales(found)
    servers = order(found, "server")
    base = alt.Chart().encode(
        x=alt.X("workers:O", title="workers", axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("server:N", sort=servers, scale=alt.Scale(paddingOuter=0.8)),
        color=scales["color"],
        tooltip=tooltip(),
    )
    y = {**logarithmic(_values(found)), "title": "requests/s, logarithmic"}
    layers = [
        base.mark_line(opacity=0.55, strokeWidth=1.5).encode(
            y=alt.Y("value:Q", **y), detail=["server:N", "endpoint:N", "settings:N"]
        ),
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(strokeWidth=1.5)
        .encode(y=alt.Y("low:Q", **y), y2="high:Q"),
        base.mark_point(filled=True, size=42, opacity=1).encode(
            y=alt.Y("value:Q", **y),
            shape=alt.Shape("server:N", sort=servers, title=None),
        ),
    ]
    chart = alt.layer(*layers, data=alt.InlineData(values=found)).properties(width=300, height=230)
    told = (
        f"Requests/s with {' and '.join(map(str, counts))} workers, a line for each endpoint and"
        " server: a line that rises as steeply as the workers double gains all of them."
    )
    return told, chart.facet(column=alt.Column("io:N", sort=order(found, "io"), title=None))


def _ladder(rows: Sequence[Row]) -> tuple[str, Chart] | None:
    """A line for each cell that was asked by more and more users; None of none."""
    asked = [row for row in rows if "users" in row.settings and row.usable]
    found = [
        {
            "line": axes.variant_of(row, but="users"),
            "cell": row.cell,
            "users": int(row.settings["users"]),
            "what": what,
            "value": value,
            "low": low,
            "high": high,
            "shown": f"{number(value)} {what}",
        }
        for row in asked
        for what, value, low, high in _points(row)
        if value
    ]
    steps = sorted({int(str(record["users"])) for record in found})
    if len(steps) < 2:
        return None
    base = alt.Chart().encode(
        x=alt.X("users:Q", title="users, logarithmic", scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(values=steps,
                              labelOverlap="greedy")),
        color=alt.Color("line:N", title=None, sort=order(found, "line"),
                        scale=alt.Scale(range=list(palette.SERIES))),
        tooltip=[alt.Tooltip("cell:N", title="cell"), alt.Tooltip("users:Q", title="users"),
                 alt.Tooltip("shown:N", title="figure")],
    )  # fmt: skip
    y = alt.Y("value:Q", title=None, scale=alt.Scale(type="log", nice=False),
              axis=alt.Axis(format="~s", tickCount=5))  # fmt: skip
    layers = [
        base.mark_line(strokeWidth=1.8).encode(y=y),
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(strokeWidth=1.5)
        .encode(y=alt.Y("low:Q", title=None), y2="high:Q"),
        base.mark_point(filled=True, size=42, opacity=1).encode(y=y),
        # A rule's upper end is none of what an axis is made for.
        base.mark_point(opacity=0).encode(y=alt.Y("high:Q", title=None)),
    ]
    chart = (
        alt.layer(*layers, data=alt.InlineData(values=found))
        .properties(width=330, height=230)
        .facet(column=alt.Column("what:N", sort=["requests/s", "p50, ms", "p99, ms"], title=None))
        .resolve_scale(y="independent")
    )
    told = (
        "A line that rises as the users do still has room; where it lies flat, further users only"
        " wait. Latencies that are only bounds are left out."
    )
    return told, chart


def _points(row: Row) -> list[tuple[str, float | None, float | None, float | None]]:
    found = [("requests/s", row.rate.value, row.rate.low, row.rate.high)]
    for name in ("p50", "p99"):
        one = row.latency[name]
        bound = one.low_ms is not None and one.high_ms is None
        found.append((f"{name}, ms", None if bound else one.value_ms, one.low_ms, one.high_ms))
    return found
