"""A whole run: find or make its folder, open the lab, measure what is missing, close."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.errors import named
from bench.estimate import expected
from bench.records import journal
from bench.report import lines
from bench.run import lab
from bench.run.away.fleet import open_fleet
from bench.run.history import run_folders
from bench.run.history.resume import choose
from bench.run.history.run_record import describe_run
from bench.run.host import machine
from bench.run.host.cpus import placement
from bench.run.own import commands, environ
from bench.run.own.environ import Own
from bench.run.schedule import Hands, run_plan
from bench.run.trial_runner import Controls, TrialRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bench.paths import Paths
    from bench.plan import Plan
    from bench.records.model import TrialRecord
    from bench.run.away.fleet import Fleet
    from bench.run.observer import Observer
    from bench.run.options import RunOptions


def orchestrate(
    plan: Plan,
    paths: Paths,
    options: RunOptions,
    observer: Observer,
    secrets: Mapping[str, str] | None = None,
) -> Path:
    """Measure a plan; gives the run's folder. It is for the caller to call the run finished.

    ``observer`` is told of each step; ``secrets`` are the variables passed to one's own
    application.

    Raises:
        RequirementError: the machine or an installation is missing something.
        BadInputError: the output folder can't be used, or no run can be resumed as asked.
    """
    most = max(cell.load(plan.profile).at_once for cell in plan.cells)
    machine.demand_open_files(most)
    machine.demand_ports(most, machine.local_ports())
    found = lab.find_environments(paths, plan.cells, plan.target)
    own = None if plan.target is None else Own(plan.target, secrets or {})
    with open_fleet(paths.root, plan, observer.say, observer.warn) as fleet:
        return _measure(plan, paths, options, observer, _Found(found, own, fleet))


@dataclass(frozen=True, slots=True)
class _Found:
    """What a run is made with, looked for before it begins."""

    environments: lab.Environments
    own: Own | None
    fleet: Fleet | None


def _measure(
    plan: Plan, paths: Paths, options: RunOptions, observer: Observer, made_with: _Found
) -> Path:
    """The folder of the run, measured."""
    found, own, fleet = made_with.environments, made_with.own, made_with.fleet
    placed = placement(options.pin, machine.describe().cores, plan.profile.generators_here)
    run = describe_run(
        *(plan, paths, found),
        command=options.command,
        probe=options.probe,
        placed=placed,
        away={} if fleet is None else fleet.about(),
    )
    folder = choose(run, options, say=observer.say, warn=observer.warn)
    takes = expected(plan, cores=run.host.cores, controls=options.command == "matrix")
    begun = "" if folder.name == run.id else ", with what was measured before"
    observer.say(f"run {folder.name}: {lines.summary(plan, takes)}{begun}")
    recorded = run_folders.trials_of(folder)
    for damage in recorded.damage:
        observer.warn(f"{damage}: a trial that has no intact record is measured again")

    observer.opened(plan, recorded.records, run.host.cores)

    def keep(trial: TrialRecord) -> None:
        journal.append(folder / journal.TRIALS_FILE, trial)
        # Only now: where there is no room to compress, the record is safe.
        measure.put_away(trial)

    with (
        _told_if_interrupted(folder, plan, observer.warn),
        named(folder),
        lab.open_lab(
            *(paths, found, folder),
            own=own,
            probe=options.probe,
            placement=placed,
            observer=observer,
            fleet=fleet,
            listen=plan.profile.listen,
        ) as opened,
    ):
        servers = found.servers
        if own is not None:
            servers = commands.prepare(own, servers, opened.keeper, folder / "prepare.log")
            environ.cleanse(opened.secrets, folder)
        measure = TrialRunner(
            *(folder.name, plan, opened, servers, folder, options.keep_raw, run.host.cores)
        )
        # One experiment alone is asked for a quick answer.
        controls = Controls(measure, plan.profile.users) if options.command == "matrix" else None
        _run_controls(controls, "start", folder)
        hands = Hands(measure, keep, observer.ended, observer.planned, observer.begun)
        run_plan(plan, recorded.records, run.host.cores, hands)
        _run_controls(controls, "end", folder)
    return folder


@contextlib.contextmanager
def _told_if_interrupted(folder: Path, plan: Plan, warn: Callable[[str], None]) -> Iterator[None]:
    """Says how much there is already, and how to see it."""
    try:
        yield
    except KeyboardInterrupt:
        done = len(run_folders.trials_of(folder).records)
        way = f"; `nox -s report -- --run {folder.name}` makes reports of them" if done else ""
        warn(f"{lines.count(done, plan)} measured{way}")
        raise


def _run_controls(controls: Controls | None, when: Literal["start", "end"], folder: Path) -> None:
    for control in controls(when) if controls is not None else ():
        journal.append(folder / journal.CONTROLS_FILE, control)
