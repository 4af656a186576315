"""Effects as ratios with their intervals, beside what a cell differs from itself by (A/A)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from bench import axes
from bench.text import number
from page import palette, words
from page.chart_data import Figure, logarithmic

if TYPE_CHECKING:
    from collections.abc import Mapping

COLOURS = {
    "different": palette.BLUE,
    "same": palette.GREEN,
    "not known yet": palette.VERMILION,
}
SHAPES = {"different": "circle", "same": "square", "not known yet": "triangle-up"}
MOST = 80
Records = list[dict[str, Any]]


def figure(document: Mapping[str, Any]) -> Figure:
    """All parts of all effects on one logarithmic axis."""
    found = parts(document)
    title = "Effects beside the A/A difference"
    if not found:
        return Figure("chart-effects", title, "No two cells differ in one axis alone.", None)
    noise = _noise(document)
    left_out = f"The first {MOST} of {len(found)}." if len(found) > MOST else ""
    told = f"{_counts(found)} {_noise_told(noise)}"
    return Figure("chart-effects", title, told, _chart(found[:MOST], noise), left_out)


def parts(document: Mapping[str, Any]) -> Records:
    """A record a part, named by what it compares and where."""
    return [
        {
            "name": _name(effect, part),
            "ratio": part["ratio"],
            "low": part["low"],
            "high": part["high"],
            "outcome": part["outcome"],
            "shown": f"{number(part['ratio'])}× ({number(part['low'])} to {number(part['high'])})",
            "pairs": part["pairs"],
        }
        for effect in document["effects"]
        for part in effect["parts"]
    ]


def _name(effect: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    level, base = (
        words.endpoint(effect[side]) if effect["axis"] == "endpoint" else str(effect[side])
        for side in ("level", "base")
    )
    if effect["axis"] == "workers" or effect["axis"] in axes.SETTINGS:
        level, base = (_level(effect["axis"], effect[side]) for side in ("level", "base"))
    # What all parts have in common tells nothing.
    wheres = [dict(one["where"]) for one in effect["parts"]]
    telling = [
        _level(axis, value)
        for axis, value in part["where"].items()
        if axis == "io" or any(where.get(axis) != value for where in wheres)
    ]
    return f"{level} / {base}" + (f" · {', '.join(telling)}" if telling else "")


def _level(axis: str, value: object) -> str:
    if axis == "endpoint":
        return words.endpoint(str(value))
    if axis == "workers":
        return words.workers(int(str(value)))
    if axis in axes.SETTINGS:
        return axes.told(axis, str(value))
    return str(value)


def _chart(found: Records, noise: Mapping[str, Any] | None) -> Any:
    order = [record["name"] for record in found]
    outcomes = list(dict.fromkeys(record["outcome"] for record in found))
    colour = alt.Color("outcome:N", title=None, scale=alt.Scale(
        domain=outcomes, range=[COLOURS.get(n, palette.PURPLE) for n in outcomes]))  # fmt: skip
    shape = alt.Shape("outcome:N", title=None, scale=alt.Scale(
        domain=outcomes, range=[SHAPES.get(name, "cross") for name in outcomes]))  # fmt: skip
    ends = [record[end] for record in found for end in ("low", "high")]
    band = [] if noise is None else [noise[end] for end in ("ratio", "low", "high") if noise[end]]
    x = logarithmic([*ends, *band, 1.0])
    x["axis"].format = "~g"
    title = "times the throughput, logarithmic"
    base = alt.Chart(alt.InlineData(values=found)).encode(
        y=alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=420)),
        tooltip=[
            alt.Tooltip("name:N", title="effect"),
            alt.Tooltip("shown:N", title="ratio"),
            alt.Tooltip("outcome:N", title="outcome"),
            alt.Tooltip("pairs:Q", title="pairs of cells"),
        ],
    )
    layers = [*_band(noise, x, title), _line(1.0, x, title)]
    layers += [
        base.mark_rule(strokeWidth=2).encode(
            x=alt.X("low:Q", title=title, **x), x2="high:Q", color=colour
        ),
        base.mark_point(filled=True, size=46, opacity=1).encode(
            x=alt.X("ratio:Q", title=title, **x), color=colour, shape=shape
        ),
    ]
    return alt.layer(*layers).properties(width=620, height=alt.Step(step=19))


def _band(noise: Mapping[str, Any] | None, x: Mapping[str, Any], title: str) -> list[Any]:
    """The twin's interval, or its bare ratio as a dashed line where it has none."""
    if noise is None:
        return []
    if noise["low"] is None or noise["high"] is None:
        line = _line(noise["ratio"], x, title)
        return [line.mark_rule(strokeDash=[4, 3], color=palette.PURPLE)]
    band = alt.InlineData(values=[{"from": noise["low"], "to": noise["high"]}])
    return [
        alt.Chart(band)
        .mark_rect(opacity=0.25, color=palette.PURPLE)
        .encode(x=alt.X("from:Q", title=title, **x), x2="to:Q")
    ]


def _line(at: float, x: Mapping[str, Any], title: str) -> Any:
    values = alt.InlineData(values=[{"at": at}])
    return alt.Chart(values).mark_rule().encode(x=alt.X("at:Q", title=title, **x))


def _noise(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    noise = document.get("noise")
    found = None if noise is None else noise["ratios"].get("throughput_rps")
    return found if found is not None and found["ratio"] is not None else None


def _noise_told(noise: Mapping[str, Any] | None) -> str:
    if noise is None:
        return "No cell was measured twice in one round, so there is no A/A difference to compare."
    about = f"A cell against itself came to {number(noise['ratio'])}×"
    if noise["low"] is None or noise["high"] is None:
        pairs = noise["pairs"]
        return f"{about} (dashed line; its interval isn't known from {pairs} pairs)."
    return f"{about} ({number(noise['low'])} to {number(noise['high'])}, the band)."


def _counts(found: Records) -> str:
    counts = [
        f"{count} {word}"
        for word in dict.fromkeys(record["outcome"] for record in found)
        if (count := sum(record["outcome"] == word for record in found))
    ]
    return f"{len(found)} ratios with their 95 % intervals: {', '.join(counts)}."
