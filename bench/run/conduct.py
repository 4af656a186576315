"""A whole run: find or make its folder, open the lab, measure what is missing, close."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bench import ledger
from bench.problem import named
from bench.report import lines
from bench.run import host, lab, runs
from bench.run.cpus import placement
from bench.run.describe import describe_run
from bench.run.measure import Bench, Controls
from bench.run.resume import choose
from bench.run.schedule import run_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.plan import Plan
    from bench.record import TrialRecord
    from bench.run.paths import Paths


def conduct(
    plan: Plan,
    paths: Paths,
    *,
    command: str,
    output: Path,
    fresh: bool,
    resume: bool,
    keep_raw: bool,
    probe: bool,
    pin: str,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> Path:
    """Measure a plan; gives the run's folder. It is for the caller to call the run finished.

    Raises:
        Lacking: the machine or an installation is missing something.
        BadInput: the output folder can't be used, or no run can be resumed as asked.
    """
    host.demand_open_files(plan.profile.users)
    host.demand_ports(plan.profile.users, host.local_ports())
    found = lab.find_environments(paths, plan.cells)
    placed = placement(pin, host.describe().cores)
    run = describe_run(plan, paths, found, command=command, probe=probe, placed=placed)
    folder = choose(output.resolve() / "runs", run, fresh=fresh, resume=resume, say=say, warn=warn)
    say(f"run {folder.name}: {lines.summary(plan)}{'' if folder.name == run.id else ' in all'}")
    recorded = runs.trials_of(folder)
    for damage in recorded.damage:
        warn(f"{damage}: a trial that has no whole record is measured again")

    def keep(trial: TrialRecord) -> None:
        ledger.append(folder / ledger.TRIALS_FILE, trial)
        # Only now: where there is no room to compress, the record is safe.
        measure.put_away(trial)

    def tell(trial: TrialRecord, done: int) -> None:
        say(lines.trial_line(trial, done, len(plan.trials), run.host.cores))

    with (
        _told_if_interrupted(folder, plan, warn),
        named(folder),
        lab.open_lab(paths, found, folder, probe=probe, placement=placed) as opened,
    ):
        measure = Bench(folder.name, plan, opened, found.servers, folder, keep_raw)
        # One experiment alone is asked for a quick answer.
        controls = Controls(measure, plan.profile.users) if command == "matrix" else None
        _run_controls(controls, "start", folder)
        run_plan(
            plan.trials,
            recorded.records,
            measure=measure,
            keep=keep,
            tell=tell,
        )
        _run_controls(controls, "end", folder)
    return folder


@contextlib.contextmanager
def _told_if_interrupted(folder: Path, plan: Plan, warn: Callable[[str], None]) -> Iterator[None]:
    """Says how much there is already, and how to see it."""
    try:
        yield
    except KeyboardInterrupt:
        done = len(runs.trials_of(folder).records)
        way = f"; `nox -s report -- --run {folder.name}` makes reports of them" if done else ""
        warn(f"{done} of {len(plan.trials)} trials are measured{way}")
        raise


def _run_controls(controls: Controls | None, when: str, folder: Path) -> None:
    for control in controls(when) if controls is not None else ():
        ledger.append(folder / ledger.CONTROLS_FILE, control)
