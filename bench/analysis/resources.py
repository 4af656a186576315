"""How much is used of each resource that may limit a cell, as a share of what it can give.

Of workers each is asked for itself: one whose loop is blocked limits the requests that it has, with
another one idle beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bench.analysis.evidence import delay_server_late, generator_bound, generator_use
from bench.analysis.limit import free_threaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.analysis.evidence import Evidence
    from bench.records.model import WorkerSignals

USED_UP = 0.90
MOST_STOLEN = 0.5  # that is allowed for: with more, the machine is full by itself
SPARE = 0.80  # of a worker's core: below, threads that wait don't wait for the interpreter
BLOCKED = 0.40  # of the time, by which a loop is held up beyond its own work
QUEUED = 0.01  # of a pool's tokens: with fewer tasks waiting nobody lacks a thread


class Resource(Enum):
    """In the order in which one of two that are used alike is the cause of the other."""

    GENERATOR = "generator-bound"
    UPSTREAM = "upstream-bound"  # the delay server, if it is late
    LOOP = "loop blocked"
    POOL = "pool-bound"
    EXECUTOR = "executor-bound"  # another pool: that of asyncio.to_thread, or one's own
    CORE = "CPU-bound"  # of workers: each runs Python on one core at a time, with a lock
    MACHINE = "CPU-bound on a full machine"
    DELAY = "delay-bound"  # nothing but the delay is waited for


@dataclass(frozen=True, slots=True)
class Use:
    """Of one resource."""

    resource: Resource
    share: float  # that is used
    workers: tuple[WorkerSignals, ...] = ()  # those in which it is used up, of a worker's resource


def uses(evidence: Evidence) -> tuple[Use, ...]:
    """All that are known, in the order of `Resource`."""
    return tuple(
        use for resource in Resource if (use := _USES[resource](evidence, resource)) is not None
    )


def _generator(evidence: Evidence, resource: Resource) -> Use | None:
    known = generator_use(evidence.measured.signals)
    # Users that have no time are found at 85 %: the verdict's own bound.
    share = max(sum(known), USED_UP) if generator_bound(evidence) else min(sum(known), SPARE)
    return Use(resource, share) if known else None


def _upstream(evidence: Evidence, resource: Resource) -> Use | None:
    return Use(resource, 1.0) if delay_server_late(evidence.measured) else None


def _loop(evidence: Evidence, resource: Resource) -> Use | None:
    return _of_workers(resource, evidence.measured.per_worker, _blocked_share)


def _blocked_share(worker: WorkerSignals) -> float | None:
    """Of the time that the loop was not free, unless it computed, or waited for the interpreter."""
    late, computed = worker.loop_held_share, worker.loop_cores
    if late is None or worker.cores is None:
        return None
    working = (worker.cores if computed is None else computed) + (worker.loop_waited or 0.0)
    return late if worker.cores < SPARE and late - working >= BLOCKED else 0.0


def _pool(evidence: Evidence, resource: Resource) -> Use | None:
    waiting = _waiting_share(evidence)

    def share(worker: WorkerSignals) -> float | None:
        """Of the tokens, those whose thread waits for something outside."""
        size, busy, queued = worker.pool_size, worker.pool_busy_avg, worker.queued_avg
        if not size or busy is None or queued is None:
            return None
        if queued <= QUEUED * size:
            return 0.0
        outside = waiting
        if outside is None:
            # It isn't seen what they wait for; with the core to spare it isn't the interpreter.
            outside = 1.0 if worker.cores is not None and worker.cores < SPARE else 0.0
        return busy / size * outside

    return _of_workers(resource, evidence.measured.per_worker, share)


def _executor(evidence: Evidence, resource: Resource) -> Use | None:
    def share(worker: WorkerSignals) -> float | None:
        """Whether tasks wait for a thread, and what they wait for isn't the interpreter."""
        threads, waiting = worker.executor_threads, worker.executor_waiting_avg
        if not threads or waiting is None:
            return None
        spare = worker.cores is not None and worker.cores < SPARE
        return 1.0 if spare and waiting > max(1.0, QUEUED * threads) else 0.0

    return _of_workers(resource, evidence.measured.per_worker, share)


def _waiting_share(evidence: Evidence) -> float | None:
    """Of the time in handlers, that at the delay server; None if they don't ask it."""
    places = evidence.measured.places
    if places is None or not evidence.measured.counters.upstream_calls:
        return None
    if places.upstream is None or places.handler is None:
        return None
    whole = places.upstream + max(0.0, places.handler)
    return places.upstream / whole if whole > 0 else None


def _core(evidence: Evidence, resource: Resource) -> Use | None:
    """A worker's core, by all its threads; or its loop's thread, that computes or waits to."""
    left = 1.0 - min(evidence.stolen, MOST_STOLEN)
    # Without the interpreter's lock threads of a worker may compute on all cores.
    of_worker = evidence.usable_cores if free_threaded(evidence.trial.python) else 1.0

    def share(worker: WorkerSignals) -> float | None:
        loop = None if worker.loop_cores is None else worker.loop_cores + (worker.loop_waited or 0)
        cores = None if worker.cores is None else worker.cores / of_worker
        known = [s for s in (cores, loop) if s is not None]
        return min(1.0, max(known) / left) if known else None

    found = _of_workers(resource, evidence.measured.per_worker, share)
    used = evidence.measured.signals.server_cores
    if found is not None or used is None:
        return found
    # Without the workers' own figures those of all processes together.
    return Use(resource, min(1.0, used / (left * evidence.usable_cores)))


def _machine(evidence: Evidence, resource: Resource) -> Use | None:
    if evidence.measured.signals.server_cores is None:
        return None
    return Use(resource, min(1.0, evidence.machine_busy))


def _delay(evidence: Evidence, resource: Resource) -> Use | None:
    """What users who all wait for nothing but the delay would do."""
    load = evidence.measured.load
    if load.delay_s <= 0 or evidence.measured.open is not None:
        return None
    return Use(resource, evidence.measured.throughput_rps * load.delay_s / load.users)


def _of_workers(
    resource: Resource,
    workers: Sequence[WorkerSignals],
    share: Callable[[WorkerSignals], float | None],
) -> Use | None:
    """The most that one worker uses, and all that use as much as is called used up."""
    known = list(_known(workers, share))
    if not known:
        return None
    bound = tuple(worker for worker, used in known if used >= USED_UP)
    return Use(resource, max(used for _, used in known), bound)


def _known(
    workers: Sequence[WorkerSignals], share: Callable[[WorkerSignals], float | None]
) -> Iterator[tuple[WorkerSignals, float]]:
    for worker in workers:
        used = share(worker)
        if used is not None:
            yield worker, used


_USES: dict[Resource, Callable[[Evidence, Resource], Use | None]] = {
    Resource.GENERATOR: _generator,
    Resource.UPSTREAM: _upstream,
    Resource.LOOP: _loop,
    Resource.POOL: _pool,
    Resource.EXECUTOR: _executor,
    Resource.CORE: _core,
    Resource.MACHINE: _machine,
    Resource.DELAY: _delay,
}
