"""`ab` and `versus`: from options to a table, files and an exit status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from bench import html_page, revisions
from bench.ab import report
from bench.ab.pairs import pairs
from bench.ab.run import Asked, compare, of_cells, sides_of
from bench.config.mistakes import Mistake, refuse
from bench.errors import CELLS_FAILED, BadInputError
from bench.records import atomic
from bench.run.host import machine
from bench.text import duration, line
from bench.turns.model import SIDES, same
from bench.turns.schedule import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.ab.run import Side
    from bench.paths import Paths
    from bench.plan import Plan
    from bench.revisions import Revisions
    from bench.turns.model import Contest
    from bench.typed_options import AbOptions

BUDGET_S = 300.0
USERS = 8  # who ask in turn: enough that the server never waits for one, few enough to drain soon
LEAST_THRESHOLD = 0.01


@dataclass(frozen=True, slots=True)
class Voices:
    """Where it speaks: what was found, what goes on, and problems."""

    show: Callable[[str], None]
    say: Callable[[str], None]
    warn: Callable[[str], None]


def find_revisions(options: AbOptions, planned: Plan, where: Paths) -> Revisions:
    """What is compared, checked out.

    Raises:
        BadInputError: git has no such revision, or the application is in no repository.
    """
    project = where.root if planned.target is None else planned.target.path
    try:
        found = revisions.find(
            options.sides,
            worktree=options.worktree,
            project=project,
            cache=(where.root / ".nox" / "ab").resolve(),
        )
        revisions.check_out(found)
    except revisions.RevisionError as refused:
        raise BadInputError(str(refused)) from None
    return found


def run(
    options: AbOptions, planned: Plan, where: Paths, secrets: Mapping[str, str], voices: Voices
) -> int:
    """Two revisions: print the table, leave it as JSON, Markdown and page; gives the exit status.

    Raises:
        BadInputError: options that can't be met.
        RequirementError: an environment is missing.
        KeyboardInterrupt: as it came; what was known by then has been written.
    """
    _demand_fineness(options)
    found = find_revisions(options, planned, where)
    sides = sides_of(found, planned.target, planned.cells, where)
    contests = tuple(map(same, planned.cells))
    return _compare(
        options,
        _asked(options, planned, sides, contests),
        Titles(found.a.short, found.b.short, (found.a.commit, found.b.commit)),
        where,
        secrets,
        voices,
    )


def versus(
    options: AbOptions, planned: Plan, where: Paths, secrets: Mapping[str, str], voices: Voices
) -> int:
    """Cells against cells, as `run`."""
    _demand_fineness(options)
    overrides = options.plan.overrides
    chosen = bool(overrides.select or overrides.servers or overrides.workers or overrides.pythons)
    a, b = options.sides
    contests = pairs(planned.cells, a, b, every=chosen)
    cells = dict.fromkeys(cell for contest in contests for cell in contest.cells.values())
    side = of_cells([*cells], planned.target, where)
    return _compare(
        options,
        _asked(options, planned, dict.fromkeys(SIDES, side), contests),
        Titles(a, b),
        where,
        secrets,
        voices,
    )


@dataclass(frozen=True, slots=True)
class Titles:
    """What the sides are called; and their commits, of revisions."""

    a: str
    b: str
    commits: tuple[str | None, str | None] = (None, None)


def _demand_fineness(options: AbOptions) -> None:
    if options.threshold < LEAST_THRESHOLD:
        raise BadInputError(
            f"--threshold: found {options.threshold:.2%}, allowed: at least {LEAST_THRESHOLD:.0%}:"
            " finer differences come with each start of a process"
        )


def _asked(
    options: AbOptions,
    planned: Plan,
    sides: Mapping[str, Side],
    contests: tuple[Contest, ...],
) -> Asked:
    overrides = options.plan.overrides
    if planned.profile.rate is not None:
        refuse(
            [
                Mistake(
                    "--rate" if overrides.rate is not None else f"profile {planned.profile.name}",
                    "an open load",
                    "users who wait for their answers: what is compared here is how fast they come",
                )
            ]
        )
    return Asked(
        sides=sides,
        contests=contests,
        profile=planned.profile,
        threshold=options.threshold,
        budget_s=BUDGET_S if overrides.budget_s is None else overrides.budget_s,
        seed=planned.seed,
        users=USERS if overrides.users is None else overrides.users,
    )


def _compare(
    options: AbOptions,
    asked: Asked,
    titles: Titles,
    where: Paths,
    secrets: Mapping[str, str],
    voices: Voices,
) -> int:
    cells = tuple(Progress(contest.name) for contest in asked.contests)
    told = report.Comparison(
        kind=options.plan.command,
        a=titles.a,
        b=titles.b,
        commits=titles.commits,
        started=_now(),
        finished="",
        host=_host(),
        threshold=options.threshold,
        users=asked.users,
        cells=cells,
        complete=False,
    )
    if options.quiet:
        voices = replace(voices, say=_silent)
    voices.say(
        line(f"{told.b} against {told.a}: {_count(cells)}, at most {duration(asked.budget_s)}")
    )
    try:
        compare(asked, where, secrets, voices.say, cells)
        told = replace(told, complete=True)
    finally:
        told = replace(told, finished=_now())
        if any(cell.starts or cell.failures for cell in cells):
            _write(told, options, where, voices)
    if told.untold:
        return CELLS_FAILED
    if options.fail_on_regression and not told.judged:
        # A gate that can't see must not be open.
        raise BadInputError(
            "--fail-on regression: no cell could be judged, as none was begun twice; a longer"
            " --budget, or fewer cells by --select"
        )
    return CELLS_FAILED if options.fail_on_regression and told.regressions else 0


def _write(told: report.Comparison, options: AbOptions, where: Paths, voices: Voices) -> None:
    table = report.markdown(told)
    voices.show(f"\n{table}")
    document = report.document(told)
    folder = options.output / told.kind
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / "latest.md": table.encode(), folder / "latest.json": document.encode()}
    name = told.started.replace(":", "").replace("-", "")[:15]
    files |= {folder / f"{name}.json": document.encode()}
    atomic.replace(files)
    if options.markdown is not None:
        with options.markdown.open("a", encoding="utf-8") as file:
            file.write(table + "\n")
    html_page.side_by_side(document, folder / "latest.html", where, voices.warn)
    voices.say(f"All of it: {folder}/latest.html, latest.md and latest.json")


def _count(cells: Sequence[Progress]) -> str:
    return "1 cell" if len(cells) == 1 else f"{len(cells)} cells"


def _silent(_: str) -> None:
    """Only the table, and problems."""


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _host() -> str:
    host = machine.describe()
    return f"{host.cpu}, {host.cores} cores"
