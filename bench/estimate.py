"""How long a plan will take, by the rules that a trial follows. Pure.

A ramp, warm-up or window that isn't fixed follows its cell, so the cell's rate is estimated first:
by what may wait at a time, and by the CPU that a request takes. What a request costs is typical of
a present-day core and need not be right: most of a trial is floors and deadlines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.limit import DEFAULT_POOL
from bench.config import ramp_s
from bench.run import open_pacing, pacing
from locustfiles.layout import LONGEST_RAMP_S

if TYPE_CHECKING:
    from bench.config import Profile
    from bench.plan import Cell, Plan

# CPU of one request, s: what was measured of them on a core of 2024, in slow and in quick hours.
COSTS_S = {"http": 0.020, "http_pooled": 0.0014}
COST_S = 0.0008  # of any other kind
WAITING = ("http", "http_pooled", "http_aiohttp", "http_httpx2", "sleep")  # for the profile's delay
# Around the load of a trial, s, as recorded: to start both sides, of that for each further worker,
# to verify beside the delay itself, to stop.
START_S, WORKER_S, VERIFY_S, STOP_S = 0.50, 0.12, 0.03, 0.13
BETWEEN_S = 0.03  # two trials: to digest one and keep its record
CONTROLS_S = 15.5  # both ends of a matrix
OPENING_S = 1.5  # nox, the keeper and the delay server


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds that a run takes."""

    least_s: float  # with a budget: if all is known after the first passes
    most_s: float


def expected(plan: Plan, *, cores: int, controls: bool) -> Expected:
    """Of a whole run, with the two ends of a matrix if it has ``controls``."""
    around_s = OPENING_S + (CONTROLS_S if controls else 0.0)
    trials_s = declared_s(plan, cores)
    budget_s = plan.profile.budget_s
    if budget_s is None:
        return Expected(trials_s + around_s, trials_s + around_s)
    return Expected(min(trials_s, budget_s) + around_s, budget_s + around_s)


def declared_s(plan: Plan, cores: int) -> float:
    """Of the trials that stand in the plan."""
    return sum(trial_s(trial.cell, trial.cell.load(plan.profile), cores) for trial in plan.trials)


def trial_s(cell: Cell, profile: Profile, cores: int) -> float:
    """Of one trial, all in all."""
    wait_s = profile.delay_s if cell.io in WAITING else 0.0
    cost_s = COSTS_S.get(cell.io, COST_S)
    start_s = START_S + WORKER_S * (cell.workers - 1)
    around_s = start_s + VERIFY_S + wait_s + cost_s + STOP_S + BETWEEN_S
    rate = rate_rps(cell, profile.users, wait_s, cost_s, cores)
    warmup_s, window_s = _paced(cell, profile, rate, wait_s)
    return around_s + _ramp_s(cell, profile, wait_s, cost_s) + warmup_s + window_s


def rate_rps(cell: Cell, users: int, wait_s: float, cost_s: float, cores: int) -> float:
    """Requests/s that the cell should do."""
    at_a_time = _at_a_time(cell, users)
    # A thread pool's work outside the interpreter takes it beyond one core.
    used = cores if cell.endpoint == "sync" else min(cell.workers, cores)
    return min(at_a_time / (wait_s + cost_s), 0.9 * used / cost_s)


def _at_a_time(cell: Cell, users: int) -> int:
    """Requests that can wait at the same time."""
    match cell.endpoint:
        case "sync":
            return min(users, _pool(cell))
        case "async_sync":
            return min(users, cell.workers)
        case _:
            return users


def _pool(cell: Cell) -> int:
    """Threads of all workers."""
    return int(dict(cell.settings).get("threads", DEFAULT_POOL)) * cell.workers


def _ramp_s(cell: Cell, profile: Profile, wait_s: float, cost_s: float) -> float:
    """As `locustfiles.ramp` has it: an answer, then a round of what it took beyond its wait."""
    if profile.rate is not None:
        return 0.0
    if profile.spawn_rate is not None:
        return ramp_s(profile.users, profile.spawn_rate)
    answer_s = wait_s + cost_s
    round_s = max(answer_s, profile.users * cost_s / cell.workers)
    return min(LONGEST_RAMP_S, answer_s + round_s) + 0.1


def _paced(cell: Cell, profile: Profile, rate: float, wait_s: float) -> tuple[float, float]:
    """Warm-up and window, as `bench.run.pacing.Pacer` sets them."""
    if profile.rate is not None:
        return _open_paced(profile, wait_s)
    round_s = profile.users / rate
    blocked = cell.endpoint == "async_sync" and wait_s > 0
    queued = cell.endpoint == "sync" and profile.users > _pool(cell)
    too_long = pacing.ROUNDS * round_s > min(pacing.BUSY_WINDOW_S, profile.longest_s)
    busy = too_long and (blocked or queued)
    warmup_s = max(pacing.LEAST_WARMUP_S, round_s) + 0.05
    warmup_s = pacing.BUSY_WARMUP_S if busy else min(warmup_s, profile.longest_s)
    least_s = (
        pacing.LEAST_WINDOW_S,
        pacing.COMPLETIONS / rate,
        pacing.DELAYS * profile.delay_s,
        0.0 if busy else pacing.ROUNDS * round_s,
    )
    window_s = min(max(least_s), profile.longest_s)
    return (
        warmup_s if profile.warmup_s is None else profile.warmup_s,
        window_s if profile.duration_s is None else profile.duration_s,
    )


def _open_paced(profile: Profile, wait_s: float) -> tuple[float, float]:
    """The same of an open load with time to spare (`bench.run.open_pacing`)."""
    rate = profile.rate or 1.0
    warmup_s = max(open_pacing.LEAST_WARMUP_S, open_pacing.SOJOURNS * wait_s)
    least_s = (
        pacing.LEAST_WINDOW_S,
        open_pacing.REQUESTS / rate,
        open_pacing.IN_WINDOW * wait_s,
        pacing.DELAYS * profile.delay_s,
    )
    return (
        min(warmup_s, profile.longest_s) if profile.warmup_s is None else profile.warmup_s,
        min(max(least_s), profile.longest_s) if profile.duration_s is None else profile.duration_s,
    )
