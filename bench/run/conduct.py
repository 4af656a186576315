"""A whole run: find or make its folder, open the lab, measure what is missing, close."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from bench import ledger
from bench.problem import named
from bench.record import SCHEMA, Host, RunRecord
from bench.report import lines
from bench.run import environments, host, lab, runs
from bench.run.measure import Bench, Controls, now
from bench.run.schedule import run_plan
from bench.run.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.plan import Plan
    from bench.record import TrialRecord
    from bench.run.lab import Environments
    from bench.run.paths import Paths


def conduct(
    plan: Plan,
    paths: Paths,
    *,
    command: str,
    output: Path,
    fresh: bool,
    keep_raw: bool,
    probe: bool,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> Path:
    """Measure a plan; gives the run's folder. It is for the caller to call the run finished.

    Raises:
        Lacking: the machine or an installation is missing something.
        BadInput: the output folder can't be used.
    """
    host.demand_open_files(plan.profile.users)
    found = lab.find_environments(paths, plan.cells)
    run = describe_run(plan, paths, command=command, probe=probe)
    kept = output.resolve() / "runs"
    folder = None if fresh else runs.unfinished(kept, run, warn)
    if folder is None:
        folder = kept / run.id
        runs.create(folder, run)
        say(f"run {run.id}: {lines.summary(plan)}")
    else:
        say(f"run {folder.name}: going on ({lines.summary(plan)} in all)")
    recorded = runs.trials_of(folder)
    for damage in recorded.damage:
        warn(f"{damage}: a trial that has no whole record is measured again")

    def keep(trial: TrialRecord) -> None:
        ledger.append(folder / ledger.TRIALS_FILE, trial)
        # Only now: where there is no room to compress, the record is safe.
        measure.put_away(trial)

    def tell(trial: TrialRecord, done: int) -> None:
        say(lines.trial_line(trial, done, len(plan.trials), run.host.cores))

    with named(folder), lab.open_lab(paths, found, folder, probe=probe) as opened:
        measure = Bench(folder.name, plan, opened, found.servers, folder, keep_raw)
        # One experiment alone is asked for a quick answer.
        controls = Controls(measure, plan.profile.users) if command == "matrix" else None
        _run_controls(controls, "start", folder)
        run_plan(
            plan.trials,
            [trial.index for trial in recorded.records],
            measure=measure,
            keep=keep,
            tell=tell,
        )
        _run_controls(controls, "end", folder)
    return folder


def _run_controls(controls: Controls | None, when: str, folder: Path) -> None:
    for control in controls(when) if controls is not None else ():
        ledger.append(folder / ledger.CONTROLS_FILE, control)


def describe_run(plan: Plan, paths: Paths, *, command: str, probe: bool) -> RunRecord:
    """The record of a run that starts now: what is measured, with what, on what."""
    found = lab.find_environments(paths, plan.cells)
    about = host.describe()
    return RunRecord(
        schema=SCHEMA,
        id=runs.new_id(plan.hash),
        command=command,
        plan_hash=plan.hash,
        fingerprint=_fingerprint(paths, found, about, probe=probe),
        started=now(),
        finished=None,
        cells=tuple(cell.id for cell in plan.cells),
        trials=len(plan.trials),
        profile=plan.profile,
        seed=plan.seed,
        delay_s=plan.delay_s,
        probe=probe,
        git=host.git_state(paths.root),
        host=about,
        environments=_describe(paths, found),
    )


def _describe(paths: Paths, found: Environments) -> dict[str, Any]:
    """Versions of everything, by environment."""
    described: dict[str, Any] = {}
    for role, environment in [
        *(("server", environment) for environment in found.servers.values()),
        ("load", found.load),
    ]:
        about = environments.describe(environment.python) if environment.python else {}
        described[environment.name] = {
            "role": role,
            "lock_sha256": environment.lock_sha256,
            "unusable": environment.reason,
            **about,
        }
    for server, _ in found.servers:
        described[f"server {server}"] = {
            "role": "pinned",
            "loop": SERVERS[server].loop,
            "http": SERVERS[server].http,
        }
    described["go"] = {"role": "go", "version": environments.go_version(paths.go)}
    return described


def _fingerprint(paths: Paths, found: Environments, about: Host, *, probe: bool) -> str:
    """What must be the same for a run to be gone on with."""
    locks = sorted(e.lock_sha256 for e in (*found.servers.values(), found.load))
    source = host.tree_hash(paths.root, "app", "locustfiles", "go_delay", "bench/run")
    text = repr((host.identity(about), locks, source, probe))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
