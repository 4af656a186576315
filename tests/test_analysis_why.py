"""Each rule shown true by recorded signals, and not true just beside."""

from __future__ import annotations

from typing import Any

import pytest

from bench.analysis.why import RULES, Evidence, why
from tests.support.records import measured, trial

# Signals in which nothing stands out: each test changes what it is about.
CALM: dict[str, Any] = {
    "loop_delay_p50_ms": 0.4,
    "loop_delay_max_ms": 6.0,
    "pool_size": 40,
    "pool_busy_avg": 10.0,
    "pool_waiting_avg": 0.0,
    "server_cores": 0.3,
    "generator_cores": 0.2,
    "delay_server_cores": 0.0,
    "harness_cores": 0.0,
    "foreign_cores": 0.0,
    "steal_cores": 0.0,
    "overshoot_p99_ms": 1.0,
    "server_ms_per_request": 5.0,
    "delay_s": 1.0,
    "throughput_rps": 20.0,  # half of what 40 threads allow
}


def sentence(*, endpoint: str = "sync", workers: int = 1, cores: int = 2, **figures: Any) -> str:
    """Why a trial with these figures is as it is."""
    found = measured(**(CALM | figures))
    return why(Evidence(trial(endpoint=endpoint, workers=workers), found, cores))


def test_where_nothing_stands_out_nothing_is_claimed() -> None:
    """With the figures that were looked at."""
    assert sentence() == (
        "unexplained: no signal stands out at 50% of the limit; the server used 0.30 cores"
    )
    assert sentence(delay_s=0.0, server_ms_per_request=None) == (
        "unexplained: no signal stands out; the server used 0.30 cores"
    )


