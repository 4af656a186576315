"""Two revisions, or cells, side by side: the document of ``nox -s ab`` and ``nox -s versus``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.text import duration, milliseconds, number
from page import table, two
from page.chart_data import Figure
from page.comparison import MOST, ratio_chart
from page.embed import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA = 1
KINDS = ("ab", "versus")
WORDS = ("slower", "faster", "same", "not known yet", "failed")  # as `comparison.WORDS` mean
MARKS = dict(zip(WORDS, ("v-failed", "v-valid", "v-valid", "v-rough", "v-failed"), strict=True))
METRICS = (("latency_ms", "time per request"), ("cpu_ms", "CPU per request"))
HEADS = ("cell", "outcome", *(title for _, title in METRICS), "A against itself", "measured")
Cell = dict[str, Any]


def is_one(document: Mapping[str, Any]) -> bool:
    """What `ab` and `versus` write."""
    return document.get("kind") in KINDS


def page(document: Mapping[str, Any]) -> str:
    """The page; the same document gives the same bytes.

    Raises:
        PageError: the document is not of this schema.
    """
    return two.guarded(document, _parts, SCHEMA, "what `ab` or `versus` wrote")


def _parts(document: Mapping[str, Any]) -> two.Parts:
    cells, users = document["cells"], f"{document['users']} users at once"
    interrupted = "Interrupted: what was known by then."
    return two.Parts(
        titles=(document["a"]["title"], document["b"]["title"]),
        about=(text(document["started"]), text(document["host"]), users),
        warnings="" if document["complete"] else f'<p class="warning">{interrupted}</p>',
        answers=_answers(document),
        table=two.table("outcome", HEADS, WORDS, [_row(cell) for cell in cells]),
        figures=[_figure(cells, metric, title) for metric, title in METRICS],
        charts="Charts",
        cells=[_data(cell) for cell in cells],
        labels=[label for _, title in METRICS for label in (title, "")],
    )


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
