"""An answer in words: for a terminal, for docs/answers.md, and as JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from bench import text
from bench.ask.section import SECTION, SECTIONS
from bench.report import fairness, places
from bench.text import NONE, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.ask.section import Part, Section, Seen

CELLS = ("cell", "requests/s", "p50", "verdict", "users")


def plain(found: Section) -> str:
    """For a terminal."""
    links = f"\n{' ' * len('People ask: ')}".join(found.links)
    parts = [
        text.line(found.asks),
        "\n".join(f"  {text.line(one.sentence)}" for one in found.contests),
        *([f"What to do: {text.line(found.do)}"] if found.do else []),
        _cells(found.cells, "simple", text.line),
        f"People ask: {links}",
    ]
    return "\n\n".join(part for part in parts if part)


def markdown(found: Section, chart: str | None = None) -> str:
    """A section of docs/answers.md; ``chart`` is where the picture lies, seen from there."""
    first = found.contests[0]
    parts = [
        f"## {_marked(found.asks)}",
        f"**{_marked(first.sentence)}.**",
        *([_marked(found.do)] if found.do else []),
        _picture(found, chart) if chart else "",
        _contests(found.contests) if len(found.contests) > 1 or not chart else "",
        _cells(found.cells, "github", text.escape),
        _served(found),
        _origin(found),
    ]
    return "\n\n".join(part for part in parts if part)


def _picture(found: Section, chart: str) -> str:
    measure = found.contests[0].measure
    return f"![{text.escape(found.asks)} {measure[0].upper()}{measure[1:]}.]({chart})"


def contents(found: Sequence[Section]) -> str:
    """A table of all: the question, and what was found first."""
    return tabulate(
        [[f"[{_marked(one.asks)}](#{_anchor(one.asks)})", _marked(_brief(one))] for one in found],
        headers=("question", "here"),
        tablefmt="github",
    )


def document(found: Section) -> str:
    """For programs: docs/ask.md lists its fields."""
    return SECTION.dump_json(found, indent=1).decode() + "\n"


def documents(found: Sequence[Section]) -> str:
    """Of all, as docs/answers.json has them."""
    return SECTIONS.dump_json(tuple(found), indent=1).decode() + "\n"


def _brief(found: Section) -> str:
    first = found.contests[0]
    return f"{first.says}: {_times(first)}, {first.outcome}"


def _times(one: Part) -> str:
    if one.ratio is None or one.low is None or one.high is None:
        return NONE
    return f"{number(one.ratio)}× ({number(one.low)} to {number(one.high)})"


def _contests(parts: Sequence[Part]) -> str:
    return tabulate(
        [
            [
                f"{_marked(one.says)} / {_marked(one.than)}",
                _times(one),
                one.outcome,
                text.escape(one.how),
            ]
            for one in parts
        ],
        headers=("", parts[0].measure, "outcome", "measured"),
        tablefmt="github",
        disable_numparse=True,
    )


def _cells(cells: Sequence[Seen], form: str, shown: Callable[[str], str]) -> str:
    if not cells:
        return ""
    marked = form == "github"
    table = tabulate(
        [
            [
                shown(one.cell),
                one.throughput,
                one.p50,
                one.verdict,
                f"`{one.users}`" if marked and one.users != NONE else one.users,
            ]
            for one in cells
        ],
        headers=CELLS,
        tablefmt=form,
        disable_numparse=True,
        colalign=("left", "right", "right", "left", "left"),
    )
    legend = places.legend("".join(one.users for one in cells))
    return f"{table}\n\n{legend[:1].upper()}{legend[1:]}{'.' if legend else ''}".rstrip()


def _served(found: Section) -> str:
    if not found.served:
        return ""
    table = tabulate(
        [[text.escape(cell) for cell in line] for line in found.served],
        headers=fairness.HEADINGS,
        tablefmt="github",
        disable_numparse=True,
    )
    return f"How each server ran:\n\n{table}"


def _origin(found: Section) -> str:
    asked = f"Question {text.code(found.question)}, {text.duration(found.budget_s)}."
    return f"{asked} People ask: {_links(found.links)}. {found.about}"


def _marked(told: str) -> str:
    """Text from a question's file as Markdown: what it has between backticks is code, as there."""
    parts = told.split("`")
    if len(parts) % 2 == 0:  # one of them stands alone
        return text.escape(told)
    pieces = [
        text.code(part) if at % 2 else _escaped(part) for at, part in enumerate(parts) if part
    ]
    return "".join(pieces)


def _escaped(part: str) -> str:
    """Escaped, with the blanks that it begins and ends with."""
    before = " " if part[:1].isspace() else ""
    after = " " if part[-1:].isspace() and part.strip() else ""
    return f"{before}{text.escape(part)}{after}"


def _links(links: Sequence[str]) -> str:
    return ", ".join(f"[{_short(link)}]({link})" for link in links)


def _short(link: str) -> str:
    """``fastapi#3205`` of an issue or a discussion; else the address without its scheme."""
    parts = link.removeprefix("https://").split("/")
    if parts[0] == "github.com" and len(parts) > 4:
        return f"{parts[2]}#{parts[4].partition('#')[0]}"
    return "/".join(parts[:2])


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")