@pytest.mark.parametrize(
    ("holds", "misses", "told"),
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
            {"overshoot_p99_ms": 20.1, "delay_s": 0.1, "throughput_rps": 200.0},
            {"overshoot_p99_ms": 20.0, "delay_s": 0.1, "throughput_rps": 200.0},
            "upstream-bound: the delay server answered 20 ms late (p99)",
            id="upstream, 20 ms of a short delay",
        ),
        pytest.param(
            {"loop_delay_p50_ms": 100.0, "loop_delay_max_ms": 1012.4},
            {"loop_delay_p50_ms": 99.9, "loop_delay_max_ms": 1012.4},
            "loop blocked: its heartbeat was 100 ms late in the median, 1.01 s at worst, at 30%"
            " CPU",
            id="loop",
        ),
        pytest.param(
            {"pool_busy_avg": 38.0, "pool_waiting_avg": 57.6, "throughput_rps": 19.9},
            {"pool_busy_avg": 37.9, "pool_waiting_avg": 57.6, "throughput_rps": 19.9},
            "pool-bound: 38 of 40 threads busy, 58 waiting",
            id="pool, busy",
        ),
        pytest.param(
            {"pool_busy_avg": 40.0, "pool_waiting_avg": 1.0, "server_cores": 0.97},
            {"pool_busy_avg": 40.0, "pool_waiting_avg": 0.9, "server_cores": 0.79},
            "pool-bound: 40 of 40 threads busy, 1 waiting",
            id="pool, waiting",
        ),
        pytest.param(
            {
                "pool_size": 80,
                "pool_busy_avg": 74.0,
                "pool_waiting_avg": 26.0,
                "workers": 2,
                "throughput_rps": 40.0,
            },
            {
                "pool_size": 80,
                "pool_busy_avg": 74.0,
                "pool_waiting_avg": 26.0,
                "workers": 2,
                "throughput_rps": 39.9,
            },
            "pool-bound: 74 of 80 threads busy, 26 waiting; the workers have unequal shares of the"
            " connections",
            id="pool of one worker of two",
        ),
        pytest.param(
            {"server_cores": 0.8},
            {"server_cores": 0.79},
            "CPU-bound: 5 ms of CPU a request, 0.80 cores used by 1 worker",
            id="CPU of the worker",
        ),
        pytest.param(
            {"server_cores": 1.6, "workers": 2, "cores": 4},
            {"server_cores": 1.58, "workers": 2, "cores": 4},
            "CPU-bound: 5 ms of CPU a request, 1.60 cores used by 2 workers",
            id="CPU of two workers",
        ),
        pytest.param(
            {"server_cores": 0.7, "generator_cores": 0.8, "foreign_cores": 0.1},
            {"server_cores": 0.7, "generator_cores": 0.8, "foreign_cores": 0.09},
            "CPU-bound: 5 ms of CPU a request, 0.70 cores used by 1 worker; the 2 cores"
            " were 80% busy (load generator 0.80, other programs 0.10)",
            id="CPU of the cores",
        ),
        pytest.param(
            {"server_cores": 0.65, "steal_cores": 0.4},
            {"server_cores": 0.63, "steal_cores": 0.4},
            "CPU-bound: 5 ms of CPU a request, 0.65 cores used by 1 worker; the hypervisor took"
            " 20% of the cores",
            id="CPU that the hypervisor left",
        ),
        pytest.param(
            {"server_cores": 0.3, "steal_cores": 1.4},
            {"server_cores": 0.3, "steal_cores": 0.3},
            "CPU-bound: 5 ms of CPU a request, 0.30 cores used by 1 worker; the 2 cores"
            " were 95% busy (load generator 0.20, taken by the hypervisor 1.40)",
            id="CPU of the machine, most of it taken by the hypervisor",
        ),
        pytest.param(
            {"server_cores": 0.5, "generator_cores": 0.8, "foreign_cores": 0.6},
            {"server_cores": 0.49, "generator_cores": 0.8, "foreign_cores": 0.6},
            "CPU-bound: 5 ms of CPU a request, 0.50 cores used by 1 worker; the 2 cores"
            " were 95% busy (load generator 0.80, other programs 0.60)",
            id="CPU of the machine, most of it not the server's",
        ),
        pytest.param(
            {"server_cores": 0.3, "generator_cores": 0.8, "foreign_cores": 0.82},
            {"server_cores": 0.3, "generator_cores": 0.8, "foreign_cores": 0.7},
            "CPU-bound: 5 ms of CPU a request, 0.30 cores used by 1 worker; the 2 cores"
            " were 96% busy (load generator 0.80, other programs 0.82)",
            id="CPU of the machine, nearly all of it",
        ),
        pytest.param(
            {"throughput_rps": 36.0},
            {"throughput_rps": 35.9},
            "delay-bound: at 90% of the limit: nothing to gain",
            id="delay",
        ),
    ],
)
def test_a_rule_holds_from_its_threshold_on(
    holds: dict[str, Any], misses: dict[str, Any], told: str
) -> None:
    """One sentence with its figures; just beside, nothing is claimed."""
    assert sentence(**holds) == told
    assert sentence(**misses).startswith("unexplained: ")


@pytest.mark.parametrize(
    "user", ["delay_server_cores", "harness_cores", "foreign_cores", "steal_cores"]
)
def test_a_full_machine_is_cpu_bound_whoever_fills_it(user: str) -> None:
    """A whole core of two is in use; what another takes is not the server's to have."""
    calm: dict[str, Any] = {"server_cores": 0.7, "generator_cores": 0.2}
    assert sentence(**calm).startswith("unexplained: ")
    assert sentence(**(calm | {user: 0.75})).startswith("CPU-bound: ")


def test_a_loop_that_computes_is_not_called_blocked() -> None:
    """Its heartbeat is late too, but what it lacks is CPU."""
    told = sentence(loop_delay_p50_ms=300.0, loop_delay_max_ms=400.0, server_cores=0.97)
    assert told.startswith("CPU-bound: ")


def test_a_pool_full_of_threads_that_compute_is_no_pool_bound_cell() -> None:
    """More threads would not help; without a delay, being at the limit says nothing else."""
    full: dict[str, Any] = {
        "pool_busy_avg": 40.0,
        "pool_waiting_avg": 50.0,
        "server_cores": 0.97,
        "throughput_rps": 19.9,  # a thread waits for the delay in less than half of its time
    }
    assert sentence(**full).startswith("CPU-bound: ")
    assert sentence(**(full | {"delay_s": 0.0, "throughput_rps": 200.0})).startswith("CPU-bound: ")


