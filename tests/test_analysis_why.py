"""Each cause shown true by recorded signals, and not true just beside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.analysis.evidence import Evidence
from bench.analysis.resources import Resource
from bench.analysis.why import why
from bench.records.model import Places, WorkerSignals
from bench.report.whys import sentence
from tests.support.records import measured, trial

# Signals in which nothing is used up: each test changes what it is about.
CALM: dict[str, Any] = {
    "loop_delay_max_ms": 6.0,
    "server_cores": 0.3,
    "generator_cores": 0.2,
    "generator_waited": 0.0,
    "delay_server_cores": 0.0,
    "harness_cores": 0.0,
    "foreign_cores": 0.0,
    "steal_cores": 0.0,
    "overshoot_p99_ms": 1.0,
    "server_ms_per_request": 5.0,
    "users": 100,
    "delay_s": 1.0,
    "throughput_rps": 50.0,  # half of what the delay allows
}
WORKER = WorkerSignals(
    pid=11,
    share=1.0,
    cores=0.3,
    loop_cores=0.1,
    loop_waited=0.01,
    loop_held_share=0.05,
    pool_size=40,
    pool_busy_avg=10.0,
    queued_avg=0.0,
    inside_avg=12.0,
)
# Those of a `def` endpoint whose handlers do nothing but ask the delay server.
ASKING = Places(
    generator=0.0, way=2.0, thread_queue=58.0, before=0.1, upstream=39.5, handler=0.3, after=0.1
)
AWAITING = Places(
    generator=0.0, way=2.0, thread_queue=0.0, before=1.0, upstream=50.0, handler=46.0, after=1.0
)
IDLE = replace(WORKER, pid=12, share=0.0, cores=0.01, pool_busy_avg=0.0, loop_held_share=0.0)


def told(
    *workers: WorkerSignals,
    places: Places | None = AWAITING,
    cores: int = 2,
    python: str = "3.12",
    **figures: Any,
) -> str:
    """Why a trial with these workers and figures is as it is."""
    found = measured(**(CALM | figures), per_worker=(workers or (WORKER,)), places=places)
    about = trial(workers=len(workers) or 1, python=python)
    return sentence(why(Evidence(about, found, cores)))


def worker(**changed: Any) -> WorkerSignals:
    """One in which nothing else stands out."""
    return replace(WORKER, **changed)


FULL = worker(pool_busy_avg=40.0, queued_avg=58.0)
HELD_UP = worker(loop_held_share=0.98, cores=0.15, loop_cores=0.12)


@pytest.mark.parametrize(
    ("holds", "misses", "text"),
    [
        pytest.param(
            {"generator_cores": 0.851},
            {"generator_cores": 0.85},
            "generator-bound: the load generator used 0.85 of its 1 core",
            id="generator",
        ),
        pytest.param(
            {"generator_cores": 0.45, "generator_waited": 0.45},
            {"generator_cores": 0.45, "generator_waited": 0.39},
            (
                "generator-bound: the load generator used 0.45 of its 1 core and waited for it 45%"
                " of the time"
            ),
            id="generator starved",
        ),
        pytest.param(
            {"overshoot_p99_ms": 50.1},
            {"overshoot_p99_ms": 50.0},
            "upstream-bound: the delay server answered 50 ms late (p99)",
            id="upstream, 5 % of a long delay",
        ),
        pytest.param(
            {"overshoot_p99_ms": 20.1, "delay_s": 0.1},
            {"overshoot_p99_ms": 20.0, "delay_s": 0.1},
            "upstream-bound: the delay server answered 20 ms late (p99)",
            id="upstream, 20 ms of a short delay",
        ),
        pytest.param(
            {"throughput_rps": 90.0},
            {"throughput_rps": 89.9},
            "delay-bound: at 90% of what the delay allows: nothing to gain",
            id="delay",
        ),
        pytest.param(
            {"server_cores": 0.9, "generator_cores": 0.6, "foreign_cores": 0.3},
            {"server_cores": 0.9, "generator_cores": 0.6, "foreign_cores": 0.2},
            (
                "CPU-bound on a full machine: 5 ms of CPU a request; the 2 cores were 90% busy"
                " (server 0.90, load generator 0.60, other programs 0.30)"
            ),
            id="machine",
        ),
    ],
)
def test_what_is_used_up_by_whomever(
    holds: dict[str, Any], misses: dict[str, Any], text: str
) -> None:
    """At its threshold, and just beside."""
    assert told(**holds) == text
    assert not told(**misses).startswith(text.partition(":")[0])


@pytest.mark.parametrize(
    ("holds", "misses", "text"),
    [
        pytest.param(
            HELD_UP,
            replace(HELD_UP, loop_held_share=0.89),
            "loop blocked: the loop was held up 98% of the time, for 6 ms at worst, at 15% CPU",
            id="loop",
        ),
        pytest.param(
            HELD_UP,
            # It was late because it computed.
            replace(HELD_UP, loop_cores=0.6),
            "loop blocked: the loop was held up 98% of the time, for 6 ms at worst, at 15% CPU",
            id="loop, and not its own work",
        ),
        pytest.param(
            HELD_UP,
            # Or for the interpreter, which the threads of its pool had.
            replace(HELD_UP, cores=0.85),
            "loop blocked: the loop was held up 98% of the time, for 6 ms at worst, at 15% CPU",
            id="loop, and not the interpreter's lock",
        ),
        pytest.param(
            worker(cores=0.9),
            worker(cores=0.89),
            "CPU-bound: 5 ms of CPU a request, 0.30 cores used by 1 worker",
            id="core",
        ),
        pytest.param(
            worker(cores=0.6, loop_cores=0.55, loop_waited=0.36),
            worker(cores=0.6, loop_cores=0.55, loop_waited=0.34),
            (
                "CPU-bound: 5 ms of CPU a request, 0.30 cores used by 1 worker; a core was waited"
                " for 36% of the time"
            ),
            id="core, waited for",
        ),
    ],
)
def test_what_a_worker_uses_up(holds: WorkerSignals, misses: WorkerSignals, text: str) -> None:
    """At its threshold, and just beside."""
    assert told(holds) == text
    assert not told(misses).startswith(text.partition(":")[0])


def test_a_pool_beside_the_usual_one_is_the_limit() -> None:
    """That of `asyncio.to_thread`, while tasks wait for its threads and the core is idle."""
    full = worker(executor_threads=6, executor_waiting_avg=194.0)
    assert told(full) == (
        "executor-bound: all 6 threads of the executor are busy (asyncio.to_thread's, or the"
        " application's own), 194 tasks waiting for one"
    )
    assert not told(replace(full, executor_waiting_avg=0.9)).startswith("executor-bound")
    assert not told(replace(full, cores=0.85)).startswith("executor-bound")
    assert "in 1 of 2 workers" in told(full, IDLE)


def test_without_the_interpreters_lock_a_worker_has_all_cores() -> None:
    """Its threads together; its loop's thread is one all the same."""
    said = "CPU-bound: 5 ms of CPU a request, 0.30 cores used by 1 worker"
    assert told(worker(cores=0.95), python="3.14") == said
    assert not told(worker(cores=0.95), python="3.14t").startswith("CPU-bound")
    assert told(worker(cores=1.85), python="3.14t") == said
    assert told(worker(cores=0.95, loop_cores=0.92), python="3.14t").startswith("CPU-bound")


