"""Measures two revisions: work trees and environments in, starts out."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BadInputError, RequirementError
from bench.placement import UNPINNED
from bench.plan import make_plan
from bench.run import lab as labs_of
from bench.run.failure import TrialFailed
from bench.run.host import environments, machine
from bench.run.host.cpus import affinity
from bench.run.own import commands
from bench.run.own.environ import Own
from bench.run.server.verify import Unverified
from bench.run.trial_runner import TrialRunner
from bench.turns import schedule
from bench.turns.engine import Unfit, take_turns
from bench.turns.model import TRIALS, TURNS, TWIN, A, B
from bench.turns.schedule import MOST_FAILURES, Progress
from bench.turns.trials import Trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.config import Profile
    from bench.config.target import Target
    from bench.paths import Paths
    from bench.plan import Cell
    from bench.revisions import Revision, Revisions
    from bench.run.host.environments import Environment
    from bench.run.lab import Lab
    from bench.turns.model import Start

SECONDS = 6.0  # of a start, asking in turn
Keys = dict[tuple[str, str], "Environment"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to compare, and how."""

    revisions: Revisions
    cells: tuple[Cell, ...]
    profile: Profile  # of whole trials, and its users of turns, too
    target: Target | None
    threshold: float
    budget_s: float
    seed: int
    users: int
    seconds: float = SECONDS


@dataclass(slots=True)
class Bench:
    """Open labs, one a side, and what all starts share."""

    asked: Asked
    labs: Mapping[str, Lab]
    trials: Trials
    folder: Path
    cores: tuple[int, ...]
    tell: Callable[[str], None]

    def start(self, progress: Progress) -> None:
        """One start of a cell, by the method that it is fit for."""
        cell = next(one for one in self.asked.cells if one.id == progress.cell)
        number = len(progress.starts) + 1
        try:
            if progress.method != TRIALS:
                try:
                    progress.starts.append(self._turns(cell, number))
                    progress.method = TURNS
                except Unfit as unfit:
                    # What was measured another way can't be put together with the rest.
                    progress.starts.clear()
                    progress.method, progress.why_trials = TRIALS, str(unfit)
                    number = 1
            if progress.method == TRIALS:
                progress.starts.append(self.trials.start(cell, number=number))
        except (TrialFailed, Unverified, OSError) as failed:
            progress.failures.append(self._hidden(str(failed)))
            self.tell(f"{cell.id}: {progress.failures[-1]}")
            if number == 1 and not progress.starts:
                progress.failures += [progress.failures[-1]] * (MOST_FAILURES - 1)
            return
        finally:
            shutil.rmtree(self.folder / "turns", ignore_errors=True)
        start = progress.starts[-1]
        costs = "  ".join(f"{side} {start.costs[side].latency_ms:.3f} ms" for side in start.costs)
        how = "in turn" if start.method == TURNS else "whole trials"
        self.tell(f"{cell.id:36} start {len(progress.starts)}, {how}: {costs}")

    def _turns(self, cell: Cell, number: int) -> Start:
        workers = cell.workers
        if len(self.cores) < workers + 1:
            enough = f"{workers + 1} cores, and there are {len(self.cores)}"
            raise Unfit(f"{workers} workers and the load generator need {enough}")
        # Cores differ: each is the servers' in turn.
        turned = [self.cores[(number - 1 + at) % len(self.cores)] for at in range(len(self.cores))]
        return take_turns(
            self.labs,
            cell,
            self.folder / "turns",
            number=number,
            cpus=(turned[:workers], turned[workers:]),
            users=self.asked.users,
            seconds=self.asked.seconds,
        )

    def _hidden(self, text: str) -> str:
        own = self.labs[A].own
        return text if own is None else own.hidden(text)


