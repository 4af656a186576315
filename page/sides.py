"""Two revisions side by side, from the document that ``nox -s ab`` writes."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from bench.text import duration, milliseconds, number, shown
from page import build, drawing, table
from page.chart_data import Figure
from page.comparison import MOST, ratio_chart
from page.embed import text
from page.errors import PageError
from page.reading import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA = 1
KIND = "ab"
WORDS = ("slower", "faster", "same", "not known yet", "failed")  # as `comparison.WORDS` mean
MARKS = dict(zip(WORDS, ("v-failed", "v-valid", "v-valid", "v-rough", "v-failed"), strict=True))
METRICS = (("latency_ms", "time per request"), ("cpu_ms", "CPU per request"))
HEADS = ("cell", "outcome", *(title for _, title in METRICS), "A against itself", "measured")
Cell = dict[str, Any]


def is_one(document: Mapping[str, Any]) -> bool:
    """What `ab` writes."""
    return document.get("kind") == KIND


def page(document: Mapping[str, Any]) -> str:
    """The page; the same document gives the same bytes.

    Raises:
        PageError: the document is not of this schema.
    """
    try:
        if document["schema"] != SCHEMA:
            raise PageError(f"what `ab` wrote is not of schema {SCHEMA}")
        return _page(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = shown(f"{type(error).__name__}: {error}", 200)
        raise PageError(f"what `ab` wrote lacks a field or has a wrong one ({what})") from error


def _page(document: Mapping[str, Any]) -> str:
    a, b, cells = document["a"]["title"], document["b"]["title"], document["cells"]
    figures = [_figure(cells, metric, title) for metric, title in METRICS]
    specs = {f.name: drawing.specification(f.chart) for f in figures if f.chart is not None}
    ended = "" if document["complete"] else _warning("Interrupted: what was known by then.")
    content = f"""<header><div>
<h1><code>{text(b)}</code> against <code>{text(a)}</code></h1>
<ul class="about"><li>{text(document["started"])}</li><li>{text(document["host"])}</li>\
<li>{document["users"]} users at once</li></ul>
</div><button type="button" id="theme">Dark</button></header>
<main>
{ended}
<h2 id="answers">Answers</h2>
{_answers(document)}
<section aria-labelledby="matrix-title"><h2 id="matrix-title">Cell by cell</h2>
{_table(cells)}
</section>
<section aria-labelledby="charts-title"><h2 id="charts-title">Charts</h2>
{build.figures_html(figures, specs)}
</section></main>"""
    data = {
        "rows": {
            "cells": [_data(cell) for cell in cells],
            "environments": {},
            "no_series": "",
            "labels": [label for _, title in METRICS for label in (title, "")],
        },
        "charts": build.drawings(specs),
    }
    sha256 = fingerprint(json.dumps(document, sort_keys=True).encode())
    return build.frame(f"{b} against {a}", content, data, sha256)


def _warning(told: str) -> str:
    return f'<p class="warning">{text(told)}</p>'


def _answers(document: Mapping[str, Any]) -> str:
    items = [document["summary"]]
    items += [f"{one['cell']}: {one['failures'][-1]}" for one in document["cells"]
              if one["failures"]]  # fmt: skip
    items += [
        f"{one['cell']} was measured in whole trials: {one['why_trials']}"
        for one in document["cells"]
        if one["why_trials"] and one["starts"]
    ]
    listed = "".join(f"<li>{text(item)}</li>" for item in items)
    share = document["threshold"]
    return (
        f'<ul class="answers">{listed}</ul><p class="note">Each figure is the second\'s as a'
        " multiple of the first's, with its 95 % interval. <em>Slower</em> and <em>faster</em>:"
        f" the interval lies wholly beyond {share:.0%}; <em>same</em>: wholly within it."
        " <em>A against itself</em>: a second A ran along; what it differs by is noise.</p>"
    )


def _table(cells: Sequence[Cell]) -> str:
    headings = "".join(
        f'<th scope="col"><button type="button" data-column="{at}">{text(name)}</button></th>'
        for at, name in enumerate(HEADS)
    )
    orders = "".join(f'<option value="{n}">{text(name)}</option>' for n, name in enumerate(HEADS))
    words = "".join(f'<option value="{word}">{word}</option>' for word in WORDS)
    rows = "\n".join(_row(cell) for cell in cells[: build.STATIC_ROWS])
    return f"""<div class="tools" role="search">
