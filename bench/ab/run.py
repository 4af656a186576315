"""Measures two sides: work trees and environments in, starts out."""

from __future__ import annotations

import contextlib
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
from bench.run.own import commands
from bench.run.own.environ import Own
from bench.run.trial_runner import TrialRunner
from bench.turns import schedule
from bench.turns.engine import Unfit, cores, take_turns
from bench.turns.model import SIDES, TRIALS, TURNS, TWIN, A, B
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
    from bench.turns.model import Contest, Start

# Of a start, asking in turn. Starts differ as much of 3 s as of 6 (1.7 % of a handler of 0.6 ms):
# it is the processes that differ, so more of them tell more.
SECONDS = 3.0
Keys = dict[tuple[str, str], "Environment"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of them: an application in an environment."""

    title: str
    servers: Keys
    target: Target | None = None  # a person's own application; None: the one here,
    app: Path | None = None  # of this folder, if not the root's


@dataclass(frozen=True, slots=True)
class Asked:
    """What to compare, and how."""

    sides: Mapping[str, Side]  # a, its twin, b
    contests: tuple[Contest, ...]
    profile: Profile  # of whole trials
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
    tell: Callable[[str], None]

    def start(self, progress: Progress) -> None:
        """One start of a cell, by the method that it is fit for."""
        contest = next(one for one in self.asked.contests if one.name == progress.cell)
        number = len(progress.starts) + 1
        try:
            if progress.method != TRIALS:
                try:
                    progress.starts.append(self._turns(contest, number))
                    progress.method = TURNS
                except Unfit as unfit:
                    if progress.starts:  # a bad moment: what is fit once is fit
                        raise TrialFailed(f"a start was set aside: {unfit}") from unfit
                    progress.method, progress.why_trials = TRIALS, str(unfit)
            if progress.method == TRIALS:
                progress.starts.append(self.trials.start(contest, number=number))
        except (TrialFailed, OSError) as failed:
            progress.failures.append(self._hidden(str(failed)))
            self.tell(f"{contest.name}: {progress.failures[-1]}")
            if number == 1 and not progress.starts:
                progress.failures += [progress.failures[-1]] * (MOST_FAILURES - 1)
            return
        finally:
            shutil.rmtree(self.folder / "turns", ignore_errors=True)
        start = progress.starts[-1]
        costs = "  ".join(f"{side} {start.costs[side].latency_ms:.3f} ms" for side in start.costs)
        how = "in turn" if start.method == TURNS else "whole trials"
        self.tell(f"{contest.name:36} start {len(progress.starts)}, {how}: {costs}")

    def _turns(self, contest: Contest, number: int) -> Start:
        return take_turns(
            self.labs,
            contest,
            self.folder / "turns",
            number=number,
            cpus=cores(contest, number),
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
    """The labs of all sides.

    Raises:
        RequirementError: an environment or the delay server is missing.
    """
    load = environments.find(paths.notes, paths.root, "load")
    host = machine.describe()
    asking = [contest.cells[side] for contest in asked.contests for side in SIDES]
    databases = {} if asked.sides[A].target else labs_of.find_databases(paths, asking)
    needed = labs_of.Environments(asked.sides[A].servers, load, databases)
    with (
        tempfile.TemporaryDirectory(prefix="matrix-ab-") as name,
        labs_of.open_lab(paths, needed, Path(name), placement=UNPINNED) as opened,
    ):
        folder = Path(name)
        opened.keeper.remove_at_end(folder)
        labs, runners = {}, {}
        for at, side in asked.sides.items():
            own = None if side.target is None else Own(side.target, secrets)
            servers = side.servers
            if own is not None:
                log = folder / f"prepare-{at}.log"
                servers = commands.prepare(own, servers, opened.keeper, log)
            _demand(servers, side.title)
            pythons = {key: one.python for key, one in servers.items() if one.python is not None}
            labs[at] = replace(opened, own=own, app=side.app, server_pythons=pythons)
            (folder / at).mkdir()
            cells = dict.fromkeys(contest.cells[at] for contest in asked.contests)
            plan = make_plan([*cells], asked.profile, seed=asked.seed, target=side.target)
            runners[at] = TrialRunner(
                *("ab", plan, labs[at], servers, folder / at), keep_raw=False, cores=host.cores
            )
        yield Bench(asked, labs, Trials(runners), folder, tell)


def sides_of(
    revisions: Revisions, target: Target | None, cells: Sequence[Cell], paths: Paths
) -> dict[str, Side]:
    """Both revisions, and the twin of the first: in its environment, on files of its own.

    Raises:
        BadInputError: a revision has no such folder, or it is in no repository.
    """
    found = {}
    for name, revision, installed in (
        (A, revisions.a, revisions.a),
        (TWIN, revisions.twin, revisions.a),
        (B, revisions.b, revisions.b),
    ):
        there = _target(target, installed)
        found[name] = Side(
            title=revision.short,
            servers=_environments(paths, cells, installed, there),
            target=_target(target, revision),
            app=revision.folder if target is None and revision.commit is not None else None,
        )
    return found


def of_cells(cells: Sequence[Cell], target: Target | None, paths: Paths) -> Side:
    """What both sides are when cells are compared: one application, in its environments."""
    keys = dict.fromkeys((cell.server, str(cell.python)) for cell in cells)
    servers = {
        key: environments.find(paths.notes, paths.root, f"server-{key[0]}", key[1])
        if target is None
        else environments.find_own(paths.notes, target.path, *key)
        for key in keys
    }
    return Side("the application", servers, target)


def _demand(servers: Keys, title: str) -> None:
    for one in servers.values():
        if one.python is None:
            raise RequirementError(f"{title} can't be measured: {one.reason}")


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


def _environments(
    paths: Paths, cells: Sequence[Cell], revision: Revision, target: Target | None
) -> Keys:
    keys = dict.fromkeys((cell.server, str(cell.python)) for cell in cells)
    if target is not None:
        return {key: environments.find_own(paths.notes, target.path, *key) for key in keys}
    root = paths.root if revision.commit is None else revision.folder
    found = {}
    for server, python in keys:
        one = environments.find(paths.notes, root, f"server-{server}", python)
        if one.python is None and revision.commit is not None:
            # Its lock file is another than the present one's.
            prefix = f"at-{revision.digest}-"
            one = environments.find(paths.notes, root, f"server-{server}", python, prefix=prefix)
        found[server, python] = one
    return found
