"""Why a number is what it is, as a sentence with its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.fitness import NOTABLE_WAIT
from bench.analysis.resources import Resource, Use
from bench.text import milliseconds, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.analysis.evidence import Evidence
    from bench.analysis.rows import Row
    from bench.analysis.why import Why

NOTABLE_CORES = 0.05  # of other programs
UNEXPLAINED = "unexplained"

PLACES = {
    "generator": "in the load generator",
    "way": "on the way to the application (connection, accept queue, a loop that doesn't read)",
    "thread_queue": "waiting for a thread",
    "before": "in the application, before the handler",
    "upstream": "at the delay server",
    "handler": "in the handler: its own work, the interpreter's lock, or a wait that isn't ours"
    " to see",
    "after": "in the application, after the handler (encoding, sending)",
    "inside": "in the application",
}
NAMES = {
    Resource.GENERATOR: "the load generator's time",
    Resource.UPSTREAM: "the delay server",
    Resource.LOOP: "the loop's time",
    Resource.POOL: "the thread pool",
    Resource.EXECUTOR: "the executor",
    Resource.CORE: "the worker's core",
    Resource.MACHINE: "the machine's cores",
    Resource.DELAY: "what the delay allows",
}


def sentence(why: Why) -> str:
    """``pool-bound: 40 of 40 threads busy, 58 waiting``."""
    if not why.causes:
        return _none(why)
    causes = " and ".join(cause.resource.value for cause in why.causes)
    figures = "; ".join(_FIGURES[cause.resource](why.evidence, cause) for cause in why.causes)
    return f"{causes}: {figures}"


def of_row(row: Row) -> str | None:
    """The sentence, and what a profiler has said; None where nothing is known."""
    parts = [] if row.why is None else [sentence(row.why)]
    if row.profile is not None and row.verdict.usable:
        parts.append(f"by profile: {row.profile}")
    return "; ".join(parts) or None


def _none(why: Why) -> str:
    """Nothing is used up: where most users are."""
    evidence = why.evidence
    missing = evidence.missing_signals
    most = why.most_used
    told = "no resource is used up"
    if most is not None:
        told += f" (most: {NAMES[most.resource]}, {most.share:.0%})"
    if why.place is None:
        unknown = f"; not known: {', '.join(missing)}" if missing else ""
        return f"{UNEXPLAINED}: {told}{unknown}"
    users = getattr(evidence.measured.places, why.place)
    total = evidence.measured.population
    rate = evidence.measured.throughput_rps
    times = ""
    if rate > 0:
        times = f" ({milliseconds(1e3 * users / rate)} of {milliseconds(1e3 * total / rate)})"
    if evidence.measured.open is not None:
        where = PLACES[why.place]
        return f"{told}: {number(users)} of {number(total)} requests{times} are {where}"
    return f"{told}: {users:.0f} of {total:.0f} users{times} are {PLACES[why.place]}"


def _generator(evidence: Evidence, _: Use) -> str:
    signals, of = evidence.measured.signals, evidence.measured.load.generators
    used, waited = signals.generator_cores, signals.generator_waited
    if of > 1:
        used = signals.generator_busiest
    told = [] if used is None else [f"used {used:.2f} of its 1 core"]
    if waited is not None and waited >= NOTABLE_WAIT:
        told.append(f"waited for {'a core' if used is None else 'it'} {waited:.0%} of the time")
    who = "the load generator" if of == 1 else f"the busiest of {of} load generator processes"
    return f"{who} {' and '.join(told)}"


def _upstream(evidence: Evidence, _: Use) -> str:
    late_ms = evidence.measured.signals.overshoot_p99_ms or 0.0
    return f"the delay server answered {late_ms:.0f} ms late (p99)"


def _loop(evidence: Evidence, use: Use) -> str:
    signals = evidence.measured.signals
    # A block that goes on at the window's end may last for longer yet.
    over = "over " if signals.loop_delay_open else ""
    cores = sum(worker.cores or 0.0 for worker in use.workers)
    return (
        f"{_whose(evidence, use)}loop was held up {use.share:.0%} of the time, for"
        f" {over}{milliseconds(signals.loop_delay_max_ms)} at worst, at {cores:.0%} CPU"
    )


def _pool(evidence: Evidence, use: Use) -> str:
    size = sum(worker.pool_size or 0 for worker in use.workers)
    busy = sum(worker.pool_busy_avg or 0.0 for worker in use.workers)
    queued = sum(worker.queued_avg or 0.0 for worker in use.workers)
    where = "" if len(use.workers) == evidence.trial.workers else f" in {_some(evidence, use)}"
    waiting = "1 request" if f"{queued:.0f}" == "1" else f"{queued:.0f} requests"
    return f"{busy:.0f} of {size} threads busy{where}, {waiting} waiting for one"


def _executor(evidence: Evidence, use: Use) -> str:
    threads = sum(worker.executor_threads or 0 for worker in use.workers)
    waiting = sum(worker.executor_waiting_avg or 0.0 for worker in use.workers)
    where = "" if len(use.workers) == evidence.trial.workers else f" in {_some(evidence, use)}"
    return (
        f"all {threads} threads of the executor{where} are busy (asyncio.to_thread's, or the"
        f" application's own), {waiting:.0f} tasks waiting for one"
    )


def _core(evidence: Evidence, use: Use) -> str:
    signals, workers = evidence.measured.signals, evidence.trial.workers
    cost = signals.server_ms_per_request
    per_request = "" if cost is None else f"{number(cost)} ms of CPU a request, "
    text = f"{per_request}{signals.server_cores or 0.0:.2f} cores used by {_workers(workers)}"
    if not use.workers:
        return text
    who = ""
    if len(use.workers) < workers:
        text += f", {len(use.workers)} of them at its limit"
        who = " by it"
    waited = max(worker.loop_waited or 0.0 for worker in use.workers)
    if waited >= NOTABLE_WAIT:
        text += f"; a core was waited for {waited:.0%} of the time{who}"
    if evidence.stolen >= NOTABLE_CORES:
        text += f"; the hypervisor took {evidence.stolen:.0%} of the cores"
    return text


def _machine(evidence: Evidence, use: Use) -> str:
    signals = evidence.measured.signals
    cost = signals.server_ms_per_request
    per_request = "" if cost is None else f"{number(cost)} ms of CPU a request; "
    others = [
        ("server", signals.server_cores, 0.0),
        ("load generator", signals.generator_cores, 0.0),
        ("database", signals.database_cores, 0.0),
        ("other programs", signals.foreign_cores, NOTABLE_CORES),
        ("taken by the hypervisor", signals.steal_cores, NOTABLE_CORES),
    ]
    told = [
        f"{who} {used:.2f}" for who, used, least in others if used is not None and used >= least
    ]
    return f"{per_request}the {evidence.cores} cores were {use.share:.0%} busy ({', '.join(told)})"


def _delay(_: Evidence, use: Use) -> str:
    return f"at {use.share:.0%} of what the delay allows: nothing to gain"


def _whose(evidence: Evidence, use: Use) -> str:
    if evidence.trial.workers == 1:
        return "the "
    return (
        "each worker's "
        if len(use.workers) == evidence.trial.workers
        else (f"in {_some(evidence, use)} the ")
    )


def _some(evidence: Evidence, use: Use) -> str:
    return f"{len(use.workers)} of {evidence.trial.workers} workers"


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


_FIGURES: dict[Resource, Callable[[Evidence, Use], str]] = {
    Resource.GENERATOR: _generator,
    Resource.UPSTREAM: _upstream,
    Resource.LOOP: _loop,
    Resource.POOL: _pool,
    Resource.EXECUTOR: _executor,
    Resource.CORE: _core,
    Resource.MACHINE: _machine,
    Resource.DELAY: _delay,
}
