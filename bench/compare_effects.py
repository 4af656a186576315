"""`nox -s compare -- A B --effects`: reads two runs, and shows what has changed within them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.effect_changes import changes
from bench.compare_inputs import inside
from bench.errors import BadInputError
from bench.records import atomic
from bench.report import effect_changes as report
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.compare_inputs import Inside
    from bench.typed_options import CompareOptions

    Say = Callable[[str], None]


def run(options: CompareOptions, say: Say, warn: Say) -> None:
    """The table; as JSON and as Markdown where that is asked for.

    Raises:
        BadInputError: a run can't be read, has no effects, or was under another load.
    """
    if options.fail_on_regression:
        raise BadInputError(
            "--fail-on regression: judges cells, and --effects compares none; leave out one of them"
        )
    a, b = (inside(text, options.output, warn) for text in (options.a, options.b))
    if a.load != b.load and not options.anyway:
        raise BadInputError(_loads(a, b))
    found = changes(a.effects, b.effects, threshold=options.threshold)
    if not found.compared:
        raise BadInputError(
            f"Nothing to compare: {shown(a.title)} and {shown(b.title)} have no effect in common;"
            " each needs two cells that differ in one thing, and two trials of each"
        )
    runs = (a.run, b.run)
    say(report.table(found, runs))
    if options.json is not None:
        atomic.write(options.json, report.document(found, runs))
    if options.summary is not None:
        with options.summary.open("a", encoding="utf-8") as file:
            file.write(report.markdown(found, runs))


def _loads(a: Inside, b: Inside) -> str:
    told = [
        f"  {name}: {a.load.get(name)} against {b.load.get(name)}"
        for name in dict.fromkeys([*a.load, *b.load])
        if a.load.get(name) != b.load.get(name)
    ]
    listed = "\n".join(shown(one, 300) for one in told)
    return (
        f"{shown(a.title)} and {shown(b.title)} were not under the same load, so their effects"
        f" aren't the same ones:\n{listed}\n`--anyway` compares them all the same"
    )
