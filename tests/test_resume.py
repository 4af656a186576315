"""An interrupted run is resumed; what has changed is named first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.config import Profile
from bench.errors import BadInputError
from bench.plan import Cell, make_plan
from bench.records import journal
from bench.records.model import Resumption, RunRecord, TrialRecord
from bench.run.history import run_folders
from bench.run.history.resume import choose
from bench.run.options import RunOptions
from bench.run.schedule import Hands, run_plan
from tests.support.records import run, trial

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan import Plan, PlannedTrial

CELLS = tuple(Cell("sync", io, "uvicorn", 1, "3.12") for io in ("http", "json", "noop"))
PROFILE = Profile("quick", users=8, delay_s=1.0, rounds=2)
NEW_APP = {**run().sources, "application (app/)": "changed"}


def plan_of(cells: tuple[Cell, ...] = CELLS, seed: int = 1) -> Plan:
    """Two rounds, so a twin in each."""
    return make_plan(cells, PROFILE, seed=seed)


class Machine:
    """Measures plans as `orchestrate` does; what measures is a fake, and can be interrupted."""

    def __init__(self, output: Path) -> None:
        self.output, self.kept = output, output / "runs"
        self.said: list[str] = []
        self.measured: list[tuple[str, int, bool]] = []
        self._starts = 0

    def run(
        self, plan: Plan, *, until: int | None = None, fresh: bool = False, resume: bool = False,
        **facts: Any,
    ) -> Path:  # fmt: skip
        """The run's folder, after so many trials."""
        self._starts += 1
        wanted = self._wanted(plan, **facts)
        options = RunOptions("matrix", self.output, fresh=fresh, resume=resume)
        folder = choose(wanted, options, say=self.said.append, warn=pytest.fail)
        left = 1000 if until is None else until

        def measure(planned: PlannedTrial) -> TrialRecord:
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            self.measured.append((planned.cell.id, planned.round, planned.twin))
            return trial(
                index=planned.index, round=planned.round, cell=planned.cell.id, twin=planned.twin,
                started=f"2026-03-0{self._starts}T00:00:00+00:00",
            )  # fmt: skip

        try:
            hands = Hands(
                measure=measure,
                keep=lambda one: journal.append(folder / journal.TRIALS_FILE, one),
                tell=lambda *_: None,
            )
            run_plan(plan, run_folders.trials_of(folder).records, 2, hands)
            run_folders.finish(folder, f"2026-03-0{self._starts}T01:00:00+00:00")
        except KeyboardInterrupt:
            pass
        return folder

    def _wanted(self, plan: Plan, **facts: Any) -> RunRecord:
        known: dict[str, Any] = {
            "id": f"2026030{self._starts}-000000-{plan.hash[:6]}",
            "started": f"2026-03-0{self._starts}T00:00:00+00:00",
            "finished": None,
            "plan_hash": plan.hash,
            "cells": tuple(cell.id for cell in plan.cells),
            "trials": len(plan.trials),
            "profile": plan.profile,
            "seed": plan.seed,
        }
        return run(**(known | facts))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One without runs."""
    return Machine(tmp_path / "runs")


def entries(plan: Plan) -> list[tuple[str, int, bool]]:
    """A plan's trials in order."""
    return [(planned.cell.id, planned.round, planned.twin) for planned in plan.trials]


def test_an_interrupted_run_goes_on_where_it_stopped(machine: Machine) -> None:
    """However often: each trial once, in the order that the seed gives; run.json stays."""
    plan = plan_of()
    folder = machine.run(plan, until=3)
    before = (folder / journal.RUN_FILE).read_bytes()
    assert machine.run(plan, until=2) == folder
    assert (folder / journal.RUN_FILE).read_bytes() == before
    assert machine.run(plan) == folder
    assert machine.measured == entries(plan)
    assert len(run_folders.trials_of(folder).records) == len(plan.trials) == 8
    assert machine.said == [
        f"run {folder.name}: resumed, 3 of 8 trials are measured",
        f"run {folder.name}: resumed, 5 of 8 trials are measured",
    ]


