"""A why is a prediction: relieve the resource it names, and throughput rises.

Each cause is made to happen on each server and then relieved; beside it stands a relief of
something that is not the cause, which must change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.analysis.evidence import Evidence
from bench.analysis.fitness import Fitness, judge
from bench.analysis.resources import Resource
from bench.analysis.why import why
from bench.config import fixed
from bench.run.host.machine import describe
from bench.selfcheck.figure import Figure
from bench.selfcheck.targets import targets
from bench.selfcheck.trials import cell, trials
from bench.stats import log_ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.config import Profile
    from bench.paths import Paths
    from bench.plan import Cell
    from bench.records.model import Measured, TrialRecord
    from bench.selfcheck.trials import Trials

SERVERS = ("uvicorn", "gunicorn", "hypercorn")
PAIRS, QUICK_PAIRS = 4, 1
TRIES = 3
WIDEST = 1.5  # the interval of a gain that is told to be none
NOTHING = 1.05  # times the throughput at most, where the cause is not what was relieved
LOAD = fixed(50, 1.0, 3.0, delay_s=0.2)
THREADS = 80  # twice those of anyio's default pool


@dataclass(frozen=True, slots=True)
class Setting:
    """What a trial is made with."""

    endpoint: str
    io: str
    workers: int = 1
    threads: int | None = None
    delay_s: float = 0.2
    users: int = 50

    def cell(self, server: str) -> Cell:
        """On a server."""
        return cell(self.endpoint, self.io, server, self.workers)

    @property
    def profile(self) -> Profile:
        """Its load."""
        return replace(LOAD, users=self.users, delay_s=self.delay_s)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is named as the cause, and what becomes of the throughput when something is relieved."""

    cause: Resource
    plain: Setting
    relief: str
    relieved: Setting
    rises: bool = True


_POOL = Setting("sync", "http_pooled")
_LOOP = Setting("async_sync", "http_pooled")
_EXECUTOR = Setting("async", "executor", delay_s=0.1)
_WORK = Setting("async", "work", users=8)
_DELAY = Setting("async", "sleep", users=20)  # a slow machine has the time for so many
PREDICTIONS = (
    Prediction(Resource.POOL, _POOL, "twice the threads", replace(_POOL, threads=THREADS)),
    Prediction(Resource.EXECUTOR, _EXECUTOR, "a second worker", replace(_EXECUTOR, workers=2)),
    Prediction(Resource.EXECUTOR, _EXECUTOR, "twice the threads of the pool",
               replace(_EXECUTOR, threads=THREADS), rises=False),
    Prediction(Resource.LOOP, _LOOP, "a second worker", replace(_LOOP, workers=2)),
    Prediction(Resource.LOOP, _LOOP, "half the delay", replace(_LOOP, delay_s=0.1)),
    Prediction(Resource.LOOP, _LOOP, "twice the threads", replace(_LOOP, threads=THREADS),
               rises=False),
    Prediction(Resource.CORE, _WORK, "half the CPU work", replace(_WORK, io="half_work")),
    Prediction(Resource.CORE, _WORK, "half the delay", replace(_WORK, delay_s=0.1), rises=False),
    Prediction(Resource.DELAY, _DELAY, "half the delay", replace(_DELAY, delay_s=0.1)),
    Prediction(Resource.DELAY, _DELAY, "a second worker", replace(_DELAY, workers=2), rises=False),
)  # fmt: skip


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """Each cause relieved, on each server: throughput rises, and only then."""
    pairs = QUICK_PAIRS if quick else PAIRS
    servers = SERVERS[:1] if quick else SERVERS
    predictions = PREDICTIONS[:2] if quick else PREDICTIONS
    cells = [_POOL.cell(server) for server in servers]
    with trials(paths, LOAD, cells, delay_s=LOAD.delay_s) as opened, targets(opened) as bench:
        return [
            figure
            for server in servers
            for prediction in predictions
            for figure in _held(bench, server, prediction, pairs)
        ]


def _held(bench: Trials, server: str, prediction: Prediction, pairs: int) -> Iterator[Figure]:
    """Two figures: the cause is named in each plain trial, and the prediction comes true."""
    plain, relieved, named = measure(bench, server, prediction, pairs)
    cause = prediction.cause.value
    yield Figure(f"{cause} on {server} not named, of {pairs} trials", float(pairs - named), 0.0)
    yield judged(f"{cause} on {server}, {prediction.relief}", prediction, plain, relieved)


def measure(
    bench: Trials, server: str, prediction: Prediction, pairs: int
) -> tuple[list[float], list[float], int]:
    """Throughputs as they are and relieved, by turns; and in how many the cause was named."""
    plain: list[float] = []
    relieved: list[float] = []
    named = 0
    for number in range(pairs):
        order = (False, True) if number % 2 == 0 else (True, False)
        for is_relieved in order:
            setting = prediction.relieved if is_relieved else prediction.plain
            rate, causes = _trial(bench, server, setting)
            (relieved if is_relieved else plain).append(rate)
            named += not is_relieved and prediction.cause in causes
    return plain, relieved, named


def _trial(bench: Trials, server: str, setting: Setting) -> tuple[float, set[Resource]]:
    lab = replace(bench.runner.lab, threads=setting.threads)
    made = replace(bench, runner=replace(bench.runner, lab=lab))
    record, measured = _undisturbed(
        made.under(setting.profile, setting.delay_s), setting.cell(server)
    )
    causes = why(Evidence(record, measured, describe().cores)).causes
    return measured.throughput_rps, {cause.resource for cause in causes}


def _undisturbed(bench: Trials, planned: Cell) -> tuple[TrialRecord, Measured]:
    """A trial that nothing else had a part in, if one of three is: else the last."""
    for _ in range(TRIES - 1):
        record, measured = bench.measured(planned)
        if judge(record, describe().cores).fitness is Fitness.CLEAN:
            return record, measured
    return bench.measured(planned)


def judged(
    what: str, prediction: Prediction, plain: Sequence[float], relieved: Sequence[float]
) -> Figure:
    """Beyond noise: where it rises the whole interval lies above 1, else it stays near it."""
    ratio = log_ratio(relieved, plain)
    low, high = ratio.low or ratio.ratio, ratio.high or ratio.ratio
    told = f"{ratio.ratio:.2f} times the throughput ({low:.2f} to {high:.2f})"
    if prediction.rises:
        return Figure(f"{what}: 1 / its gain, at the interval's lower end", 1 / low, 0.95, "", told)
    off = max(low, 1 / high) if high / low <= WIDEST else float("inf")
    return Figure(f"{what}: off 1, at the interval's nearer end", off, NOTHING, "", told)