def test_a_full_pool_that_mostly_waits_is_pool_bound_however_busy_the_cpu() -> None:
    """Threads that wait for the delay in most of their time: more of them would help."""
    told = sentence(
        pool_busy_avg=40.0, pool_waiting_avg=50.0, server_cores=0.97, throughput_rps=20.0
    )
    assert told.startswith("pool-bound: ")


@pytest.mark.parametrize("unknown", ["pool_size", "pool_busy_avg", "pool_waiting_avg"])
def test_without_gauges_the_pool_is_not_blamed(unknown: str) -> None:
    """With the probe off nothing is known of it."""
    full: dict[str, Any] = {"pool_busy_avg": 40.0, "pool_waiting_avg": 50.0}
    assert sentence(**(full | {unknown: None})).startswith("unexplained: ")


def test_without_delay_being_at_the_limit_is_not_called_delay_bound() -> None:
    """The limit is then made of the CPU."""
    assert sentence(delay_s=0.0, throughput_rps=200.0).startswith("unexplained: ")


def test_the_cost_of_a_request_may_be_unknown() -> None:
    """The sentence does without it."""
    told = sentence(server_cores=0.9, server_ms_per_request=None)
    assert told == "CPU-bound: 0.90 cores used by 1 worker"


def test_nothing_known_is_unexplained() -> None:
    """No signal, no claim, and no crash."""
    silent: dict[str, Any] = dict.fromkeys(set(CALM) - {"delay_s", "throughput_rps"})
    told = sentence(**silent)
    assert told == (
        "unexplained: no signal stands out at 50% of the limit; not known: the server's CPU, the"
        " load generator's CPU, the CPU of other programs, what the hypervisor took, the loop's"
        " delay, the thread pool"
    )


@pytest.mark.parametrize(
    "figures",
    [
        {"server_cores": None, "foreign_cores": 1.95},  # a full machine
        {"server_cores": None, "loop_delay_p50_ms": 5000.0},
        {"server_cores": None, "pool_busy_avg": 40.0, "pool_waiting_avg": 60.0, "delay_s": 0.0},
    ],
)
def test_what_the_servers_cpu_would_decide_is_not_guessed(figures: dict[str, Any]) -> None:
    """The rule doesn't hold, and the sentence says what is missing."""
    told = sentence(**CALM | figures)
    assert told.startswith("unexplained: ")
    assert told.endswith("not known: the server's CPU")


def test_a_generator_that_waited_is_told_without_its_cpu() -> None:
    """How long it ran is unknown, how long it waited is enough."""
    told = sentence(**CALM | {"generator_cores": None, "generator_waited": 0.9})
    assert told == "generator-bound: the load generator waited for a core 90% of the time"


def test_a_block_that_goes_on_is_told_as_a_bound() -> None:
    """It may last for longer than the window."""
    figures = {"loop_delay_p50_ms": 4000.0, "loop_delay_max_ms": 7900.0, "loop_delay_open": True}
    assert "4 s late in the median, over 7.90 s at worst" in sentence(**CALM | figures)


# All causes at once, each with what takes it away again, in the order of the rules.
ALL: dict[str, Any] = {
    "generator_cores": 0.9,
    "overshoot_p99_ms": 60.0,
    "loop_delay_p50_ms": 500.0,
    "pool_busy_avg": 40.0,
    "pool_waiting_avg": 50.0,
    "server_cores": 0.6,
    "foreign_cores": 0.5,
    "throughput_rps": 39.0,
}
CURES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("generator-bound", {"generator_cores": 0.8}),
    ("upstream-bound", {"overshoot_p99_ms": 1.0}),
    ("loop blocked", {"loop_delay_p50_ms": 1.0}),
    ("pool-bound", {"pool_waiting_avg": 0.0}),
    ("CPU-bound", {"foreign_cores": 0.0}),
    ("delay-bound", {"throughput_rps": 20.0}),
    ("unexplained", {}),
)


def test_the_first_cause_that_holds_is_told() -> None:
    """As each is cured, the next is told, in measurement.md's order."""
    figures = dict(ALL)
    told = []
    for _, cure in CURES:
        told.append(sentence(**figures).split(":")[0])
        figures |= cure
    assert told == [cause for cause, _ in CURES] == [rule.cause for rule in RULES]
