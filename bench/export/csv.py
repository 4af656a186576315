"""Comma-separated values as RFC 4180 has them: a header, a line a cell, CRLF, quotes doubled."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from bench.export.columns import COLUMNS, cells
from bench.export.figures import plain
from bench.text import line

if TYPE_CHECKING:
    from bench.export.columns import Value
    from bench.export.figures import Content

FORMULA = ("=", "+", "-", "@")  # with which a spreadsheet begins to reckon


def text(content: Content) -> str:
    """The whole file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows([_field(value) for value in row] for row in cells(content))
    return out.getvalue()


def _field(value: Value) -> str:
    """Nothing for what is not known; a text in one line, which no spreadsheet takes for a formula.

    A single quote before it, as OWASP advises against CSV injection: spreadsheets show the text
    and run nothing. No number gets one.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        told = line(value)
        return f"'{told}" if told.startswith(FORMULA) else told
    return plain(value)
