"""`capacity`: users who wait first, for a bracket; then requests that don't, at one rate each."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bench.analysis.arrivals import LATE, lateness_ms
from bench.analysis.fitness import Fitness, judge
from bench.analysis.reason import Kind
from bench.analysis.rows import rows_of
from bench.analysis.standing import GENERATOR_KINDS
from bench.capacity import told
from bench.capacity.search import Point, next_rate
from bench.capacity.told import Capacity
from bench.capacity.trials import Cell as Seen
from bench.capacity.trials import Trial, paced, point
from bench.digest.raw import read_all
from bench.errors import CELLS_FAILED, BadInputError
from bench.plan import PlannedTrial, make_plan
from bench.records import atomic
from bench.report import whys
from bench.report.reasons import sentence
from bench.run import lab as labs
from bench.run.away.fleet import open_fleet
from bench.run.host import machine
from bench.run.host.cpus import placement
from bench.run.own import commands
from bench.run.own.environ import Own
from bench.run.trial_runner import TrialRunner, most_generators
from bench.text import duration, line, number
from locustfiles.layout import FALLS_BEHIND, OVERLOADED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.analysis.fitness import Judged
    from bench.capacity.slo import Slo
    from bench.config import Profile
    from bench.digest.raw import Raw
    from bench.paths import Paths
    from bench.plan import Cell, Plan
    from bench.records.model import Measured, TrialRecord

BUDGET_S = 300.0  # of a cell
PRECISION = 0.05
STEPS = (4, 16, 64, 256, 1024)  # users who wait
GAIN = 1.1  # of throughput, by which a step must be better than the one before
STEP_S = 5.0  # its window at most
A_TRIAL = 10.0  # parts of a budget, of which a trial takes one at most
LEAST_S = 3.0
AROUND_S = 2.0  # a trial takes beside its warm-up and window
AGAIN = 2  # times a trial that can't be used is repeated
DIGITS = 4  # of a rate


@dataclass(frozen=True, slots=True)
class Asked:
    """What to find out."""

    slos: tuple[Slo, ...]
    budget_s: float  # of a cell
    precision: float


@dataclass(slots=True)
class Bench:
    """An open lab."""

    runner: TrialRunner
    say: Callable[[str], None]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def trial(
        self, cell: Cell, profile: Profile, processes: int = 1
    ) -> tuple[TrialRecord, Raw | None]:
        """One, and what it left, if it ran to its end."""
        plan = replace(self.runner.plan, profile=profile)
        runner = replace(self.runner, plan=plan)
        planned = PlannedTrial(1, next(self.numbers), cell, generators=processes)
        record = runner(planned)
        raw = read_all(runner.raw(planned)) if record.measured is not None else None
        runner.put_away(record)
        return record, raw


def run(
    planned: Plan,
    where: Paths,
    secrets: Mapping[str, str],
    asked: Asked,
    output: Path | None,
    say: Callable[[str], None],
) -> int:
    """Each cell in turn; gives the exit status. What was found is written after each.

    Raises:
        BadInputError: users of a locustfile, who have a pace of their own.
        RequirementError: an environment is missing.
    """
    for cell in planned.cells:
        if planned.target is not None and cell.experiment in planned.target.locustfiles:
            raise BadInputError(
                f"{cell.id}: found users of a locustfile, allowed: a request or a mix of them:"
                " those have their own pace, and no rate to find"
            )
    for slo in asked.slos:
        if slo.within_s is None:
            say(f"{slo.text} takes {slo.clean:,} requests without a failure to be shown")
    found: list[Capacity] = []
    with _opened(planned, where, secrets, say) as bench:
        for cell in planned.cells:
            one = Capacity(cell.id, asked.slos, asked.precision)
            found.append(one)
            measure(one, cell, bench, planned.profile, asked)
            for text in told.lines(one):
                say(text)
            if output is not None:
                text = json.dumps(told.as_json(found), indent=1, ensure_ascii=False) + "\n"
                atomic.write(output, text)
    return 0 if all(one.known for one in found) else CELLS_FAILED


def measure(one: Capacity, cell: Cell, bench: Bench, profile: Profile, asked: Asked) -> None:
    """Carry it on until it is known, or its budget ends."""
    began = time.monotonic()
    profile = replace(cell.load(profile), budget_s=None, rounds=1)
    one.stopped = _users_first(one, cell, bench, profile)
    if one.seen is None:
        return
    one.stopped = ""
    processes, lost = 1, 0
    while not one.known:
        rate = _next(one, one.seen)
        if rate is None:
            one.stopped = "nothing holds, however little is asked for"
            return
        open_load = paced(profile, rate, one.seen, asked.slos, _most_s(asked.budget_s))
        takes_s = (open_load.warmup_s or 0.0) + (open_load.duration_s or 0.0) + AROUND_S
        if one.trials and time.monotonic() - began + takes_s > asked.budget_s:
            one.stopped = f"the budget of {duration(asked.budget_s)} ended before it was known"
            return
        record, raw = bench.trial(cell, open_load, processes)
        trial = _trial(record, raw, rate, asked.slos, bench.runner.cores)
        elapsed = duration(time.monotonic() - began)
        bench.say(line(f"[{elapsed} of {duration(asked.budget_s)}] {told.step(trial, asked.slos)}"))
        if trial.point is not None and (lost == AGAIN or not trial.disturbed):
            one.trials.append(trial)
            lost = 0
            continue
        if _generator_bound(record, bench.runner.cores) and 2 * processes <= most_generators(
            bench.runner
        ):
            processes *= 2
            continue
        lost += 1
        if lost > AGAIN:
            one.trials.append(trial)
            one.stopped = f"at {number(rate)} requests/s: {trial.reason}"
            return


def _next(one: Capacity, seen: Seen) -> float | None:
    """The rate to try; where only failures are too few to tell, what surely holds."""
    found = one.found
    points = [trial.point for trial in one.trials if trial.point is not None]
    if found.known(one.precision) and found.low is not None:
        rate: float | None = found.low
    else:
        rate = next_rate(points, one.slos, seen.ceiling_rps, one.precision)
    return None if rate is None else float(f"{rate:.{DIGITS}g}")


def _most_s(budget_s: float) -> float:
    return max(LEAST_S, budget_s / A_TRIAL)


def _users_first(one: Capacity, cell: Cell, bench: Bench, profile: Profile) -> str:
    """Users who wait for their answers: what they get at most, and what a request takes alone.

    Gives why there is nothing to see.
    """
    for users in STEPS:
        step = replace(
            profile,
            users=users,
            rate=None,
            spawn_rate=None,
            warmup_s=None,
            duration_s=None,
            longest_s=max(STEP_S, 4.0 * profile.delay_s),
        )
        record, _ = bench.trial(cell, step)
        measured = record.measured
        if measured is None or not measured.throughput_rps or not measured.requests.succeeded:
            reason = record.reason or "no request got its answer"
            return "" if one.ladder else reason
        (row,) = rows_of([record.cell], [record], one.precision, bench.runner.cores)
        p50 = row.p50.value_ms
        one.ladder.append((users, measured.throughput_rps, p50))
        bench.say(line(f"{one.cell}, {users} users who wait: {number(measured.throughput_rps)}/s"))
        best = max(rate for _, rate, _ in one.ladder)
        first_users, first_rate, _ = one.ladder[0]
        one.seen = Seen(best, first_users / first_rate)
        if len(one.ladder) > 1 and measured.throughput_rps < GAIN * one.ladder[-2][1]:
            break
    return ""


def _trial(
    record: TrialRecord, raw: Raw | None, rate: float, slos: Sequence[Slo], cores: int
) -> Trial:
    """What a trial says."""
    if raw is None or record.measured is None:
        reason = record.reason or "no reason was recorded"
        behind = reason.startswith(OVERLOADED) and FALLS_BEHIND in reason
        return Trial(rate, Point(rate) if behind else None, reason)
    judged = judge(record, cores)
    (row,) = rows_of([record.cell], [record], 1.0, cores)
    why = None if row.why is None else whys.sentence(row.why)
    late = late_for_nothing(record.measured, judged, slos)
    if judged.fitness in {Fitness.INVALID, Fitness.FAILED} and not late:
        reason = "; ".join(sentence([one]) for one in judged.reasons)
        return Trial(rate, None, reason, record.measured, why)
    found = point(raw, rate, slos)
    disturbed = judged.fitness is Fitness.DISTURBED
    told_of = "; ".join(sentence([one]) for one in judged.reasons) if disturbed else None
    return Trial(rate, found, told_of, record.measured, why, disturbed, late)


def late_for_nothing(measured: Measured, judged: Judged, slos: Sequence[Slo]) -> bool:
    """The generator was late, by 5 % of a quick p99, and by less of all that is asked."""
    bounds_ms = [1e3 * slo.within_s for slo in slos if slo.within_s is not None]
    if not bounds_ms or {reason.kind for reason in judged.reasons} != {Kind.ARRIVALS_LATE}:
        return False
    return lateness_ms(measured) <= LATE * min(bounds_ms)


def _generator_bound(record: TrialRecord, cores: int) -> bool:
    if record.measured is None:
        return False
    return any(reason.kind in GENERATOR_KINDS for reason in judge(record, cores).reasons)


@contextlib.contextmanager
def _opened(
    planned: Plan, where: Paths, secrets: Mapping[str, str], say: Callable[[str], None]
) -> Iterator[Bench]:
    found = labs.find_environments(where, planned.cells, planned.target)
    own = None if planned.target is None else Own(planned.target, secrets)
    cores = machine.describe().cores
    placed = placement("auto", cores, planned.profile.generators_here)
    with (
        tempfile.TemporaryDirectory(prefix="matrix-capacity-") as name,
        open_fleet(where.root, planned, say, say) as fleet,
        labs.open_lab(
            *(where, found, Path(name)),
            own=own,
            placement=placed,
            fleet=fleet,
            listen=planned.profile.listen,
        ) as opened,
    ):
        folder = Path(name)
        opened.keeper.remove_at_end(folder)
        servers = found.servers
        if own is not None:
            servers = commands.prepare(own, servers, opened.keeper, folder / "prepare.log")
            pythons = {key: one.python for key, one in servers.items() if one.python is not None}
            opened = replace(opened, server_pythons=pythons)  # noqa: PLW2901
        plan = make_plan(
            planned.cells,
            replace(planned.profile, rate=None, budget_s=None, rounds=1),
            seed=planned.seed,
            target=planned.target,
        )
        runner = TrialRunner(
            *("capacity", plan, opened, servers, folder), keep_raw=False, cores=cores
        )
        yield Bench(runner, say)
