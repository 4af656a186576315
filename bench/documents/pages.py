"""A Markdown page as its readers use it: where it leads, where one can be led to in it."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from bench.documents.commands import READER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

_ATTRIBUTE = re.compile(r'\b(?:href|src|srcset)="([^"]*)"')
_ID = re.compile(r'\b(?:id|name)="([^"]*)"')
_HTML = {"html_block", "html_inline"}


def targets(markdown: str) -> list[str]:
    """What every link and picture points to, as it is written."""
    found: list[str] = []
    for token in _tokens(markdown):
        if token.type in _HTML:
            found += _ATTRIBUTE.findall(token.content)
        found += [str(token.attrs[name]) for name in ("href", "src") if name in token.attrs]
    return found


def anchors(markdown: str) -> set[str]:
    """What may stand after `#`: headings as GitHub names them, and ids of HTML."""
    found: set[str] = set()
    seen: Counter[str] = Counter()
    tokens = READER.parse(markdown)
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            name = slug("".join(part.content for part in content.children or []))
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    for token in _tokens(markdown):
        if token.type in _HTML:
            found.update(_ID.findall(token.content))
    return found


def slug(heading: str) -> str:
    """GitHub's name of a heading: lower case, without punctuation, a hyphen for each space."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _tokens(markdown: str) -> Iterator[Token]:
    for token in READER.parse(markdown):
        yield token
        yield from token.children or []
