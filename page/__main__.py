"""``python -m page DOCUMENT --output FILE``: the harness runs it after it has published."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.text import shown
from page import answer_chart, build, comparison, files, readme_chart, sides
from page.errors import PageError
from page.reading import parse, read


def main(arguments: list[str]) -> int:
    """Make the page, and the README's charts if asked; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m page", description=__doc__)
    add = parser.add_argument
    add(
        "document",
        type=Path,
        help="reports/latest.json, or what `compare -- --json`, `ab` or `ask` writes",
    )
    add("--series", type=Path, metavar="FILE", help="latest.series.jsonl")
    add("--output", type=Path, metavar="FILE", help="the page, or the chart of an answer")
    add("--charts", type=Path, metavar="DIR", help="where chart-light.svg and chart-dark.svg go")
    chosen = parser.parse_args(arguments)
    try:
        files.write(_made(chosen.document, chosen.series, chosen.output, chosen.charts))
    except PageError as problem:
        print(shown(str(problem), 500), file=sys.stderr)
        return problem.exit_status
    except OSError as error:
        print(shown(f"{error.filename}: {error.strerror}", 500), file=sys.stderr)
        return PageError.exit_status
    return 0


def _made(
    document: Path, series: Path | None, output: Path | None, charts: Path | None
) -> dict[Path, str]:
    content = parse(document.read_bytes(), document.name)
    for kind in (comparison, sides):
        if kind.is_one(content):
            return {} if output is None else {output: kind.page(content)}
    if answer_chart.is_one(content):
        return {} if output is None else {output: answer_chart.chart(content)}
    report = read(document, series)
    made = {} if output is None else {output: build.page(report)}
    if charts is not None:
        made |= {charts / name: svg for name, svg in readme_chart.charts(report).items()}
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