<label>outcome<select data-axis="0"><option value="">all</option>{words}</select></label>
<label>text<input id="text" type="search" autocomplete="off"></label>
<label class="compact">order<select id="order">{orders}</select></label>
<button type="button" id="reset">Reset</button>
<span id="count" role="status">{len(cells)} of {len(cells)} rows</span></div>
<table id="matrix" role="table"><thead><tr>{headings}</tr></thead>
<tbody role="rowgroup">
{rows}
</tbody></table><p id="none" hidden>No row matches.</p>"""


def _row(cell: Cell) -> str:
    word = cell["outcome"]
    more = (
        f", about {duration(60 * math.ceil(cell['more_seconds'] / 60))} more"
        if cell["more_seconds"]
        else ""
    )
    columns = [f'<span class="verdict {MARKS.get(word, "v-other")}">{text(word)}</span>{more}']
    columns += [text(_told(cell.get(metric))) for metric, _ in METRICS]
    columns.append(text(_twin(cell.get("latency_ms"))))
    how = "in turn" if cell["method"] == "turns" else "whole trials"
    columns.append(text(f"{how}, {cell['starts']} starts" if cell["starts"] else "–"))
    figures = "".join(
        f'<td data-h="{text(name)}">{column}</td>'
        for name, column in zip(HEADS[1:], columns, strict=True)
    )
    return f'<tr id="{text(cell["cell"])}">{table.name_cell(cell["cell"])}{figures}</tr>'


def _told(found: Mapping[str, Any] | None) -> str:
    """``1.08× (1.06 to 1.10): 2.1 ms → 2.3 ms``."""
    if found is None:
        return "–"
    both = f"{milliseconds(found['a'])} → {milliseconds(found['b'])}"
    return both if found["ratio"] is None else f"{_ratio(found)}: {both}"


def _ratio(found: Mapping[str, Any]) -> str:
    low, high = number(found["low"], 4), number(found["high"], 4)
    return f"{number(found['ratio'], 4)}× ({low} to {high})"


def _twin(found: Mapping[str, Any] | None) -> str:
    if found is None or found["twin"] is None:
        return "–"
    low, high = number(found["twin_low"], 4), number(found["twin_high"], 4)
    return f"{number(found['twin'], 4)}× ({low} to {high})"


def _data(cell: Cell) -> dict[str, Any]:
    known = [cell.get(metric) for metric, _ in METRICS]
    ratios = [None if one is None else one["ratio"] for one in known]
    return {
        "id": cell["cell"],
        "axes": [cell["outcome"]],
        "keys": [None, WORDS.index(cell["outcome"]), *ratios, None, cell["starts"]],
        "search": f"{cell['cell']} {cell['outcome']}".lower(),
        "facts": [
            [2 * at + line, told]
            for at, one in enumerate(known)
            if one is not None
            for line, told in enumerate((_told(one), f"A against itself {_twin(one)}"))
        ],
        "reasons": cell["failures"][-1:],
        "remarks": [],
        "samples": [],
        "environment": "",
        "html": _row(cell),
    }


def _figure(cells: Sequence[Cell], metric: str, title: str) -> Figure:
    """Ratios, a line a cell."""
    heading = f"{title[0].upper()}{title[1:]}: the second's as a multiple of the first's"
    found = []
    for cell in cells:
        one = cell.get(metric)
        if one is None or one["ratio"] is None:
            continue
        name = cell["cell"]
        found.append(
            {"cell": name, "shown": _ratio(one), "word": one["outcome"],
             **{key: one[key] for key in ("ratio", "low", "high")}}
        )  # fmt: skip
    if not found:
        return Figure(f"chart-{metric}", heading, "No cell has figures on both sides.", None)
    counts = ", ".join(
        f"{n} {word}" for word in WORDS if (n := sum(one["word"] == word for one in found))
    )
    note = f"The first {MOST} of {len(found)} cells." if len(found) > MOST else ""
    return Figure(f"chart-{metric}", heading, f"{counts}.", ratio_chart(found[:MOST], WORDS), note)