def test_a_finished_run_is_followed_by_a_new_one(machine: Machine) -> None:
    """Nothing needs to be said."""
    first = machine.run(plan_of())
    assert machine.run(plan_of()) != first
    assert machine.said == []


def test_fresh_leaves_the_unfinished_run_as_it_is(machine: Machine) -> None:
    """And asks nothing."""
    folder = machine.run(plan_of(), until=3)
    assert machine.run(plan_of(), fresh=True) != folder
    assert machine.said == []


def test_a_change_is_named_and_starts_a_new_run(machine: Machine) -> None:
    """With how much there is, and how it could be resumed."""
    folder = machine.run(plan_of(), until=3)
    other = machine.run(plan_of(), until=0, sources=NEW_APP)
    assert other != folder
    (told,) = machine.said
    assert told == (
        f"run {folder.name}: 3 of 8 trials are measured, but it can't simply be resumed:"
        " the application (app/) has changed. A new run starts; `--resume` resumes the old"
        " one all the same."
    )


def test_what_can_never_be_one_run_is_not_offered(machine: Machine) -> None:
    """Another seed has another order."""
    machine.run(plan_of(), until=3)
    machine.run(plan_of(seed=2), sources=NEW_APP)
    assert machine.said[0].endswith(
        "the seed was 1 and is 2; the application (app/) has changed."
        " A new run starts; the old one goes on when it is asked for as it was."
    )


def test_a_run_that_was_replaced_is_told_of_no_more(machine: Machine) -> None:
    """Once the new one is finished; --resume still finds the old one."""
    folder = machine.run(plan_of(), until=3)
    machine.run(plan_of(), sources=NEW_APP)
    machine.said.clear()
    machine.run(plan_of(), until=0, sources=NEW_APP)
    assert machine.said == []
    assert machine.run(plan_of(), sources=NEW_APP, resume=True) == folder


def test_resume_goes_on_all_the_same_and_records_it(machine: Machine) -> None:
    """Trials, order, seed and start stay; the record says what changed, when, and what is now."""
    plan = plan_of()
    folder = machine.run(plan, until=3)
    machine.run(plan, until=0, sources=NEW_APP)  # reads the notice and interrupts
    assert machine.run(plan, until=1, sources=NEW_APP, resume=True) == folder
    assert machine.said[-1] == (
        f"run {folder.name}: 3 of 8 trials are measured; resumed, although the application"
        " (app/) has changed. Its reports will say so."
    )
    recorded = journal.read_run(folder / journal.RUN_FILE)
    assert recorded.resumed == (
        Resumption("2026-03-03T00:00:00+00:00", 3, ("the application (app/) has changed",)),
    )
    assert (recorded.id, recorded.started) == (folder.name, "2026-03-01T00:00:00+00:00")
    assert recorded.sources == NEW_APP
    # From here on nothing has changed, with the flag or without.
    assert machine.run(plan, until=1, sources=NEW_APP, resume=True) == folder
    assert machine.run(plan, sources=NEW_APP) == folder
    assert journal.read_run(folder / journal.RUN_FILE).resumed == recorded.resumed
    assert machine.measured == entries(plan)


def test_a_second_change_is_recorded_beside_the_first(machine: Machine) -> None:
    """In order."""
    folder = machine.run(plan_of(), until=3)
    machine.run(plan_of(), until=1, sources=NEW_APP, resume=True)
    host = replace(run().host, kernel="6.2.0")
    machine.run(plan_of(), sources=NEW_APP, host=host, resume=True)
    told = journal.read_run(folder / journal.RUN_FILE).resumed
    assert [(step.done, step.changes) for step in told] == [
        (3, ("the application (app/) has changed",)),
        (4, ("the machine's kernel was 6.1.0 and is 6.2.0",)),
    ]