def test_a_pool_whose_threads_wait_is_the_limit() -> None:
    """40 of 40 at the delay server, users waiting for a thread."""
    text = "pool-bound: 40 of 40 threads busy, 58 requests waiting for one"
    assert told(FULL, places=ASKING) == text
    # Whether 0.9 or 1.1 requests wait changes nothing.
    few = "pool-bound: 40 of 40 threads busy, 1 request waiting for one"
    assert told(replace(FULL, queued_avg=0.9), places=ASKING) == few
    assert told(replace(FULL, queued_avg=1.1), places=ASKING) == few


def test_a_full_pool_that_competes_for_the_interpreter_is_not() -> None:
    """More threads would make it slower."""
    busy = replace(FULL, cores=0.97)
    places = replace(ASKING, upstream=0.0, handler=39.8)
    assert told(busy, places=places).startswith("CPU-bound: ")
    no_upstream: dict[str, Any] = {"upstream_calls": 0, "upstream_started": 0, "delay_s": 0.0}
    assert told(busy, places=None, **no_upstream).startswith("CPU-bound: ")
    # It isn't seen what they wait for, but the core has time to spare.
    assert told(FULL, places=None, **no_upstream).startswith("pool-bound: ")


def test_a_full_pool_that_nobody_waits_for_is_not() -> None:
    """As many users as threads: they all wait for the delay."""
    assert not told(replace(FULL, queued_avg=0.3), places=ASKING).startswith("pool-bound")


