"""The README's chart: what one server and worker count does with each endpoint and io."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import altair as alt

from page import drawing, palette, words
from page.chart_data import logarithmic, order, records
from page.embed import text
from page.head import machine, versions, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from page.reading import Report, Row

WIDTH = 520


def charts(report: Report) -> dict[str, str]:
    """``chart-light.svg`` and ``chart-dark.svg``; none where no cell has a figure to show."""
    rows = chosen(report.rows)
    known = [row for row in rows if row.rate.value or row.rate.regimes]
    if not known:
        return {}
    light = _described(drawing.svg(drawing.specification(_chart(report, rows))), report, rows)
    return {"chart-light.svg": light, "chart-dark.svg": palette.dark(light)}


def chosen(rows: Sequence[Row]) -> list[Row]:
    """The cells of uvicorn with one worker; of the first server and worker count if it has none."""
    if not rows:
        return []
    first = next(
        (row for row in rows if (row.server, row.workers) == ("uvicorn", 1)),
        rows[0],
    )
    same = (first.server, first.workers, first.python, first.settings)
    return [row for row in rows if (row.server, row.workers, row.python, row.settings) == same]


def _chart(report: Report, rows: Sequence[Row]) -> Any:
    found = [
        {**record, "end": record["high"] or record["last"] or record["value"],
         "label": record["shown"] if row.usable else row.verdict}
        for record, row in zip(records(rows), rows, strict=True)
    ]  # fmt: skip
    known = [r["value"] or r["first"] for r in found if r["value"] or r["first"]]
    for record in found:
        record["end"] = record["end"] or min(known)
    endpoints = order(found, "endpoint")
    x = logarithmic([min(known) / 1.1, max(r["end"] for r in found) * 3.2])
    x["title"] = "requests/s, logarithmic; line: 95 % confidence interval"
    colour = alt.Color("endpoint:N", legend=None, sort=endpoints, scale=alt.Scale(
        domain=endpoints, range=list(palette.SERIES[: len(endpoints)])))  # fmt: skip
    shape = alt.Shape("endpoint:N", legend=None, scale=alt.Scale(
        domain=endpoints, range=list(palette.SHAPES[: len(endpoints)])))  # fmt: skip
    base = alt.Chart().encode(
        y=alt.Y(
            "endpoint:N",
            sort=endpoints,
            title=None,
            axis=alt.Axis(labelFontSize=14, labelPadding=6),
        ),
        color=colour,
    )
    layers = [
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(strokeWidth=3, strokeCap="round")
        .encode(x=alt.X("low:Q", **x), x2="high:Q"),
        base.transform_filter("isValid(datum.value)")
        .mark_point(filled=True, size=85, opacity=1)
        .encode(x=alt.X("value:Q", **x), shape=shape),
        base.transform_filter("isValid(datum.first)")
        .mark_rule(strokeWidth=1.5, strokeDash=[3, 3])
        .encode(x=alt.X("first:Q", **x), x2="last:Q"),
        *(
            base.transform_filter("isValid(datum.first)")
            .mark_point(filled=False, size=70)
            .encode(x=alt.X(f"{end}:Q", **x), shape=shape)
            for end in ("first", "last")
        ),
        alt.Chart()
        .mark_text(align="left", dx=12, fontSize=14)
        .encode(y=alt.Y("endpoint:N", sort=endpoints), x=alt.X("end:Q", **x), text="label:N"),
    ]
    title, subtitle = titles(report, rows)
    chart = alt.layer(*layers, data=alt.InlineData(values=found)).properties(
        width=WIDTH, height=alt.Step(step=26)
    )
    rowed = chart.facet(
        row=alt.Row("io:N", sort=order(found, "io"), title=None,
                    header=alt.Header(labelAngle=0, labelAlign="left", labelFontSize=15,
                                      labelPadding=4)),
        spacing=10,
    )  # fmt: skip
    return rowed.properties(
        title=alt.TitleParams(title, subtitle=subtitle, offset=14, fontSize=17, subtitleFontSize=13)
    )


def titles(report: Report, rows: Sequence[Row]) -> tuple[str, list[str]]:
    """What is shown, and on what machine, when, with which versions."""
    run, first = report.document["run"], rows[0]
    users = run["profile"]["users"]
    server = f"{first.server}, {words.workers(first.workers)}"
    used = [
        part
        for part in versions(report.document["environments"]).split(", ")
        if part.split(" ")[0].lower() in {"python", "fastapi", first.server}
    ]
    host = {**report.document["host"], "kernel": None, "memory_gb": None}
    return (
        f"Requests/s at {users} users: {server}",
        [f"{machine(host)}; {when(run)[:10]}", ", ".join(used)],
    )


def _described(svg: str, report: Report, rows: Sequence[Row]) -> str:
    """With a title, a text for those who don't see it, and what it was made from."""
    title, subtitle = titles(report, rows)
    told = "; ".join(
        f"{words.endpoint(row.endpoint)}, {row.io}: "
        + (f"{words.rate(row)} requests/s" if row.usable else row.verdict)
        for row in rows
    )
    inside = (
        f'<title id="chart-title">{text(title)}</title>'
        f'<desc id="chart-text">{text(told)}. {text("; ".join(subtitle))}.</desc>'
        f"<!-- made-from sha256:{report.sha256} -->"
    )
    opened = re.sub(
        r"<svg\b", '<svg role="img" aria-labelledby="chart-title chart-text"', svg, count=1
    )
    return re.sub(r"(<svg\b[^>]*>)", lambda found: found[1] + inside, opened, count=1) + "\n"
