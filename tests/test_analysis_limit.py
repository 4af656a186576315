"""What arithmetic allows a cell at most: the table of docs/why.md."""

from __future__ import annotations

from typing import Any

import pytest

from bench.analysis.limit import limit_rps, usable_cores
from tests.support.records import measured, trial


def limit(
    endpoint: str = "sync", *, workers: int = 1, cores: int = 2, **figures: Any
) -> float | None:
    """The limit of a cell whose trials all have these figures."""
    one = (trial(endpoint=endpoint, workers=workers), measured(**figures))
    return limit_rps([one, one], cores)


@pytest.mark.parametrize(
    ("users", "pool_size", "delay_s", "allowed"),
    [
        (100, 40, 1.0, 40.0),
        (100, 80, 1.0, 80.0),  # the pools of two workers
        (30, 40, 1.0, 30.0),  # fewer users than threads
        (40, 40, 0.5, 80.0),
    ],
)
def test_sync_is_bounded_by_users_or_threads(
    users: int, pool_size: int, delay_s: float, allowed: float
) -> None:
    """min(users, workers × pool size) / d; the recorded size is the sum over workers."""
    assert limit("sync", users=users, pool_size=pool_size, delay_s=delay_s) == allowed


def test_sync_without_a_gauge_has_the_usual_pool_in_each_worker() -> None:
    """40 threads, anyio's default."""
    assert limit("sync", pool_size=None) == 40.0
    assert limit("sync", workers=2, pool_size=None) == 80.0


def test_async_is_bounded_by_users_alone() -> None:
    """Users / d, whatever the pool and the workers."""
    assert limit("async", users=100, delay_s=0.5, workers=2, pool_size=1) == 200.0


@pytest.mark.parametrize(("users", "workers", "allowed"), [(100, 1, 2.0), (100, 4, 8.0), (3, 4, 6)])
def test_blocking_io_in_async_is_bounded_by_users_or_workers(
    users: int, workers: int, allowed: float
) -> None:
    """min(users, workers) / d: a worker waits for one at a time."""
    assert limit("async_sync", users=users, workers=workers, delay_s=0.5) == allowed


@pytest.mark.parametrize("endpoint", ["sync", "async", "async_sync"])
@pytest.mark.parametrize(
    ("workers", "cores", "allowed"), [(1, 2, 500.0), (2, 2, 1000.0), (4, 2, 1000.0)]
)
def test_without_delay_the_cpu_is_the_bound(
    endpoint: str, workers: int, cores: int, allowed: float
) -> None:
    """Cores that the workers can use ÷ CPU seconds a request, for every endpoint alike."""
    found = limit(endpoint, workers=workers, cores=cores, delay_s=0.0, server_ms_per_request=2.0)
    assert found == pytest.approx(allowed)


@pytest.mark.parametrize("cost_ms", [None, 0.0])
def test_without_delay_and_cost_nothing_is_claimed(cost_ms: float | None) -> None:
    """An unknown bound is None, not infinity."""
    assert limit(delay_s=0.0, server_ms_per_request=cost_ms) is None


@pytest.mark.parametrize(("workers", "cores", "usable"), [(1, 4, 1), (3, 4, 3), (8, 4, 4)])
def test_a_worker_uses_one_core(workers: int, cores: int, usable: int) -> None:
    """More workers than cores gain nothing."""
    quiet = measured(server_cores=0.5)
    assert usable_cores(trial(workers=workers), quiet, cores) == usable


def test_without_the_interpreters_lock_a_worker_may_use_all_cores() -> None:
    """`3.14t`: threads compute side by side; but no more than it is kept to."""
    found = trial(python="3.14t")
    assert usable_cores(found, measured(server_cores=0.5), 4) == 4
    assert usable_cores(trial(python="3.14"), measured(server_cores=0.5), 4) == 1


def test_a_worker_may_use_more_than_one_core_outside_the_interpreter() -> None:
    """What it did use it may use, so no share of the limit is above 1 for that; never over all."""
    assert usable_cores(trial(), measured(server_cores=1.3), 4) == pytest.approx(1.3)
    assert usable_cores(trial(), measured(server_cores=4.1), 4) == 4
    assert usable_cores(trial(), measured(server_cores=None), 4) == 1
