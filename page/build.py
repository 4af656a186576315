"""The report page: one HTML file that asks nothing of anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.axes import AXES
from bench.report import fairness
from bench.report.places import LETTERS, NAMES
from bench.text import number
from page import details, drawing, effects, glyphs, overview, palette, strip, table, words
from page.embed import image, json_text, policy, prose, script, text
from page.head import about, answers, warnings
from page.series import Kept, kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from page.chart_data import Figure
    from page.reading import Report, Row

ASSETS = Path(__file__).parent / "assets"
STATIC_ROWS = 150  # that stand in the HTML itself; the script has the others
SERIES_BYTES = 1_250_000


def page(report: Report) -> str:
    """The whole page; the same report gives the same bytes."""
    run = report.document["run"]
    series = kept(report, SERIES_BYTES)
    figures = [*overview.figures(report), effects.figure(report.document), strip.figure(report)]
    specs = {f.name: drawing.specification(f.chart) for f in figures if f.chart is not None}
    content = "\n".join(
        [
            _head(report),
            _section("matrix-title", "The matrix", _matrix(report, series)),
            _section("charts-title", "Charts", figures_html(figures, specs)),
            _section("served-title", "How each server ran", _served(report.rows)) + "</main>",
        ]
    )
    data = {
        "rows": _data(report, series),
        "charts": drawings(specs),
        "series": series.by_cell,
    }
    return frame(f"FastAPI matrix: run {run['id']}", content, data, report.sha256)


def frame(title: str, content: str, data: dict[str, Any], sha256: str) -> str:
    """What every page has: the policy, the look, the scripts, the data."""
    style = (ASSETS / "page.css").read_text(encoding="utf-8")
    own = script((ASSETS / "page.js").read_text(encoding="utf-8"))
    vega = script(drawing.scripts())
    blocks = "\n".join(
        f'<script type="application/json" id="{name}">{json_text(value)}</script>'
        for name, value in data.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy((vega, own), (style,))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="made-from" content="sha256:{sha256}">
<title>{text(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<div class="page">
{content}
</div>
{blocks}
<script type="text/plain" id="vega">{vega}</script>
<script>{own}</script>
</body>
</html>
"""


def _head(report: Report) -> str:
    return f"""<header><div>
<h1>Run <code>{text(report.document["run"]["id"])}</code></h1>
{about(report)}
</div><button type="button" id="theme">Dark</button></header>
<main>
{warnings(report)}
<h2 id="answers">Answers</h2>
{answers(report)}"""


def _section(name: str, title: str, content: str) -> str:
    return (
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{content}\n</section>'
    )


def _matrix(report: Report, series: Kept) -> str:
    rows = report.rows
    ends = glyphs.bounds(rows)
    static = "\n".join(table.html(row, ends) for row in rows[:STATIC_ROWS])
    rest = len(rows) - STATIC_ROWS
    without = (
        f"<noscript><p>{rest} more rows need JavaScript; latest.md has them all.</p></noscript>"
        if rest > 0
        else ""
    )
    headings = "".join(
        f'<th scope="col"{" class=n" if 2 <= column <= 6 else ""}>'
        + (f'<button type="button" data-column="{column}">{name}</button>' if order else name)
        + "</th>"
        for column, (name, order) in enumerate(table.COLUMNS)
    )
    columns = "".join(f'<col class="c{column}">' for column in range(len(table.COLUMNS)))
    left_out = f'<p class="note">{text(series.note)}</p>' if series.note else ""
    return f"""{_tools(rows)}
{_legend()}
{left_out}
<table id="matrix" class="cells" role="table">
<caption class="sr">All cells, a row each; a cell's name opens its detail.</caption>
<colgroup>{columns}</colgroup>
<thead><tr>{headings}</tr></thead>
<tbody role="rowgroup">
{static}
</tbody>
</table>
<p id="none" hidden>No row matches.</p>
{without}"""


