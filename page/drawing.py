"""From a chart to what a page can hold: SVG, a Vega specification, and Vega itself. Offline."""

from __future__ import annotations

import json
import re
from typing import Any

import vl_convert

from page import palette

# Vega describes each mark; nobody hears that inside an `<img>`, and it is half the picture.
_SPOKEN = re.compile(
    r' (?:aria-label|aria-roledescription|aria-hidden|role)="[^"]*"| pointer-events="none"'
)


def specification(chart: Any) -> dict[str, Any]:
    """Vega-Lite, in the look that all charts have."""
    found: dict[str, Any] = chart.to_dict()
    found["config"] = palette.config()
    return found


def svg(spec: dict[str, Any]) -> str:
    """The picture, in light colours; its text for those who don't see it stands beside it."""
    drawn = vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])
    return _SPOKEN.sub("", str(drawn))


def vega(spec: dict[str, Any]) -> dict[str, Any]:
    """Compiled, so that the page needs no compiler's time."""
    return dict(vl_convert.vegalite_to_vega(json.dumps(spec)))


def scripts() -> str:
    """Vega with its interpreter of expressions, which needs no `eval`, as one script."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
