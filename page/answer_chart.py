"""The chart of an answer of `nox -s ask`: each contest's ratio with its interval."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import altair as alt

from bench.text import number
from page import drawing, palette
from page.embed import text
from page.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH = 430
SCHEMA = 1
FEWEST = 3  # ticks of an axis
TICKS = ((1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.4, 1.7, 2, 2.5, 3, 4, 5, 6, 7, 8, 9),
         (1, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 2, 3, 4, 5, 6, 7, 8, 8.5, 9, 9.5))  # fmt: skip
OUTCOMES = ("slower", "faster", "same", "not known yet")
COLOURS = (palette.VERMILION, palette.BLUE, palette.GREEN, palette.MUTED)
SHAPES = ("triangle-down", "triangle-up", "square", "circle")


def is_one(document: Mapping[str, Any]) -> bool:
    """An answer, not a run."""
    return "question" in document and "contests" in document


def chart(document: Mapping[str, Any]) -> str:
    """An SVG that is as light or dark as what it is looked at in.

    Raises:
        PageError: the document is not of this schema, or nothing of it is known.
    """
    if document.get("schema") != SCHEMA:
        raise PageError(f"the answer: found schema {document.get('schema')!r}, allowed: {SCHEMA}")
    known = [one for one in document["contests"] if one["ratio"] is not None]
    if not known:
        raise PageError("nothing is known that could be drawn")
    spec = drawing.specification(_chart(document["contests"], known))
    return _described(palette.both(drawing.svg(spec)), document)


def _chart(contests: list[dict[str, Any]], known: list[dict[str, Any]]) -> Any:
    found = [
        {
            "name": f"{at}. {one['says']}\nagainst {one['than']}",
            "ratio": one["ratio"],
            "low": one["low"],
            "high": one["high"],
            "end": one["high"] or 1.0,
            "outcome": one["outcome"],
            "shown": "not known" if one["ratio"] is None else f"{number(one['ratio'])}×",
        }
        for at, one in enumerate(contests, 1)
    ]
    names = [one["name"] for one in found]
    x = _scale([*(one["low"] for one in known), *(one["high"] for one in known), 1.0])
    x["title"] = f"times the {known[0]['measure']}, logarithmic; line: 95 % confidence interval"
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(
        labelFontSize=13, labelPadding=6, labelLimit=0,
        labelExpr="split(datum.label, '\\n')"))  # fmt: skip
    colour = alt.Color("outcome:N", legend=None, scale=alt.Scale(
        domain=list(OUTCOMES), range=list(COLOURS)))  # fmt: skip
    shape = alt.Shape("outcome:N", legend=None, scale=alt.Scale(
        domain=list(OUTCOMES), range=list(SHAPES)))  # fmt: skip
    base = alt.Chart().encode(y=y, color=colour)
    layers = [
        alt.Chart(alt.InlineData(values=[{"one": 1.0}]))
        .mark_rule(color=palette.MUTED, strokeDash=[4, 3])
        .encode(x=alt.X("one:Q", **x)),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=3, strokeCap="round")
        .encode(x=alt.X("low:Q", **x), x2="high:Q"),
        base.transform_filter("isValid(datum.ratio)")
        .mark_point(filled=True, size=85, opacity=1)
        .encode(x=alt.X("ratio:Q", **x), shape=shape),
        base.mark_text(align="left", dx=10, fontSize=13, color=palette.INK).encode(
            x=alt.X("end:Q", **x), text="shown:N", color=alt.value(palette.INK)
        ),
    ]
    return alt.layer(*layers, data=alt.InlineData(values=found)).properties(
        width=WIDTH, height=alt.Step(step=38)
    )


def _scale(values: Sequence[float]) -> dict[str, Any]:
    """Logarithmic, with room for the figure right of the farthest interval."""
    low, high = min(values) / 1.05, max(values) * 1.05
    inner = [tick for digits in TICKS if len(tick := _ticks(digits, low, high)) >= FEWEST]
    return {
        "scale": alt.Scale(type="log", domain=[low, high * (high / low) ** 0.18], nice=False),
        "axis": alt.Axis(values=inner[0] if inner else _ticks(TICKS[-1], low, high), format="~g"),
    }


def _ticks(digits: Sequence[float], low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [float(f"{digit}e{power}") for power in powers for digit in digits]
    return [tick for tick in found if low <= tick <= high]


def _described(svg: str, document: Mapping[str, Any]) -> str:
    """With a title, and the sentences for who doesn't see it."""
    told = ". ".join(one["sentence"] for one in document["contests"])
    inside = (
        f'<title id="answer-title">{text(document["asks"])}</title>'
        f'<desc id="answer-text">{text(told)}.</desc>'
    )
    opened = re.sub(
        r"<svg\b", '<svg role="img" aria-labelledby="answer-title answer-text"', svg, count=1
    )
    return re.sub(r"(<svg\b[^>]*>)", lambda found: found[1] + inside, opened, count=1) + "\n"
