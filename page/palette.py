"""Colours: Okabe and Ito's, which people with any colour vision tell apart.

Charts are made in the light colours; ``dark`` puts the dark ones in their place, in an SVG as
in a specification, and the page's script does the same.
"""

from __future__ import annotations

import re
from typing import Any

INK, MUTED, GRID, PAPER = "#1b1f24", "#59636e", "#d5dbe1", "#fdfdfe"
BLUE, GREEN, VERMILION, PURPLE = "#0072b2", "#00875f", "#c24a00", "#a8487f"
# (light, dark); each light one occurs nowhere else in what is made.
PAIRS = (
    (INK, "#e8edf2"),
    (MUTED, "#9fabb7"),
    (GRID, "#343c45"),
    (PAPER, "#14181d"),
    (BLUE, "#56b4e9"),
    (GREEN, "#2fc99b"),
    (VERMILION, "#f08a3c"),
    (PURPLE, "#e08fc0"),
)
SERIES = (BLUE, GREEN, VERMILION, PURPLE, INK, MUTED)
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
# The same in light and dark: each has its letter in ink that can be read on it.
PLACES = {
    "generator": "#b8bfc6",
    "way": "#56b4e8",
    "thread_queue": "#e69f00",
    "before": "#f0e442",
    "upstream": "#009e73",
    "handler": "#0072b3",
    "after": "#cc79a7",
    "inside": "#d55e00",
}
FONT = "Helvetica, Arial, sans-serif"


def both(svg: str) -> str:
    """One SVG that follows the page around its ``<img>``, light or dark."""
    rules = "".join(
        f'[{what}="{light}"]{{{what}:{other}}}'
        for light, other in PAIRS
        for what in ("fill", "stroke")
        if f'{what}="{light}"' in svg
    )
    style = f"<style>@media screen and (prefers-color-scheme:dark){{{rules}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda found: found[1] + style, svg, count=1)


def dark(text: str) -> str:
    """The same picture for a dark page."""
    for light, other in PAIRS:
        text = text.replace(light, other)
    return text


def config() -> dict[str, Any]:
    """How all charts look."""
    words = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": None,
        "font": FONT,
        "axis": {
            **words,
            "titleFontWeight": "normal",
            "gridColor": GRID,
            "domainColor": MUTED,
            "tickColor": MUTED,
            "labelLimit": 260,
        },
        "header": {**words, "labelFontWeight": "bold", "labelFontSize": 13},
        "legend": {
            **words,
            "orient": "top",
            "symbolBaseFillColor": INK,
            "symbolBaseStrokeColor": INK,
            "symbolOpacity": 1,
            "labelLimit": 260,
        },
        "title": {"color": INK, "subtitleColor": MUTED, "anchor": "start", "fontSize": 15,
                  "subtitleFontSize": 12},
        "text": {"color": INK, "fontSize": 12},
        "rule": {"color": MUTED},
        "line": {"color": BLUE},
        "point": {"color": BLUE},
        "view": {"stroke": GRID},
    }  # fmt: skip
