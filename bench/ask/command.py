"""`ask`: from names to answers, their files and docs/answers.md."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench import html_page
from bench.ab.pairs import pairs
from bench.ab.run import Asked, compare, of_cells
from bench.ask import pages, questions, report
from bench.ask.answer import answer, by_trials, by_turns, unanswered, with_packages
from bench.ask.section import fingerprint, section
from bench.errors import CELLS_FAILED
from bench.live.displays import display
from bench.paths import default_python
from bench.plan import expand, make_plan
from bench.publish import recorded
from bench.records import atomic
from bench.report import caption
from bench.run import orchestrate
from bench.run.history import run_folders
from bench.run.lab import find_environments
from bench.run.options import RunOptions
from bench.run.trial_runner import now
from bench.text import duration
from bench.turns.model import SIDES, A, B
from bench.turns.schedule import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.analysis.results import Results
    from bench.ask.answer import Told
    from bench.ask.section import Section
    from bench.config import Config
    from bench.config.settings import Held, Profile
    from bench.paths import Paths
    from bench.plan import Cell, Plan
    from bench.turns.model import Contest
    from bench.typed_options import AskOptions

SHARE = 0.25  # of it, for the table where turns give the answer
THRESHOLD = 0.05
USERS = 8  # who ask in turn


@dataclass(frozen=True, slots=True)
class Voices:
    """Where it speaks: what was found, what goes on, and problems."""

    show: Callable[[str], None]
    say: Callable[[str], None]
    warn: Callable[[str], None]


def listed(where: Paths) -> str:
    """All questions, a line each."""
    found = {name: questions.load(where, name).question for name in questions.names(where.root)}
    width = max(map(len, found), default=0)
    lines = [f"{name:{width}}  {one.asks}" for name, one in found.items() if one is not None]
    return "\n".join([*lines, "", "`nox -s ask -- NAME` answers one in at most five minutes."])


def run(options: AskOptions, where: Paths, voices: Voices) -> int:
    """Answer the questions asked for, one after another; gives the exit status.

    What goes on is not told if `--quiet` is given.

    Raises:
        BadInputError: there is no such question, or its file can't be used.
        RequirementError: an environment is missing.
    """
    if options.quiet:
        voices = replace(voices, say=lambda _: None)
    names = questions.chosen(where.root, options.names, every=options.every)
    configs = {name: questions.load(where, name) for name in names}  # all, before any is measured
    unknown = 0
    for number, (name, config) in enumerate(configs.items(), 1):
        voices.say(f"{number} of {len(names)}, {name}: at most {duration(options.budget_s)}")
        found = _answer(_Asking(name, config, options, where, voices))
        chart = _left(found, options.output / "ask" / name, where, voices)
        if options.write:
            # At once: what is answered stays answered, whatever becomes of the others.
            pages.keep(where.root, [found], {} if chart is None else {name: chart})
        unknown += found.contests[0].ratio is None
    if options.write:
        count = pages.keep(where.root, [], {})
        voices.say(f"docs/answers.md has {count} answers")
    return CELLS_FAILED if unknown else 0


def check(where: Paths, show: Callable[[str], None]) -> int:
    """Whether docs/answers.md has the answers to the present questions; gives the exit status."""
    wrong = pages.stale(where.root)
    show("\n".join(wrong) or "docs/answers.md answers all questions as they are")
    return CELLS_FAILED if wrong else 0


def _left(found: Section, folder: Path, where: Paths, voices: Voices) -> bytes | None:
    """Tell it, and leave its reports; gives its chart, None where that can't be drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    document, chart = folder / "latest.json", folder / pages.CHART
    atomic.replace({document: report.document(found).encode(), chart: None})
    drawn = html_page.answer(document, chart, where, voices.warn)
    atomic.write(folder / "latest.md", f"{report.markdown(found, chart.name if drawn else None)}\n")
    voices.show(f"\n{report.plain(found)}\n")
    voices.say(f"its chart: {chart}" if drawn else f"all of it: {folder / 'latest.md'}")
    return chart.read_bytes() if drawn else None


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question that is being asked."""

    name: str
    config: Config
    options: AskOptions
    where: Paths
    voices: Voices


def _answer(asking: _Asking) -> Section:
    name, config, options, where = asking.name, asking.config, asking.options, asking.where
    question = config.question
    if question is None:
        raise AssertionError(name)
    began = time.monotonic()
    cells = expand(config, default_python())
    contests = [
        (held, contest)
        for held in question.contests
        for contest in pairs(cells, held.a, held.b, every=True)
    ]
    used = dict.fromkeys(contest.cells[side] for _, contest in contests for side in (A, B))
    turns = question.by == "turns"
    share = SHARE if turns else 1.0
    profile = replace(
        config.profiles[config.default_profile], budget_s=options.budget_s * share, rounds=None
    )
    planned = make_plan([*used], profile, seed=options.seed, target=config.target)
    measured = _measured(planned, asking)
    rows = measured.rows
    told: list[Told]
    if turns:
        left_s = options.budget_s - (time.monotonic() - began)
        told = _in_turn(contests, asking, profile, left_s)
    else:
        by_cell = {row.cell: row for row in rows}
        told = [by_trials(held, contest, by_cell) for held, contest in contests]
    environments = measured.run.environments
    told = [
        with_packages(one, contest, environments)
        for one, (_, contest) in zip(told, contests, strict=True)
    ]
    return section(
        answer(name, question, told),
        rows,
        budget_s=options.budget_s,
        about=caption.brief(measured.run, planned.cells[0].server),
        sources=fingerprint(where.root / questions.FOLDER / name),
    )


def _measured(planned: Plan, asking: _Asking) -> Results:
    output = asking.options.output / "ask" / asking.name
    made = RunOptions("single", output, fresh=True, keep_raw=False)
    with display(quiet=asking.options.quiet) as observer:
        folder = orchestrate.orchestrate(planned, asking.where, made, observer)
    run_folders.finish(folder, now())
    return recorded(output, str(folder), asking.voices.warn)


def _in_turn(
    contests: Sequence[tuple[Held, Contest]],
    asking: _Asking,
    profile: Profile,
    left_s: float,
) -> list[Told]:
    config, where = asking.config, asking.where
    lacking = [_lacking(contest, config, where) for _, contest in contests]
    there = {
        at: _named(at, contest)
        for at, ((_, contest), reason) in enumerate(zip(contests, lacking, strict=True))
        if reason is None
    }
    progress = {at: Progress(contest.name) for at, contest in there.items()}
    if there:
        _compare([*there.values()], [*progress.values()], asking, profile, left_s)
    return [
        by_turns(held, contest, progress[at], THRESHOLD)
        if at in progress
        else unanswered(held, contest, str(lacking[at]))
        for at, (held, contest) in enumerate(contests)
    ]


def _lacking(contest: Contest, config: Config, where: Paths) -> str | None:
    """Why its cells can't be measured, where an environment is missing."""
    found = find_environments(where, [*contest.cells.values()], config.target).servers
    return next((one.reason for one in found.values() if one.python is None), None)


def _compare(
    contests: Sequence[Contest],
    progress: Sequence[Progress],
    asking: _Asking,
    profile: Profile,
    left_s: float,
) -> None:
    cells: dict[Cell, None] = dict.fromkeys(
        cell for contest in contests for cell in contest.cells.values()
    )
    side = of_cells([*cells], asking.config.target, asking.where)
    asked = Asked(
        sides=dict.fromkeys(SIDES, side),
        contests=tuple(contests),
        profile=profile,
        threshold=THRESHOLD,
        budget_s=max(1.0, left_s),
        seed=asking.options.seed,
        users=USERS,
    )
    compare(asked, asking.where, {}, asking.voices.say, tuple(progress))


def _named(at: int, contest: Contest) -> Contest:
    """Contests of one question may share a name: what they have in common."""
    return replace(contest, name=f"{at + 1}. {contest.name}")
