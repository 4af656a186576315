"""Safe embedding in one HTML file: JSON, scripts, images, and the policy that allows only these."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# Nothing in embedded JSON can end the element it stands in, open a comment or break a line.
_UNSAFE = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_ENDS_SCRIPT = re.compile(r"</(?=script)|<(?=!--)", re.IGNORECASE)
_CODE = re.compile(r"`([^`]*)`")


def json_text(value: Any) -> str:
    """JSON for a ``<script type="application/json">``.

    Raises:
        ValueError: it holds a number that JSON has not.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "".join(_UNSAFE.get(character, character) for character in text)


def script(source: str) -> str:
    """JavaScript that can stand in a ``<script>``: only string and pattern literals hold ``</``."""
    return _ENDS_SCRIPT.sub(lambda found: found[0].replace("<", "\\x3c"), source)


def csp_hash(content: str) -> str:
    """As a Content-Security-Policy names an inline script or style."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """Only these scripts and styles, pictures from the page itself, and no request to anywhere."""
    allowed = {
        "default-src": "'none'",
        "script-src": " ".join(map(csp_hash, scripts)) or "'none'",
        "style-src": " ".join(map(csp_hash, styles)) or "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


def image(svg: str) -> str:
    """An SVG as an address for ``<img>``, where no script in it can run."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def text(value: str) -> str:
    """Text from anywhere as HTML, in an attribute, too."""
    return html.escape(value, quote=True)


def prose(value: str) -> str:
    """A sentence as HTML; what stands in backticks is code."""
    return _CODE.sub(r"<code>\1</code>", text(value))
