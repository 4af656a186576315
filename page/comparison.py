"""Two runs side by side, from the document that ``nox -s compare -- A B --json`` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from bench.analysis.metrics import METRICS
from bench.text import NONE, number
from page import palette, table, two
from page.chart_data import Figure, logarithmic
from page.embed import text
from page.reading import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORDS = ("worse", "better", "same", "not known yet", "too few")
MARKS = dict(zip(WORDS, ("v-failed", "v-valid", "v-valid", "v-rough", "v-rough"), strict=True))
COLOURS = dict(zip(WORDS, (palette.VERMILION, palette.BLUE, palette.GREEN, palette.MUTED,
                           palette.PURPLE), strict=True))  # fmt: skip
SHAPES = dict(
    zip(WORDS, ("triangle-down", "triangle-up", "square", "circle", "cross"), strict=True)
)
MOST = 80  # cells of the chart
Cell = dict[str, Any]


def is_one(document: Mapping[str, Any]) -> bool:
    """A comparison, not a run."""
    return "cells" in document and "threshold" in document and "kind" not in document


def page(document: Mapping[str, Any]) -> str:
    """The page; the same document gives the same bytes.

    Raises:
        PageError: the document is not of this schema.
    """
    return two.guarded(document, _parts, SCHEMA, "the comparison")


def _parts(document: Mapping[str, Any]) -> two.Parts:
    a, b, cells = document["a"], document["b"], document["cells"]
    return two.Parts(
        titles=(a["title"], b["title"]),
        about=(f"<b>first</b> run {text(a['run'])}", f"<b>second</b> run {text(b['run'])}"),
        warnings=_warnings(document),
        answers=_answers(document),
        table=_table(cells),
        figures=[_figure(cells)],
        charts="Chart",
        cells=[_data(cell) for cell in cells],
        labels=[label for metric in METRICS for label in (metric.title, "")],
    )


def _warnings(document: Mapping[str, Any]) -> str:
    told = [f"Not the same on both sides: {one}" for one in document["differences"]]
    if document["a"]["run"] != document["b"]["run"]:
        told.append("Two runs are not paired: drift between them counts as difference.")
    return "".join(f'<p class="warning">{text(one)}</p>' for one in told)


def _answers(document: Mapping[str, Any]) -> str:
    said = [_said(word, document["cells"]) for word in WORDS]
    said += [
        f"only in {document[side]['title']}: {', '.join(document[f'only_{side}'])}"
        for side in ("a", "b")
        if document[f"only_{side}"]
    ]
    if document["unstable"]:
        said.append(f"two regimes, so not compared: {', '.join(document['unstable'])}")
    items = "".join(f"<li>{text(one)}</li>" for one in said if one)
    return (
        f'<ul class="answers">{items}</ul><p class="note">Each figure is the second\'s as a'
        " multiple of the first's, with its 95 % interval. <em>Better</em> and <em>worse</em>:"
        f" the interval lies wholly beyond {document['threshold']:.0%}, and the difference is"
        " significant at 5 % after Benjamini and Hochberg's correction; <em>same</em>: it lies"
        " within.</p>"
    )


def _said(word: str, cells: Sequence[Cell]) -> str:
    found = [
        f"{cell['cell']} ({', '.join(titles)})"
        for cell in cells
        if (titles := [m.title for m in METRICS if m.name in cell and cell[m.name]["word"] == word])
    ]
    if word in {"worse", "better"}:
        return f"{word}: {', '.join(found) or 'none'}"
    return f"{word}: {len(found)} of {len(cells)} cells on at least one figure" if found else ""


def _table(cells: Sequence[Cell]) -> str:
    heads = ["cell", *(metric.title for metric in METRICS)]
    return two.table("requests/s", heads, WORDS, [_row(cell) for cell in cells])


def _row(cell: Cell) -> str:
    figures = "".join(
        f'<td data-h="{text(metric.title)}">{_judged(cell.get(metric.name))}</td>'
        for metric in METRICS
    )
    return f'<tr id="{text(cell["cell"])}">{table.name_cell(cell["cell"])}{figures}</tr>'


def _judged(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return '<span class="withheld" title="not known on both sides">–</span>'
    style = MARKS.get(found["word"], "v-other")
    word = f'<span class="verdict {style}">{text(found["word"])}</span>'
    return f"{text(_ratio(found))} {word}{text(_sides(found))}"


def _sides(found: Mapping[str, Any]) -> str:
    """Both sides' own figures: ``: 100 → 80``."""
    a, b = found.get("a"), found.get("b")
    return "" if a is None or b is None else f": {number(a)} → {number(b)}"


