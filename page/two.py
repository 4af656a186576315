"""The page of two things side by side, whatever they are: runs, revisions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.text import shown
from page import build, drawing
from page.embed import text
from page.errors import PageError
from page.reading import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from page.chart_data import Figure


@dataclass(frozen=True, slots=True)
class Parts:
    """What differs between such pages; all but titles and labels is HTML."""

    titles: tuple[str, str]  # of the first and of the second
    about: Sequence[str]
    warnings: str
    answers: str
    table: str
    figures: Sequence[Figure]
    charts: str  # their heading
    cells: Sequence[Mapping[str, Any]]  # of the script, a row each
    labels: Sequence[str]  # of the figures in an opened row


def guarded(
    document: Mapping[str, Any], make: Callable[[Mapping[str, Any]], Parts], schema: int, what: str
) -> str:
    """The page; the same document gives the same bytes. ``what`` names the document.

    Raises:
        PageError: the document is not of this schema.
    """
    try:
        if document["schema"] != schema:
            raise PageError(f"{what} is not of schema {schema}")
        return _page(document, make(document))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        told = shown(f"{type(error).__name__}: {error}", 200)
        raise PageError(f"{what} lacks a field or has a wrong one ({told})") from error


def _page(document: Mapping[str, Any], parts: Parts) -> str:
    a, b = parts.titles
    specs = {f.name: drawing.specification(f.chart) for f in parts.figures if f.chart is not None}
    about = "".join(f"<li>{one}</li>" for one in parts.about)
    content = f"""<header><div>
<h1><code>{text(b)}</code> against <code>{text(a)}</code></h1>
<ul class="about">{about}</ul>
</div><button type="button" id="theme">Dark</button></header>
<main>
{parts.warnings}
<h2 id="answers">Answers</h2>
{parts.answers}
<section aria-labelledby="matrix-title"><h2 id="matrix-title">Cell by cell</h2>
{parts.table}
</section>
<section aria-labelledby="charts-title"><h2 id="charts-title">{parts.charts}</h2>
{build.figures_html(parts.figures, specs)}
</section></main>"""
    data = {
        "rows": {
            "cells": parts.cells,
            "environments": {},
            "no_series": "",
            "labels": parts.labels,
        },
        "charts": build.drawings(specs),
    }
    sha256 = fingerprint(json.dumps(document, sort_keys=True).encode())
    return build.frame(f"{b} against {a}", content, data, sha256)


def table(axis: str, heads: Sequence[str], words: Sequence[str], rows: Sequence[str]) -> str:
    """A row each, to be sorted by any column and chosen by the words of one axis."""
    headings = "".join(
        f'<th scope="col"><button type="button" data-column="{column}">{text(name)}</button></th>'
        for column, name in enumerate(heads)
    )
    orders = "".join(f'<option value="{n}">{text(name)}</option>' for n, name in enumerate(heads))
    options = "".join(f'<option value="{word}">{word}</option>' for word in words)
    told = "\n".join(rows[: build.STATIC_ROWS])
    return f"""<div class="tools" role="search">
<label>{axis}<select data-axis="0"><option value="">all</option>{options}</select></label>
<label>text<input id="text" type="search" autocomplete="off"></label>
<label class="compact">order<select id="order">{orders}</select></label>
<button type="button" id="reset">Reset</button>
<span id="count" role="status">{len(rows)} of {len(rows)} rows</span></div>
<table id="matrix" role="table"><thead><tr>{headings}</tr></thead>
<tbody role="rowgroup">
{told}
</tbody></table><p id="none" hidden>No row matches.</p>"""
