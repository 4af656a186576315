"""One more trial of a cell, in whose window py-spy looks at the server's stacks.

Never put together with measured trials: the profiler stops the server a hundred times a second. In
the first half it sees what works, in the second what waits, too: a sleeping call on the loop's
thread takes no CPU, and holds up everything.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.digest.read import trial_facts
from bench.errors import RequirementError
from bench.plan import make_plan
from bench.profile.stacks import parse, working
from bench.run import lab as labs_of
from bench.run.failure import TrialFailed
from bench.run.host import environments, machine
from bench.run.host.cpus import placement
from bench.run.observer import Observer
from bench.run.own import commands
from bench.run.own.environ import Own
from bench.run.process import children
from bench.run.trial import run_trial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.paths import Paths
    from bench.plan import Cell, Plan
    from bench.profile.stacks import Stack
    from bench.run.process.children import Child, Keeper

RATE, NATIVE_RATE = 100, 50  # samples a second; with C it takes longer to look
HALF_S = 5.0
WARMUP_S, WINDOW_S = 1.5, 2 * HALF_S + 3.0  # py-spy needs a second to begin, twice
# One program after another; the second only where the first fails.
_IN_TURN = """
import json, subprocess, sys
first, instead, last = json.loads(sys.argv[1])
if subprocess.call(first):
    subprocess.call(instead)
sys.exit(subprocess.call(last))
"""
REFUSED = ("permission denied", "operation not permitted", "eperm")
ALLOW = (
    "py-spy may not look into the server's process on this system. Where it is Linux, allow it by"
    " one of: running as root; `sudo sysctl kernel.yama.ptrace_scope=1`; in a container"
    " `--cap-add SYS_PTRACE`. On macOS it needs `sudo`."
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The stacks of all workers together."""

    cpu: list[Stack]  # of threads that work
    all: list[Stack]  # of every thread, waiting ones too


def record(
    cell: Cell, planned: Plan, where: Paths, secrets: Mapping[str, str], pin: str = "auto"
) -> Profile:
    """Run the trial.

    Raises:
        RequirementError: an environment, the delay server or py-spy is missing, or it may not look.
        TrialFailed: the cell can't be measured at all.
    """
    program = _program(where)
    found = labs_of.find_environments(where, [cell], planned.target)
    own = None if planned.target is None else Own(planned.target, secrets)
    profile = replace(
        planned.profile, budget_s=None, rounds=1, warmup_s=WARMUP_S, duration_s=WINDOW_S
    )
    plan = make_plan([cell], profile, seed=planned.seed, target=planned.target)
    placed = placement(pin, machine.describe().cores, plan.profile.generators_here)
    with tempfile.TemporaryDirectory(prefix="matrix-profile-") as name:
        folder = Path(name) / "trial"
        folder.mkdir()
        spy = Spy(program, folder)
        with labs_of.open_lab(
            where, found, Path(name), own=own, placement=placed, observer=spy
        ) as opened:
            opened.keeper.remove_at_end(Path(name))
            spy.keeper = opened.keeper
            _prepare(own, found, cell, opened.keeper, Path(name))
            lab = replace(opened, traced=True)
            try:
                run_trial(cell, plan.profile, phase=0.0, stretch=1, lab=lab, folder=folder)
                failure = trial_facts(folder).failure
            finally:
                spy.stop()
            if failure is not None:
                raise TrialFailed(failure)
            return spy.found()


def _prepare(
    own: Own | None,
    found: labs_of.Environments,
    cell: Cell,
    keeper: Keeper,
    folder: Path,
) -> None:
    key = (cell.server, str(cell.python))
    servers = found.servers
    if own is not None:
        servers = commands.prepare(own, servers, keeper, folder / "prepare.log")
    if servers[key].python is None:
        raise RequirementError(f"{cell.id} can't be measured: {servers[key].reason}")


def _program(where: Paths) -> Path:
    found = environments.find(where.notes, where.root, "profile")
    if found.python is None:
        raise RequirementError(f"py-spy can't run: {found.reason}. Try `nox -s profiler`.")
    program = found.python.with_name("py-spy")
    if not os.access(program, os.X_OK):
        raise RequirementError(f"py-spy can't run: there is no {program}. Try `nox -s profiler`.")
    return program


@dataclass(slots=True)
class Spy(Observer):
    """Starts a profiler at each worker as the window opens."""

    program: Path
    folder: Path  # of the trial
    keeper: Keeper | None = None
    spies: dict[int, Child] = field(default_factory=dict)

    def window(self, length_s: float) -> None:
        """All users are there: both halves, one after the other, of each worker."""
        del length_s
        if self.keeper is None:
            raise AssertionError
        for path in self.folder.glob("worker-*.json"):
            pid = int(json.loads(path.read_text(encoding="utf-8"))["pid"])
            self.spies[pid] = children.start(
                "py-spy",
                [sys.executable, "-I", "-S", "-c", _IN_TURN, json.dumps(self._looks(pid))],
                keeper=self.keeper,
                cwd=self.folder,
                env=children.child_environment(),
                log=self.folder / f"spy-{pid}.log",
            )

    def _looks(self, pid: int) -> list[list[str]]:
        """The first half, the same where a system can't see into C, and the second."""
        whole = ["--format", "raw", "--threads", "--full-filenames", "--nolineno"]
        look = [str(self.program), "record", "--pid", str(pid), "--duration", f"{HALF_S:g}", *whole]
        cpu = [*look, "--rate", str(NATIVE_RATE), "--output", f"cpu-{pid}.raw"]
        idle = [*look, "--rate", str(RATE), "--idle", "--output", f"all-{pid}.raw"]
        return [[*cpu, "--native"], cpu, idle]

    def stop(self) -> None:
        """Whatever is left of them."""
        for child in self.spies.values():
            child.stop(1.0)

    def found(self) -> Profile:
        """What they saw.

        Raises:
            RequirementError: they saw nothing, and why.
        """
        both = [self._read(kind) for kind in ("cpu", "all")]
        if not both[1]:
            said = " ".join(child.log_tail() for child in self.spies.values())
            if any(word in said.lower() for word in REFUSED):
                raise RequirementError(ALLOW)
            raise RequirementError(f"py-spy saw nothing: {said or 'no worker was there'}")
        return Profile(working(both[0]), both[1])

    def _read(self, kind: str) -> list[Stack]:
        paths = sorted(self.folder.glob(f"{kind}-*.raw"))
        return [stack for path in paths for stack in parse(path.read_text(encoding="utf-8"))]