def _ratio(found: Mapping[str, Any]) -> str:
    """``0.8× (0.7 to 0.9)``."""
    if found["low"] is None or found["high"] is None:
        return f"~ {number(found['ratio'])}×"
    return f"{number(found['ratio'])}× ({number(found['low'])} to {number(found['high'])})"


def _data(cell: Cell) -> dict[str, Any]:
    known = [metric for metric in METRICS if metric.name in cell]
    words = [cell[metric.name]["word"] for metric in known]
    rate = cell.get("throughput_rps")
    index = {"html": _row(cell)}
    return {
        "id": cell["cell"],
        "axes": ["" if rate is None else rate["word"]],
        "keys": [None, *(cell[m.name]["ratio"] if m.name in cell else None for m in METRICS)],
        "search": " ".join([cell["cell"], *words]).lower(),
        "facts": [
            [2 * METRICS.index(metric) + line, told]
            for metric in known
            for line, told in enumerate(_facts(cell[metric.name]))
        ],
        "reasons": [],
        "remarks": [],
        "samples": [],
        "environment": "",
        **index,
    }


def _facts(found: Mapping[str, Any]) -> tuple[str, str]:
    sides = [NONE if found.get(side) is None else number(found[side]) for side in ("a", "b")]
    pairing = "pairs by round" if found["paired"] else "values, not paired"
    p_value = "" if found["p_value"] is None else f", p {number(found['p_value'])}"
    return (
        f"{_ratio(found)}: {found['word']}",
        f"first {sides[0]}, second {sides[1]}; {found['n']} {pairing}{p_value}",
    )


def _figure(cells: Sequence[Cell]) -> Figure:
    """Ratios of requests/s, a line a cell."""
    title = "Requests/s: the second's as a multiple of the first's"
    found = [
        {"cell": cell["cell"], "shown": _ratio(rate),
         **{name: rate[name] for name in ("ratio", "low", "high", "word")}}
        for cell in cells
        if (rate := cell.get("throughput_rps")) is not None
    ]  # fmt: skip
    if not found:
        return Figure("chart-ratios", title, "No cell has requests/s on both sides.", None)
    counts = ", ".join(
        f"{n} {word}" for word in WORDS if (n := sum(one["word"] == word for one in found))
    )
    note = f"The first {MOST} of {len(found)} cells." if len(found) > MOST else ""
    return Figure("chart-ratios", title, f"{counts}.", ratio_chart(found[:MOST]), note)


def ratio_chart(found: list[dict[str, Any]], words_of: tuple[str, ...] = WORDS) -> Any:
    """Ratios with their intervals, a line each.

    Args:
        found: each with ``cell``, ``shown``, ``word``, ``ratio``, ``low``, ``high``.
        words_of: what may be said, in the meaning of `WORDS`: its looks are those.
    """
    words = [word for word in words_of if any(one["word"] == word for one in found)]
    meant = dict(zip(words_of, WORDS, strict=False))
    colour = alt.Color("word:N", title=None, scale=alt.Scale(
        domain=words, range=[COLOURS[meant[word]] for word in words]))  # fmt: skip
    shape = alt.Shape("word:N", title=None, scale=alt.Scale(
        domain=words, range=[SHAPES[meant[word]] for word in words]))  # fmt: skip
    ends = [end for one in found for end in (one["ratio"], one["low"], one["high"]) if end]
    x = {**logarithmic([*ends, 1.0]), "title": "times, logarithmic"}
    x["axis"].format = "~g"
    base = alt.Chart(alt.InlineData(values=found)).encode(
        y=alt.Y("cell:N", sort=[one["cell"] for one in found], title=None),
        tooltip=[alt.Tooltip(f"{name}:N") for name in ("cell", "shown", "word")],
    )
    one = alt.Chart(alt.InlineData(values=[{"at": 1}])).mark_rule().encode(x=alt.X("at:Q", **x))
    intervals = (
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(strokeWidth=2)
        .encode(x=alt.X("low:Q", **x), x2="high:Q", color=colour)
    )
    points = base.mark_point(filled=True, size=46, opacity=1).encode(
        x=alt.X("ratio:Q", **x), color=colour, shape=shape
    )
    return alt.layer(one, intervals, points).properties(width=520, height=alt.Step(step=18))
