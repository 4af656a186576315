"""Whatever a person reads, as it was found good to read (tests/golden/report).

UPDATE_GOLDENS=1 writes the goldens anew.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bench.analysis.results import Results, results
from bench.analysis.rows import rows
from bench.config import Profile
from bench.estimate import Expected
from bench.plan import Cell, make_plan
from bench.records.model import Damage, Resumption
from bench.report import document, lines, markdown, readme
from tests.support.goldens import as_golden
from tests.support.records import HOSTILE, example, measured, run, trial

CORES = 2
README = f"# A project\n\nAbove.\n\n{readme.BEGIN}\nan older table\n{readme.END}\n\nBelow.\n"


@pytest.mark.parametrize("rounds", [1, 3])
def test_latest_md(rounds: int) -> None:
    """Every verdict, with one round and with several."""
    run, trials = example(rounds)
    as_golden(f"report/latest-{rounds}.md", markdown.report(results(run, trials)))


@pytest.mark.parametrize("rounds", [1, 3])
def test_latest_json(rounds: int) -> None:
    """The same for programs."""
    run, trials = example(rounds)
    as_golden(f"report/latest-{rounds}.json", document.document(results(run, trials)))


def test_a_run_that_measured_nothing() -> None:
    """No tables, but a report."""
    run, _ = example()
    as_golden("report/empty.md", markdown.report(results(run, ())))


def test_a_run_with_damaged_records() -> None:
    """What is missing is said before anything else."""
    run, trials = example()
    damage = (
        Damage("trials.jsonl:1", "its checksum doesn't match"),
        Damage("trials.jsonl:8", f"it is a second record of {HOSTILE}, round 1; line 7 counts"),
        Damage("controls.jsonl:4", "it is cut off"),
    )
    found = results(run, trials[1:], (), damage)
    as_golden("report/damaged.md", markdown.report(found))
    as_golden("report/damaged.json", document.document(found))


def test_a_run_that_is_not_of_one_piece() -> None:
    """It opens with that; `single` prints the same."""
    steps = (
        Resumption("2026-03-04T06:07:00+00:00", 1, (f"the machine's cpu was {HOSTILE}",)),
        Resumption(
            "2026-03-05T06:07:00+00:00", 3, ("Go was go1.23 and is go1.24", "1 cell is new")
        ),
    )
    made = replace(run(), resumed=steps)
    as_golden("report/resumed.md", markdown.report(results(made, [trial()])))
    as_golden("report/resumed.txt", "\n".join(lines.resumed(made)) + "\n")


PLAN = make_plan(
    (
        Cell("sync", "http", "uvicorn", 1, "3.12"),
        Cell("async_sync", "json", "gunicorn", 2, "3.12"),
        Cell("async", "http_pooled", "hypercorn", 1, "3.12"),
    ),
    Profile("quick", users=100, delay_s=0.2, budget_s=720.0),
    seed=1,
)


def test_readme() -> None:
    """Only what is between the markers is replaced."""
    run, trials = example()
    as_golden("report/readme.md", readme.into_readme(README, results(run, trials)))


RATES = {"sync": 100.0, "async": 60.0, "async_sync": 6.0}
NOISE = (0.99, 1.01, 1.0, 1.0, 0.99, 1.01)


def answered() -> Results:
    """Six trials of each cell: one with two regimes, one whose answer isn't known yet."""
    trials = []
    for (endpoint, rate), io, workers, server in product(
        RATES.items(), ("http", "json"), (1, 2), ("uvicorn", "gunicorn")
    ):
        experiment = f"async_{io}_sync" if endpoint == "async_sync" else f"{endpoint}_{io}"
        times = workers if endpoint == "sync" else 1.06 if io == "json" and workers == 2 else 1.0
        two = (experiment, workers, server) == ("sync_json", 1, "uvicorn")
        trials += [
            trial(
                cell=f"{experiment}-{server}-w{workers}",
                experiment=experiment,
                endpoint=endpoint,
                io=io,
                server=server,
                workers=workers,
                round=number,
                measured=measured(throughput_rps=rate * times * noise * (3 if two and odd else 1)),
            )
            for number, (noise, odd) in enumerate(zip(NOISE, (0, 1) * 3, strict=True), 1)
        ]
    made = run(cells=tuple(dict.fromkeys(one.cell for one in trials)), trials=len(trials))
    return results(made, trials)


def test_readme_with_answers() -> None:
    """The chart, five answers, the small table with what is unstable, and a row."""
    as_golden("report/readme-answers.md", readme.into_readme(README, answered()))


def test_lines_of_trials() -> None:
    """What the terminal shows as a run goes on: one line a trial."""
    _, trials = example()
    shown = [lines.trial_line(one, f"[{one.index}/54]", CORES) for one in trials]
    as_golden("report/trials.txt", "\n".join(shown) + "\n")


def test_rows_in_full() -> None:
    """What `single` prints, with the closing line."""
    run, trials = example(3)
    found = rows(run, trials)
    shown = [lines.row_text(row) for row in found]
    as_golden("report/rows.txt", "\n".join(shown) + "\n" + lines.closing(found, PLAN) + "\n")


def test_plan() -> None:
    """What `plan` prints."""
    as_golden("report/plan.txt", lines.plan_text(PLAN, Expected(90.0, 742.0)))
    fixed = replace(
        PLAN.profile, budget_s=None, rounds=2, spawn_rate=50.0, warmup_s=3.0, duration_s=6.0
    )
    as_golden(
        "report/plan_fixed.txt",
        lines.plan_text(make_plan(PLAN.cells, fixed, seed=1), Expected(99.0, 99.0)),
    )