def test_one_of_two_workers_limits_what_it_has() -> None:
    """All connections at one worker, whose loop is blocked; the other one idles."""
    assert told(replace(HELD_UP, share=1.0), IDLE) == (
        "loop blocked: in 1 of 2 workers the loop was held up 98% of the time, for 6 ms at worst,"
        " at 15% CPU"
    )
    assert told(FULL, IDLE, places=ASKING) == (
        "pool-bound: 40 of 40 threads busy in 1 of 2 workers, 58 requests waiting for one"
    )
    assert told(worker(cores=0.95), IDLE) == (
        "CPU-bound: 5 ms of CPU a request, 0.30 cores used by 2 workers, 1 of them at its limit"
    )
    assert told(HELD_UP, HELD_UP).startswith("loop blocked: each worker's loop was held up 98%")


def test_what_is_used_alike_is_named_together() -> None:
    """Within five points; the one that is more used alone otherwise."""
    asking = replace(ASKING, handler=0.0)
    both = told(FULL, places=asking, throughput_rps=96.0)
    assert both == (
        "pool-bound and delay-bound: 40 of 40 threads busy, 58 requests waiting for one; at 96% of"
        " what the delay allows: nothing to gain"
    )
    assert told(worker(cores=0.99), throughput_rps=93.0).startswith("CPU-bound: ")
    assert told(worker(cores=0.82), throughput_rps=98.0).startswith("delay-bound: at 98%")


def test_the_most_used_of_three_is_never_left_out() -> None:
    """Two are named; whichever would come first otherwise."""
    assert told(
        worker(cores=0.95, pool_busy_avg=0.945 * 40), places=ASKING, throughput_rps=99.0
    ).startswith("CPU-bound and delay-bound: ")


def test_a_full_machine_is_no_cause_beside_a_worker_that_computes() -> None:
    """It is full because of that."""
    text = told(worker(cores=0.95), server_cores=0.95, generator_cores=0.6, foreign_cores=0.4)
    assert text == "CPU-bound: 5 ms of CPU a request, 0.95 cores used by 1 worker"


def test_the_generator_and_a_late_delay_server_come_first_and_alone() -> None:
    """The number is one of something else then."""
    text = told(worker(cores=0.99), generator_cores=0.9, throughput_rps=99.0)
    assert text.startswith("generator-bound: ")
    text = told(worker(cores=0.99), overshoot_p99_ms=90.0, throughput_rps=99.0)
    assert text.startswith("upstream-bound: ")


def test_where_nothing_is_used_up_it_is_said_where_the_users_are() -> None:
    """With the time that a request spends there, by Little's law."""
    assert told() == (
        "no resource is used up (most: what the delay allows, 50%): 50 of 100 users (1 s of 2 s)"
        " are at the delay server"
    )
    waiting = replace(AWAITING, upstream=20.0, handler=76.0)
    assert told(places=waiting, throughput_rps=20.0) == (
        "no resource is used up (most: the worker's core, 30%): 76 of 100 users (3.80 s of 5 s) are"
        " in the handler: its own work, the interpreter's lock, or a wait that isn't ours to see"
    )


def test_where_not_even_that_is_known_nothing_is_claimed() -> None:
    """With what is missing."""
    assert told(places=None, loop_delay_p50_ms=None, foreign_cores=None) == (
        "unexplained: no resource is used up (most: what the delay allows, 50%); not known: the CPU"
        " of other programs, the loop's delay"
    )


def test_without_the_probe_cpu_and_delay_still_tell() -> None:
    """From outside."""
    silent = WorkerSignals(pid=11, cores=0.95)
    assert told(silent, places=None).startswith("CPU-bound: ")
    assert told(WorkerSignals(pid=11), places=None, server_cores=0.96) == (
        "CPU-bound: 5 ms of CPU a request, 0.96 cores used by 1 worker"
    )
    assert told(WorkerSignals(pid=11), places=None, throughput_rps=97.0).startswith("delay-bound")


def test_what_the_hypervisor_took_is_not_the_workers_to_use() -> None:
    """80 % of a core on a machine that had only 85 % of its cores is all of it."""
    text = told(worker(cores=0.8), steal_cores=0.3, server_cores=0.8)
    assert text.startswith("CPU-bound: ")
    assert text.endswith("; the hypervisor took 15% of the cores")


def test_a_block_that_goes_on_is_a_bound() -> None:
    """At the window's end the loop was still held up."""
    assert "for over 6 ms at worst" in told(HELD_UP, loop_delay_open=True)


def test_every_cause_is_shown_here() -> None:
    """A resource that no test shows is one on paper."""
    shown = {
        *("generator-bound", "upstream-bound", "loop blocked", "pool-bound", "CPU-bound"),
        *("CPU-bound on a full machine", "delay-bound", "executor-bound"),
    }
    assert {resource.value for resource in Resource} == shown
