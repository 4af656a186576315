"""The matrix as HTML rows, each made once, and what the page's script needs to order them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench.axes import AXES
from bench.axes import levels as levels_of
from bench.text import NONE, number, share
from page import glyphs, words
from page.embed import prose, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from page.reading import Row

# heading, and how the list of orders calls it; "" where there is no order
COLUMNS = (
    ("cell", "as declared"),
    ("verdict", "verdict"),
    ("requests/s", "requests/s"),
    ("of limit", "share of the limit"),
    ("p50", "latency, median"),
    ("p99", "latency, p99"),
    ("CPU ms/req", "CPU a request"),
    ("users", ""),
    ("why", "why"),
)
MARKS = {"valid": "✓", "rough": "≈", "unstable": "⇅", "invalid": "✕", "failed": "✕", "skipped": "–"}


def html(row: Row, ends: tuple[float, float]) -> str:
    """One row; on a narrow screen each cell is a line with its heading before it."""
    name = text(row.cell)
    rate = words.rate(row)
    cells = [
        name_cell(row.cell),
        _cell(1, _verdict(row)),
        _cell(2, _figure(row, rate) + glyphs.interval(row, ends), "n rate"),
        _cell(3, _figure(row, share(row.share_of_limit)), "n"),
        _cell(4, _percentile(row, "p50"), "n"),
        _cell(5, _percentile(row, "p99"), "n"),
        _cell(6, _figure(row, number(row.figures.get("cpu_ms_per_request"))), "n"),
        _cell(7, glyphs.users_bar(row, words.users(row)) or _figure(row, NONE)),
        _cell(8, prose(_why(row)), "why"),
    ]  # fmt: skip
    return f'<tr id="{name}" class="r-{_word(row.verdict)}">{"".join(cells)}</tr>'


def _verdict(row: Row) -> str:
    """The word and its mark; why it isn't *valid* as a title, and in the opened row."""
    why = "; ".join(row.reasons) if row.usable else ""
    title = f' title="{text(why)}"' if why else ""
    mark = f'<span aria-hidden="true">{MARKS.get(row.verdict, "?")}</span>'
    return f'<span class="verdict v-{_word(row.verdict)}"{title}>{mark} {text(row.verdict)}</span>'


def name_cell(cell: str) -> str:
    """What opens a row, and its link."""
    name, address = text(cell), text(quote(cell, safe="-_.~"))
    return (
        '<th scope="row"><button type="button" class="open"'
        f' aria-expanded="false">{name.replace("-", "-<wbr>")}</button>'
        f' <a class="self" href="#{address}" aria-label="link to {name}">#</a></th>'
    )


def keys(row: Row) -> list[Any]:
    """What each column sorts by; None comes last either way."""
    p50, p99 = (_known(row, name) for name in ("p50", "p99"))
    values = [*row.rate.regimes[:1], row.rate.value]
    return [
        None,  # the declared order
        list(MARKS).index(row.verdict) if row.verdict in MARKS else len(MARKS),
        values[0],
        row.share_of_limit,
        p50,
        p99,
        row.figures.get("cpu_ms_per_request"),
        None,
        _why(row),
    ]


def axes(row: Row) -> list[str]:
    """The levels that rows are filtered by."""
    found = levels_of(row)
    return [found.get(axis, NONE) for axis in AXES]


def searched(row: Row) -> str:
    """What the text filter looks in."""
    parts = (row.cell, row.experiment, row.verdict, _why(row), *row.reasons, *row.remarks)
    return " ".join(parts).lower()


def levels(rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    """Axes with more than one level, and the verdicts that occur."""
    each = [axes(row) for row in rows]
    found = [(axis, list(dict.fromkeys(one[at] for one in each))) for at, axis in enumerate(AXES)]
    found.append(("verdict", list(dict.fromkeys(row.verdict for row in rows))))
    return [(axis, names) for axis, names in found if len(names) > 1]


def _why(row: Row) -> str:
    """What holds its figures back, or why there are none; doubts stand with the verdict."""
    if not row.usable:
        return "; ".join(row.reasons) or "no reason was recorded"
    return row.why or NONE


def _known(row: Row, name: str) -> float | None:
    found = row.latency.get(name)
    if found is None:
        return None
    return next((v for v in (found.value_ms, found.low_ms, found.over_ms) if v is not None), None)


def _percentile(row: Row, name: str) -> str:
    told = words.latency(row, name)
    if told.startswith(">"):
        why = text(words.latency_reason(row, name))
        return f'<span class="bounded" title="a bound: {why}">{text(told)}</span>'
    return _withheld(words.latency_reason(row, name)) if told == NONE else text(told)


def _figure(row: Row, told: str) -> str:
    if told == NONE:
        return _withheld("not known" if row.usable else "; ".join(row.reasons))
    return text(told)


def _withheld(why: str) -> str:
    return f'<span class="withheld" title="{text(why)}">{NONE}</span>'


def _cell(column: int, content: str, style: str = "") -> str:
    named = f' class="{style}"' if style else ""
    return f'<td data-h="{COLUMNS[column][0]}"{named}>{content}</td>'


def _word(verdict: str) -> str:
    return verdict if verdict in MARKS else "other"