def _served(rows: Sequence[Row]) -> str:
    """A line a server and worker count, so that who compares them sees what differs."""
    ran = [
        fairness.Ran(
            row.server,
            row.workers,
            row.python,
            found,
            row.figures["background"]["worker_shares"] if row.usable else (),
            row.settings.get("loop"),
        )
        for row in rows
        if (found := words.fairness_of(row)) is not None
    ]
    lines = fairness.grid(ran)
    if not lines:
        return "<p>No trial has told.</p>"
    heads = "".join(f'<th scope="col">{text(name)}</th>' for name in fairness.HEADINGS)
    body = "\n".join(
        f'<tr><th scope="row">{text(first)}</th>'
        + "".join(f"<td>{text(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in lines
    )
    return f"""<p>As found in workers, on their connections and in their logs; not as asked for.</p>
<div class="wide"><table class="served">
<thead><tr>{heads}</tr></thead>
<tbody>
{body}
</tbody>
</table></div>"""


def _tools(rows: Sequence[Row]) -> str:
    names = [*AXES, "verdict"]
    selects = "".join(
        f'<label>{axis}<select data-axis="{names.index(axis)}"><option value="">all</option>'
        + "".join(f'<option value="{text(level)}">{text(_level(axis, level))}</option>'
                  for level in found)
        + "</select></label>"
        for axis, found in table.levels(rows)
    )  # fmt: skip
    orders = "".join(
        f'<option value="{column}">{order}</option>'
        for column, (_, order) in enumerate(table.COLUMNS)
        if order
    )
    return f"""<div class="tools" role="search">{selects}
<label>text<input id="text" type="search" autocomplete="off"></label>
<label class="compact">order<select id="order">{orders}</select></label>
<button type="button" id="reset">Reset</button>
<span id="count" role="status">{len(rows)} of {len(rows)} rows</span></div>"""


def _level(axis: str, level: str) -> str:
    return words.endpoint(level) if axis == "endpoint" else level


def _legend() -> str:
    places = "".join(
        f'<li><svg viewBox="0 0 16 16" class="bar" aria-hidden="true"><rect width="16" height="16"'
        f' class="p-{place}"/><text x="8" y="12" class="l-{place}">{letter}</text></svg>'
        f"{NAMES[place]}</li>"
        for place, letter in LETTERS.items()
    )
    return f'<ul class="legend" aria-label="where users are">{places}</ul>'


def _data(report: Report, series: Kept) -> dict[str, Any]:
    ends = glyphs.bounds(report.rows)
    labels: dict[str, int] = {}  # each told once
    return {
        "cells": [
            {
                "id": row.cell,
                "axes": [*table.axes(row), row.verdict],
                "keys": table.keys(row),
                "search": table.searched(row),
                "facts": [
                    [labels.setdefault(name, len(labels)), told] for name, told in words.facts(row)
                ],
                "reasons": row.reasons,
                "remarks": row.remarks,
                "flame": image(report.flames[row.cell]) if row.cell in report.flames else "",
                "samples": [[n, number(rate)] for n, rate in sorted(row.samples.items())],
                "environment": f"server-{row.server}-{row.python}",
                **({"html": table.html(row, ends)} if index >= STATIC_ROWS else {}),
            }
            for index, row in enumerate(report.rows)
        ],
        "labels": list(labels),
        "environments": _environments(report),
        "no_series": report.no_series or series.note or None,
    }


def _environments(report: Report) -> dict[str, str]:
    return {
        name: ", ".join([
            f"{found.get('implementation') or 'Python'} {found.get('python')}",
            *(f"{package} {version}" for package, version in (found.get("packages") or {}).items()),
        ])
        for name, found in report.document["environments"].items()
        if found.get("role") == "server"
    }  # fmt: skip


def drawings(specs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The same charts for the page's script, with the templates of an opened row."""
    templates = {"track": details.track(), "latency": details.latency()}
    return {
        "figures": {name: drawing.vega(spec) for name, spec in specs.items()},
        "templates": {
            name: drawing.vega(drawing.specification(chart)) for name, chart in templates.items()
        },
        "pairs": palette.PAIRS,
    }


def figures_html(figures: Iterable[Figure], specs: dict[str, dict[str, Any]]) -> str:
    """All charts, as pictures that need no script."""
    return (
        '<div class="charts">\n'
        + "\n".join(_figure(figure, specs.get(figure.name)) for figure in figures)
        + "\n</div>"
    )


def _figure(figure: Figure, spec: dict[str, Any] | None) -> str:
    heading = (
        f'<h3>{text(figure.title)} <a class="self" href="#{figure.name}"'
        f' aria-label="link to this chart">#</a></h3>'
    )
    told = f'<figcaption class="told">{prose(figure.told)} {text(figure.note)}</figcaption>'
    if spec is None:
        return f'<figure id="{figure.name}">{heading}{told}</figure>'
    still = image(palette.both(drawing.svg(spec)))
    return f"""<figure id="{figure.name}">{heading}{told}
<div class="scroll" tabindex="0" role="group" aria-label="{text(figure.title)}" \
data-chart="{figure.name}">\
<img class="still" src="{still}" decoding="async" alt="{text(figure.told)}">
</div></figure>"""
