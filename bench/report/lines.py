"""What is printed in the terminal: a line a trial, a row and its why, a plan."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tabulate import tabulate

from bench import text
from bench.analysis.evidence import Evidence
from bench.analysis.fitness import Fitness, judge
from bench.analysis.why import why
from bench.records.model import Cause
from bench.report import design, tables, whys
from bench.report.places import bar, users_at
from bench.report.reasons import of_trial, remarks, sentences
from bench.text import NONE, milliseconds, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.kinds import Kind
    from bench.analysis.rows import Row
    from bench.estimate import Expected
    from bench.plan import Plan
    from bench.records.model import Purpose, RunRecord, TrialRecord

NEARLY = 0.85


def trial_line(trial: TrialRecord, place: str, cores: int) -> str:
    """One trial as it ends; ``place`` says where in the run, and why it was made."""
    judged = judge(trial, cores)
    told = text.line("; ".join(of_trial(judged)))
    begin = f"{place} {text.line(trial.cell):<32}"
    if trial.measured is None or not judged.usable:
        return f"{begin} {judged.fitness.value}: {told}"
    measured = trial.measured
    word = "doubtful" if judged.fitness is Fitness.CLEAN else judged.fitness.value
    aside = f"  [{word}: {told}]" if told else ""
    return (
        f"{begin} {number(measured.throughput_rps):>7} requests/s"
        f"  p50 {text.percentile(measured.latency.p50):>8}"
        f"  {whys.sentence(why(Evidence(trial, measured, cores)))}{aside}"
    )


def place(trial: TrialRecord, plan: Plan, done: int, spent_s: float) -> str:
    """Where in the run a trial stands, and why it was made if it is not one of a first pass."""
    total = len(plan.trials)
    budget_s = plan.profile.budget_s
    if budget_s is None and done > total:
        return f"[again {done - total}]"
    if budget_s is None:
        return f"[{done:{len(str(total))}}/{total}]"
    why = f"pass {trial.round}" if trial.purpose.cause is Cause.FIRST else purpose(trial.purpose)
    spent = f"{text.clock(spent_s)} of {text.clock(budget_s)}"
    return f"[{done:{len(str(total))}} | {spent} | {why}]"


def count(done: int, plan: Plan) -> str:
    """So many trials are; of a fixed design, of how many."""
    if plan.profile.rounds is not None and done <= len(plan.trials):
        return f"{done} of {len(plan.trials)} trials are"
    return "1 trial is" if done == 1 else f"{done} trials are"


def purpose(why: Purpose) -> str:
    """Why a trial is made: ``refine: ± 11%``."""
    width = "" if why.half_width is None else f": ± {why.half_width:.0%}"
    return f"{why.cause.value}{width}"


def row_text(row: Row) -> str:
    """One row in full, a line a figure."""
    if not row.verdict.usable:
        reasons = text.line("; ".join(sentences(row.verdict)))
        return f"{text.line(row.cell)}\n  {row.verdict.word.value}: {reasons}\n"
    latency = ", ".join(
        f"{name} {text.percentile(found)}"
        for name, found in (("p50", row.p50), ("p90", row.p90), ("p99", row.p99))
    )
    figures = [
        ("requests/s", tables.rate(row)),
        (
            "limit",
            f"{number(row.limit_rps)} requests/s, {text.share(row.share_of_limit)} of it",
        ),
        ("latency", f"{latency}; mean by Little's law {milliseconds(row.mean_by_little_ms)}"),
        (
            "requests",
            (
                f"{row.requests:,}, of them failed {row.failures:,};"
                f" unfinished at the end {number(row.unfinished)}"
            ),
        ),
        (
            "threads",
            (
                f"{number(row.threads_spawned)} spawned, "
                f"{number(row.threads_active_avg)} alive on average"
            ),
        ),
        (
            "server",
            (f"{number(row.cpu_ms_per_request)} ms of CPU a request, {number(row.rss_mb)} MB"),
        ),
        ("verdict", text.line("; ".join([row.verdict.word.value, *sentences(row.verdict)]))),
        *((("note", text.line("; ".join(remarks(row.verdict)))),) if remarks(row.verdict) else ()),
        *((("users", f"{bar(row.places)}  {users_at(row.places)}"),) if row.places else ()),
        ("why", text.line(whys.of_row(row) or NONE)),
        *((text.line(kind.name), _kind(kind)) for kind in row.kinds),
    ]
    body = tabulate(
        [(f"  {name}", value) for name, value in figures],
        tablefmt="plain",
        disable_numparse=True,
        preserve_whitespace=True,
    )
    return f"{text.line(row.cell)}\n{body}\n"


def _kind(kind: Kind) -> str:
    """One kind of a mix in a line."""
    latency = ", ".join(
        f"{name} {text.percentile(found)}"
        for name, found in (("p50", kind.p50), ("p90", kind.p90), ("p99", kind.p99))
    )
    failed = f", of them failed {kind.failures:,}" if kind.failures else ""
    rate = f"{number(kind.throughput_rps)} requests/s"
    users = "" if kind.users is None else f"; {number(kind.users)} users wait for it"
    return f"{rate}; {latency}{users}; {kind.requests:,} requests{failed}"


def plan_text(plan: Plan, expected: Expected) -> str:
    """Cells and order, and how long it will take."""
    profile = plan.profile
    order = tabulate(
        [
            (
                trial.index,
                trial.round,
                f"{trial.cell.id}{' (again)' if trial.twin else ''}",
                trial.cell.route,
            )
            for trial in plan.trials
        ],
        headers=("trial", "round", "cell", "route"),
        tablefmt="simple",
    )
    return (
        f"{order}\n\n{summary(plan, expected)}\n"
        f"profile {profile.name}: {design.load(profile, plan.varied)}; {design.repeats(profile)};"
        f" seed {plan.seed}\n"
        f"{_after(plan)}"
    )


def _after(plan: Plan) -> str:
    if plan.profile.rounds is not None:
        return ""
    return (
        "These are the first two passes. Further ones go over the cells that are not known well"
        " enough, where time makes most of them known, until all are or the budget is used.\n"
    )


def summary(plan: Plan, expected: Expected) -> str:
    """Cells, trials and the time it will take, in one line."""
    cells = "1 cell" if len(plan.cells) == 1 else f"{len(plan.cells)} cells"
    if plan.profile.budget_s is not None:
        budget = text.duration(plan.profile.budget_s)
        return f"{cells}, a budget of {budget}: {_takes(expected)}"
    trials = "1 trial" if len(plan.trials) == 1 else f"{len(plan.trials)} trials"
    return f"{cells}, {trials}, {_takes(expected)}"


def _takes(expected: Expected) -> str:
    """A budget that the first passes use is used; one that is larger ends when all is known."""
    most = text.duration(expected.most_s)
    if expected.least_s >= NEARLY * expected.most_s:
        return f"about {most} all in all"
    return f"{text.duration(expected.least_s)} to {most} all in all, as soon as all is known"


def resumed(run: RunRecord) -> list[str]:
    """What keeps a run from being of one piece, a sentence each time it was resumed."""
    return [
        f"Not of one piece: resumed at {step.at[:16].replace('T', ' ')} UTC, after"
        f" {step.done} {'trial' if step.done == 1 else 'trials'}, although"
        f" {text.line('; '.join(step.changes))}."
        for step in run.resumed
    ]


def closing(rows: Sequence[Row], plan: Plan) -> str:
    """How many cells have which verdict, and which have no numbers, and why."""
    words = Counter(row.verdict.word.value for row in rows)
    told = ", ".join(f"{count} {word}" for word, count in words.items())
    missing = [cell.id for cell in plan.cells if cell.id not in {row.cell for row in rows}]
    if missing:
        cells = "1 cell" if len(missing) == 1 else f"{len(missing)} cells"
        budget = text.duration(plan.profile.budget_s or 0.0)
        told += (
            f", {cells} not measured, as the budget of {budget} was used up; the same command with"
            " a larger `--budget` goes on"
        )
    return told
