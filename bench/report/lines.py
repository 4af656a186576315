"""What is printed in the terminal: a line a trial, a row and its why, a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from bench import text
from bench.analysis.verdict import Word, judge
from bench.analysis.why import Evidence, why
from bench.plan import Plan, estimate_s
from bench.report import tables
from bench.report.reasons import sentences
from bench.text import NONE, milliseconds, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.rows import Row
    from bench.records.model import RunRecord, TrialRecord


def trial_line(trial: TrialRecord, done: int, total: int, cores: int) -> str:
    """One trial as it ends."""
    place = f"[{done:{len(str(total))}}/{total}] {text.line(trial.cell):<32}"
    verdict = judge(trial, cores)
    if trial.measured is None or not verdict.usable:
        return f"{place} {verdict.word.value}: {text.line('; '.join(sentences(verdict)))}"
    measured = trial.measured
    doubts = (
        ""
        if verdict.word is Word.VALID
        else f"  [{verdict.word.value}: {text.line('; '.join(sentences(verdict)))}]"
    )
    return (
        f"{place} {number(measured.throughput_rps):>7} requests/s"
        f"  p50 {text.percentile(measured.latency.p50):>8}"
        f"  {why(Evidence(trial, measured, cores))}{doubts}"
    )


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
        ("requests/s", tables.spread(row.throughput_rps)),
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
        ("why", text.line(row.why or NONE)),
    ]
    body = tabulate(
        [(f"  {name}", value) for name, value in figures],
        tablefmt="plain",
        disable_numparse=True,
        preserve_whitespace=True,
    )
    return f"{text.line(row.cell)}\n{body}\n"


def plan_text(plan: Plan) -> str:
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
        f"{order}\n\n{summary(plan)}\n"
        f"profile {profile.name}: {profile.users} users, {profile.spawn_rate:g} started a second,"
        f" {profile.warmup_s:g} s warm-up, {profile.duration_s:g} s window,"
        f" {profile.rounds} {'round' if profile.rounds == 1 else 'rounds'}; seed {plan.seed};"
        f" delay {plan.delay_s:g} s\n"
    )


def summary(plan: Plan) -> str:
    """Cells, trials and expected time in one line; a matrix's controls take seconds more."""
    return (
        f"{len(plan.cells)} cells, {len(plan.trials)} trials, about"
        f" {text.duration(estimate_s(plan))}"
    )


def resumed(run: RunRecord) -> list[str]:
    """What keeps a run from being of one piece, a sentence each time it was resumed."""
    return [
        f"Not of one piece: resumed at {step.at[:16].replace('T', ' ')} UTC, after"
        f" {step.done} {'trial' if step.done == 1 else 'trials'}, although"
        f" {text.line('; '.join(step.changes))}."
        for step in run.resumed
    ]


def closing(rows: Sequence[Row]) -> str:
    """How many cells have which verdict."""
    words: dict[str, int] = {}
    for row in rows:
        words[row.verdict.word.value] = words.get(row.verdict.word.value, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in words.items())
