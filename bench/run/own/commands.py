"""What a person's file asks for around a run and around each trial: commands, one by one."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.run.failure import TrialFailed
from bench.run.own.environ import environment
from bench.run.process import children

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.run.host.environments import Environment
    from bench.run.own.environ import Own
    from bench.run.process.children import Keeper

Key = tuple[str, str]  # of an environment: server, Python
LONGEST_S = 300.0
POLL_S = 0.02


def prepare(
    own: Own, servers: Mapping[Key, Environment], keeper: Keeper, log: Path
) -> dict[Key, Environment]:
    """Run ``prepare`` once in each environment; one in which it fails can't be used, and why."""
    found = dict(servers)
    for key, one in servers.items():
        if one.python is not None:
            try:
                run(own, "prepare", one.python, keeper, log)
            except TrialFailed as failed:
                found[key] = replace(one, python=None, reason=str(failed))
    return found


def run(own: Own, keys: str, python: Path, keeper: Keeper, log: Path) -> None:
    """Run the commands under ``keys`` (prepare, before_trial, after_trial), each in a shell.

    In the application's folder, with its environment's programs first on PATH; each has five
    minutes, and what it starts and leaves is ended.

    Raises:
        TrialFailed: one ended with another status than 0, or did not end.
    """
    for command in getattr(own.target, keys):
        child = children.start(
            f"{keys} `{command}`",
            ["/bin/sh", "-c", command],
            keeper=keeper,
            cwd=own.target.path,
            env=environment(own, python),
            log=log,
        )
        try:
            deadline = time.monotonic() + LONGEST_S
            while (status := child.exit_code()) is None and time.monotonic() < deadline:
                time.sleep(POLL_S)
            tail = child.log_tail()
        finally:
            child.stop(0)
        if status is None:
            raise TrialFailed(own.hidden(f"{child.name} did not end in {LONGEST_S:g} s: {tail}"))
        if status:
            raise TrialFailed(own.hidden(f"{child.name} ended with exit status {status}: {tail}"))
