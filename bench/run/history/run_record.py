"""The record of a run that starts now: what is measured, with what, on what."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench import own_install
from bench.records.model import SCHEMA, RunRecord
from bench.run.history import run_folders
from bench.run.host import environments, machine
from bench.run.server.commands import LOOPS, SERVERS, UVLOOP
from bench.run.trial_runner import now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.config.target import Target
    from bench.paths import Paths
    from bench.placement import Placement
    from bench.plan import Plan
    from bench.run.lab import Environments

# Whatever is in these can change a figure.
SOURCES = {
    "application (app/)": ("app",),
    "load generator (locustfiles/)": ("locustfiles",),
    "delay server (go_delay/)": ("go_delay",),
    "harness (bench/run/, digest/, stats/, records/)": (
        *("bench/run", "bench/digest", "bench/stats", "bench/records"),
    ),
}


def describe_run(
    plan: Plan,
    paths: Paths,
    found: Environments,
    *,
    command: str,
    probe: bool,
    placed: Placement,
    away: Mapping[str, Mapping[str, Any]] | None = None,
) -> RunRecord:
    """All there is to know before the first trial; ``away`` are load machines, by label."""
    return RunRecord(
        schema=SCHEMA,
        id=run_folders.new_id(plan.hash),
        command=command,
        plan_hash=plan.hash,
        started=now(),
        finished=None,
        cells=tuple(cell.id for cell in plan.cells),
        trials=len(plan.trials),
        profile=plan.profile,
        seed=plan.seed,
        probe=probe,
        git=machine.git_state(paths.root if plan.target is None else plan.target.path),
        host=machine.describe(),
        environments=_environments(paths, found) | dict(away or {}),
        placement=asdict(placed),
        sources=sources_of(plan.target, paths),
        settings=plan.settings,
        varied=plan.varied,
        shard=plan.shard,
    )


def sources_of(target: Target | None, paths: Paths) -> dict[str, str]:
    """The hash of each part; one's own application takes the place of the one here."""
    found = {name: machine.tree_hash(paths.root, *tree) for name, tree in SOURCES.items()}
    if target is not None:
        found[f"application ({target.app})"] = own_install.tree_hash(target.path)
    return found


def _environments(paths: Paths, found: Environments) -> dict[str, Any]:
    """Versions of everything, by environment."""
    described: dict[str, Any] = {}
    for role, environment in [
        *(("server", environment) for environment in found.servers.values()),
        ("load", found.load),
        *(("database", one) for one in found.databases.values() if one is not None),
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
            "loop": LOOPS[UVLOOP],
            "http": SERVERS[server].http,
        }
    described["go"] = {"role": "go", "version": environments.go_version(paths.go)}
    return described