def compare(
    asked: Asked,
    paths: Paths,
    secrets: Mapping[str, str],
    tell: Callable[[str], None],
    cells: Sequence[Progress],
) -> None:
    """Carry the cells' progress on until all are known well enough, or the budget ends.

    Raises:
        RequirementError: an environment or the delay server is missing.
        BadInputError: a revision has no such application.
    """
    with open_bench(asked, paths, secrets, tell) as bench:
        schedule.run(
            cells,
            bench.start,
            threshold=asked.threshold,
            budget_s=asked.budget_s,
            clock=time.monotonic,
            seed=asked.seed,
        )


@contextlib.contextmanager
def open_bench(
    asked: Asked, paths: Paths, secrets: Mapping[str, str], tell: Callable[[str], None]
) -> Iterator[Bench]:
    """The labs of all sides."""
    sides = {A: asked.revisions.a, TWIN: asked.revisions.twin, B: asked.revisions.b}
    targets = {name: _target(asked.target, one) for name, one in sides.items()}
    found = {
        # The twin is A: in its environment, on another copy of its files.
        name: _environments(paths, asked, sides[A if name == TWIN else name])
        for name in sides
    }
    load = environments.find(paths.notes, paths.root, "load")
    host = machine.describe()
    with (
        tempfile.TemporaryDirectory(prefix="matrix-ab-") as name,
        labs_of.open_lab(
            paths, labs_of.Environments(found[A], load), Path(name), placement=UNPINNED
        ) as opened,
    ):
        folder = Path(name)
        opened.keeper.remove_at_end(folder)
        labs, runners = {}, {}
        plan = make_plan(asked.cells, asked.profile, seed=asked.seed, target=asked.target)
        for side, revision in sides.items():
            target, servers = targets[side], found[side]
            own = None if target is None else Own(target, secrets)
            if own is not None:
                log = folder / f"prepare-{side}.log"
                servers = commands.prepare(own, servers, opened.keeper, log)
            _demand(servers, revision)
            labs[side] = replace(
                opened,
                own=own,
                app=revision.folder if own is None and revision.commit is not None else None,
                server_pythons={
                    key: one.python for key, one in servers.items() if one.python is not None
                },
            )
            (folder / side).mkdir()
            runners[side] = TrialRunner(
                *("ab", plan, labs[side], servers, folder / side), keep_raw=False, cores=host.cores
            )
        cores = tuple(affinity(os.getpid()) or range(host.cores))
        yield Bench(asked, labs, Trials(runners), folder, cores, tell)


def _demand(servers: Keys, revision: Revision) -> None:
    for one in servers.values():
        if one.python is None:
            raise RequirementError(f"{revision.short} can't be measured: {one.reason}")


def _target(target: Target | None, revision: Revision) -> Target | None:
    """The application at that revision.

    Raises:
        BadInputError: its folder isn't there, or not in the repository.
    """
    if target is None:
        return None
    try:
        path = revision.at(target.path)
    except ValueError:
        raise BadInputError(
            f"target: path: found {target.path}, allowed for `ab`: a folder in the repository"
            f" {revision.repository}, since that is what is checked out"
        ) from None
    if not path.is_dir():
        raise BadInputError(f"ab: {revision.short} has no folder {target.path.name}")
    return replace(target, path=path)


def _environments(paths: Paths, asked: Asked, revision: Revision) -> Keys:
    keys = dict.fromkeys((cell.server, str(cell.python)) for cell in asked.cells)
    found = {}
    for server, python in keys:
        if asked.target is not None:
            path = _target(asked.target, revision)
            found[server, python] = environments.find_own(
                paths.notes, path.path if path is not None else revision.folder, server, python
            )
            continue
        root = paths.root if revision.commit is None else revision.folder
        same = environments.find(paths.notes, root, f"server-{server}", python)
        if same.python is None and revision.commit is not None:
            # Its lock file is another than the present one's.
            same = environments.find(
                paths.notes, root, f"server-{server}", python, prefix=f"at-{revision.digest}-"
            )
        found[server, python] = same
    return found
