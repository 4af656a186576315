"""docs/answers.md, and what it is made from: docs/answers.json, with a chart for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from bench.ask import questions, report
from bench.ask.section import SCHEMA, SECTIONS, fingerprint
from bench.errors import BadInputError
from bench.records import atomic
from bench.text import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bench.ask.section import Section

CHART = "chart.svg"
BEGIN = "<!-- answers: begin (made by `nox -s ask -- --all --write`; do not edit) -->"
END = "<!-- answers: end -->"


def keep(root: Path, new: Sequence[Section], charts: dict[str, bytes]) -> int:
    """Put answers in place of those of the same questions; gives how many there are then.

    Those of questions that are gone go, too. ``charts`` are SVG by question; one without has none.

    Raises:
        BadInputError: docs/answers.json can't be used, or docs/answers.md has no markers.
        OSError: one can't be written.
    """
    there = questions.names(root)
    found = {one.question: one for one in [*read(root), *new] if one.question in there}
    ordered = [found[name] for name in there if name in found]
    folder = root / "docs" / "answers"
    folder.mkdir(exist_ok=True)
    files: dict[Path, bytes | None] = {
        folder / f"{one.question}.svg": charts.get(one.question) for one in new
    }
    drawn = {path.stem for path in folder.glob("*.svg")} - {one.question for one in new}
    drawn |= charts.keys()
    files |= {folder / f"{name}.svg": None for name in drawn - found.keys()}
    files[_json(root)] = report.documents(ordered).encode()
    files[_page(root)] = _text(root, ordered, drawn).encode()
    atomic.replace(files)
    return len(ordered)


def stale(root: Path) -> list[str]:
    """What of the page isn't as it would be made now; empty if all is."""
    found = read(root)
    by_name = {one.question: one for one in found}
    wrong = []
    for name in questions.names(root):
        renew = f"`nox -s ask -- {name} --write` renews it"
        if name not in by_name:
            wrong.append(f"docs/answers.md: no answer to {name}; {renew}")
        elif by_name[name].sources_sha256 != fingerprint(root / questions.FOLDER / name):
            wrong.append(f"docs/answers.md: the question {name} has changed; {renew}")
    charts = {path.stem for path in (root / "docs" / "answers").glob("*.svg")}
    if _page(root).read_text(encoding="utf-8") != _text(root, found, charts):
        wrong.append("docs/answers.md is stale: `nox -s ask -- --write` makes it anew")
    return wrong


def read(root: Path) -> list[Section]:
    """The answers that there are.

    Raises:
        BadInputError: docs/answers.json can't be used.
    """
    path = _json(root)
    if not path.is_file():
        return []
    try:
        found = SECTIONS.validate_json(path.read_bytes())
    except ValidationError as damage:
        raise BadInputError(line(f"{path}: can't be read: {damage.errors()[0]['msg']}")) from damage
    for one in found:
        if one.schema != SCHEMA:
            raise BadInputError(f"{path}: found schema {one.schema}, this version reads {SCHEMA}")
    return [*found]


def _json(root: Path) -> Path:
    return root / "docs" / "answers.json"


def _page(root: Path) -> Path:
    return root / "docs" / "answers.md"


def _text(root: Path, found: Sequence[Section], charts: Iterable[str]) -> str:
    """The page with its generated part made anew."""
    path, drawn = _page(root), set(charts)
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInputError(
            f"{path}: the markers are missing; put these two lines where the answers belong:\n"
            f"{BEGIN}\n{END}"
        )
    sections = [
        report.markdown(one, f"answers/{one.question}.svg" if one.question in drawn else None)
        for one in found
    ]
    body = "\n\n".join([report.contents(found), *sections] if found else ["None yet."])
    return f"{before}{BEGIN}\n\n{body}\n\n{END}{after}"