@pytest.mark.parametrize("cells", [CELLS[:2], CELLS[1:]])
def test_resume_with_other_cells_measures_only_what_is_missing(
    machine: Machine, cells: tuple[Cell, ...]
) -> None:
    """More or fewer: no trial twice, whatever its number; run.json has the new plan."""
    first, then = plan_of(cells), plan_of()
    folder = machine.run(first, until=4)
    assert machine.run(then, resume=True) == folder
    done = entries(first)[:4]
    assert machine.measured == done + [one for one in entries(then) if one not in done]
    recorded = journal.read_run(folder / journal.RUN_FILE)
    assert recorded.cells == tuple(cell.id for cell in CELLS)
    assert (recorded.trials, recorded.plan_hash) == (8, then.hash)


def test_resume_is_refused_where_trials_are_apart(machine: Machine) -> None:
    """Status 2, with what was and what is; nothing is made or changed."""
    folder = machine.run(plan_of(), until=3)
    before = (folder / journal.RUN_FILE).read_bytes()
    with pytest.raises(BadInputError) as caught:
        machine.run(plan_of(seed=2), sources=NEW_APP, resume=True)
    assert str(caught.value) == (
        f"--resume: the trials of run {folder.name} can't be in one run with these: the seed was 1"
        " and is 2. Ask for what it had, or for a new run without `--resume`."
    )
    assert (folder / journal.RUN_FILE).read_bytes() == before
    assert list(machine.kept.iterdir()) == [folder]


def test_resume_without_an_unfinished_run_is_bad_input(machine: Machine) -> None:
    """Rather than minutes of measuring that nobody asked for."""
    machine.run(plan_of())
    with pytest.raises(BadInputError, match="--resume: there is no unfinished run of `matrix`"):
        machine.run(plan_of(), resume=True)


BUDGET = Profile("quick", users=8, delay_s=1.0, budget_s=60.0)  # five trials of 12 s


def budgeted(budget_s: float) -> Plan:
    """The same cells, for so long."""
    return make_plan(CELLS, replace(BUDGET, budget_s=budget_s), seed=1)


def test_a_run_goes_on_under_a_larger_budget(machine: Machine) -> None:
    """From its records, though it had ended; its record then has the larger one."""
    folder = machine.run(budgeted(60.0))
    assert len(machine.measured) == 5
    assert machine.run(budgeted(90.0)) == folder
    assert machine.said == [f"run {folder.name}: resumed, 5 trials are measured"]
    assert machine.measured == entries(budgeted(90.0))[:8]
    recorded = journal.read_run(folder / journal.RUN_FILE)
    assert recorded.profile.budget_s == 90.0
    assert recorded.finished == "2026-03-02T01:00:00+00:00"


def test_an_interrupted_run_keeps_that_it_has_not_ended(machine: Machine) -> None:
    """Also where it was resumed with more time than it had."""
    folder = machine.run(budgeted(60.0))
    machine.run(budgeted(90.0), until=1)
    assert journal.read_run(folder / journal.RUN_FILE).finished is None
    assert machine.run(budgeted(90.0)) == folder


def test_the_same_or_a_smaller_budget_starts_a_new_run(machine: Machine) -> None:
    """For that has been spent."""
    first = machine.run(budgeted(60.0))
    second = machine.run(budgeted(60.0))
    third = machine.run(budgeted(30.0))
    assert len({first, second, third}) == 3
    assert machine.said == []


def test_an_interrupted_run_is_not_ended_by_a_smaller_budget(machine: Machine) -> None:
    """What was measured for more is not published as what less of it gave."""
    first = machine.run(budgeted(90.0), until=3)
    second = machine.run(budgeted(60.0))
    assert second != first
    (told,) = machine.said
    assert told == (
        f"run {first.name}: 3 trials are measured, but it can't simply be resumed: the budget was"
        " 90s and is 1m. A new run starts; `--resume` resumes the old one all the same."
    )


def test_only_the_last_run_goes_on_and_only_if_nothing_has_changed(machine: Machine) -> None:
    """Else it would be two machines' or two applications' figures in one."""
    first, last = machine.run(budgeted(60.0)), machine.run(budgeted(60.0))
    changed = machine.run(budgeted(90.0), sources=NEW_APP)
    assert changed not in {first, last}
    assert machine.said == []
