"""A trial's folder to its figures: every field by an example that was worked out by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.digest.read import Unreadable
from bench.digest.trial import digest
from bench.records.trial_files import Sockets, Throttle
from bench.selfcheck.trial_folder import (
    GATE,
    MS,
    T0,
    T1,
    Call,
    Request,
    S,
    compress,
    look,
    page,
    upstream,
    write_trial,
)
from locustfiles import layout

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.model import Measured

SERVER_ERROR = layout.FIRST_FAILURE
REDIRECT = layout.FIRST_FAILURE + 1

REQUESTS = [
    Request(T0 - 200 * MS, T0 + 250 * MS),  # weighs 1 - cos(π/2) = 1
    Request(T0, T0 + 500 * MS, user=3),  # weighs 1 - cos(π) = 2
    Request(T0 + 300 * MS, T0 + 750 * MS, SERVER_ERROR),
    Request(T0 - 1000 * MS, T0),  # in the window, though of no weight
    Request(T0 + 100 * MS, T1),  # answered as the window was over
    Request(T0 - 2000 * MS, T1 + 40 * MS, layout.UNFINISHED),
    Request(T1, T1 + 10 * MS),
    Request(T0 - 3000 * MS, T0 - 1),
    Request(T0 - 600 * MS, T0 - 500 * MS, REDIRECT),
]
FAILURE_KINDS = {"2": "HTTP 500", "3": "HTTP 307 (redirect)"}

HANDLERS = {
    100: [
        Call(GATE - 1, GATE, thread=1, alive=88),  # the verification's
        Call(GATE, GATE + MS, thread=7, alive=77),  # the first that counts
        Call(T0, T0 + MS, thread=7, alive=1),
        Call(T1 - 1, 0, thread=8, alive=41),
        Call(T1, T1 + MS, thread=8, alive=99),
    ],
    200: [Call(T0 + 500 * MS, T0 + 600 * MS, thread=9, alive=3, route=4)],
}


EARLY = [T0 - 50 * MS] * 6  # six requests enter worker 100,
LATER = [T0 + 500 * MS] * 2  # two more, and six tasks begin to wait for a thread
WAITING = [T0 + 500 * MS] * 6


def looks() -> list[dict[str, Any]]:
    """One before the window, three within: two workers, four groups of processes."""
    return [
        look(
            T0 - 100 * MS,
            gauges={100: page(heartbeat_ns=T0 - 10 * S), 200: page(heartbeat_ns=T0 - 10 * S)},
            cpu_s={"server": {11: 0.5, 12: 0.0}},
            rss={"server": 900_000_000},
            busy_s=9.0,
            generator_waited_s=3.0,
            upstream_ns=0,
        ),
        look(
            T0,
            gauges={
                100: page(heartbeat_ns=T0 - 50 * MS, pool=(40, 10, 0), started=EARLY),
                200: page(heartbeat_ns=T0 - 60 * MS, pool=(40, 2, 0), started=5, finished=5),
            },
            cpu_s={
                "server": {11: 1.0, 12: 0.2},
                "generator": {21: 3.0},
                "delay": {31: 0.0},
                "harness": {41: 7.0},
            },
            rss={"server": 100_000_000},
            busy_s=10.0,
            steal_s=1.0,
            generator_waited_s=4.0,
            upstream_ns=3 * 100 * MS,
        ),
        look(
            T0 + 500 * MS,
            gauges={
                100: page(
                    heartbeat_ns=T0 + 50 * MS,
                    pool=(40, 30, 6),
                    started=[*EARLY, *LATER],
                    queued=WAITING,
                ),
                200: page(heartbeat_ns=T0 + 470 * MS, pool=(40, 4, 0), started=9, finished=9),
            },
            cpu_s={
                "server": {11: 1.3, 12: 0.2},
                "generator": {21: 3.1},
                "delay": {31: 0.1},
                "harness": {41: 7.0},
            },
            rss={"server": 130_000_000},
            busy_s=11.0,
            steal_s=1.0,
            generator_waited_s=4.2,
            upstream_ns=3 * 600 * MS,
        ),
        look(
            T1,
            gauges={
                100: page(
                    heartbeat_ns=T1 - 55 * MS,
                    pool=(40, 99, 99),
                    started=[*EARLY, *LATER],
                    queued=WAITING,
                ),
                200: page(heartbeat_ns=0, pool=(40, 99, 99), begun=False),
            },
            cpu_s={
                "server": {11: 1.5, 12: 0.3},
                "generator": {21: 3.5},
                "delay": {31: 0.1},
                "harness": {41: 7.05},
            },
            rss={"server": 120_000_000},
            busy_s=11.45,
            steal_s=1.03,
            generator_waited_s=4.25,
            upstream_ns=3 * 1100 * MS,
        ),
    ]


def example(folder: Path) -> Path:
    """The trial that all examples below look at."""
    return write_trial(
        folder,
        requests=REQUESTS,
        handlers=HANDLERS,
        looks=looks(),
        load_facts={
            "failure_kinds": FAILURE_KINDS,
            "lateness_ns": [
                (T0 - 1, 7 * S),
                *((T0 + late * MS, late * MS) for late in range(1, 101)),
                (T1, 8 * S),
            ],
            "locust": {"requests": 8, "failures": 2, "p50_ms": 440.0, "p90_ms": None},
        },
        facts={
            "argv": ["python", "-m", "server"],
            "workers": [100, 200],
            "workers_after": [100],
            "loop": "uvloop.Loop",
            "http": "h11",
            "upstream_calls": 1,
            "waits": True,
            "cpus": {"server": [0, 3]},
            "throttle_t0": Throttle(1.0, 5),
            "throttle_t1": Throttle(1.5, 7),
            "gauges_before": {"100": page(started=2, finished=2)},
            "gauges_after": {
                "100": page(pid=100, started=7, finished=6, threads=(41, 41), lost=1),
                "200": page(pid=200, started=3, finished=3, threads=(1, 0), lost=2),
            },
            "upstream_t0": upstream(T0 + MS, late_ns={MS // 4: 2, 169 * MS: 5}),
            "upstream_t1": upstream(
                T1 + 3 * MS,
                late_ns={MS // 4: 2, MS // 2: 60, 2 * MS: 39, 3 * MS: 1, 169 * MS: 5},
            ),
            "upstream_after": upstream(
                T1 + S, started=6, served=4, cancelled=2, peak=9, late_ns={99 * MS: 4}
            ),
        },
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """The example's figures."""
    return digest(example(tmp_path_factory.mktemp("trial")))


def test_the_load_is_told_with_its_window(measured: Measured) -> None:
    """Settings from the profile, instants from the trial, the ramp from the generator."""
    assert asdict(measured.load) == {
        "users": 4,
        "stretch": 1,
        "longest_s": 20.0,
        "round_trip_s": None,
        "theirs": False,
        "generators": 1,
        "away": 0,
        "clock_bound_ms": None,
        "clock_fast": None,
        "warmup_s": 5.0,
        "duration_s": 1.0,
        "delay_s": 0.25,
        "t0_ns": T0,
        "t1_ns": T1,
        "ramp_s": 1.0,
    }


def test_requests_are_counted_over_the_trial_and_within_the_window(measured: Measured) -> None:
    """An end at t0 is in the window, one at t1 is not; in flight at t1 is who began before."""
    assert asdict(measured.requests) == {
        "started": 9,
        "succeeded": 6,
        "failed": 2,
        "unfinished": 1,
        "window_succeeded": 3,
        "window_failed": 1,
        "window_unfinished": 2,
        "oldest_unfinished_ms": 3000.0,
        "failure_kinds": {"HTTP 500": 1, "HTTP 307 (redirect)": 1},
        "redirects": 1,
        "unseen": 0,
    }


def test_rates_are_hann_weighted(measured: Measured) -> None:
    """Successes weigh 0 + 1 + 2 in a second, failures 1."""
    assert measured.throughput_rps == pytest.approx(3.0)
    assert measured.failures_rps == pytest.approx(1.0)


def test_latency_is_of_successes_in_the_window(measured: Measured) -> None:
    """Mean of 450, 500 and 1000 ms; too few for percentiles; Little's is off with failures."""
    assert measured.latency.mean_measured_ms == pytest.approx(650.0)
    assert measured.latency.mean_by_little_ms is None
    for percentile in (measured.latency.p50, measured.latency.p90, measured.latency.p99):
        assert percentile.value_ms is None
        assert percentile.reason


def test_threads_are_summed_over_workers(measured: Measured) -> None:
    """Spawned: 41 seen by one, 1 in the other's log; active: (1 + 41) / 2 and 3."""
    assert asdict(measured.threads) == {"spawned": 42, "active_avg": pytest.approx(24.0)}


def test_signals_are_of_the_window(measured: Measured) -> None:
    """Averages by time, CPU by difference, delays by age, extremes by maximum."""
    found = asdict(measured.signals)
    shares = found.pop("worker_shares")
    assert shares == {"100": pytest.approx(2 / 3), "200": pytest.approx(1 / 3)}
    assert found.pop("threads_alive") == (2, 2, 2)
    assert found == pytest.approx(
        {
            "loop_delay_p50_ms": 5.0,  # of 0, 0, 5, 10 and 400: age less 50
            "loop_delay_max_ms": 400.0,
            "loop_delay_open": False,
            "pool_size": 80,
            "pool_busy_avg": 23.0,  # 12 for half of the window, then 34
            "pool_waiting_avg": 3.0,  # none for half of the window, then 6
            "in_flight_avg": 7.0,  # 6 for half of the window, then 8
            "server_cores": 0.6,
            "server_cores_tapered": 0.6,
            "server_ms_per_request": 150.0,  # 600 ms for 4 ends in the window
            "generator_cores": 0.5,
            "generator_late_p99_ms": 99.0,
            "delay_server_cores": 0.1,
            "harness_cores": 0.05,
            "database_cores": None,  # it asks none
            "harness_cores_tapered": 0.05,
            "foreign_cores": 0.2,  # 1.45 less the four above
            "steal_cores": 0.03,
            "rss_mb": 130.0,
            "upstream_in_flight_avg": 3.0,
            "upstream_in_flight_peak": 9,
            "overshoot_p50_ms": 0.5,
            "overshoot_p99_ms": 2.0,  # of 100; 169 ms were before the window, 99 ms after it
            "generator_waited": 0.25,
            "quota_throttled_s": 0.5,
            "heat_throttles": 2,
            "handler_min_ms": None,  # some requests failed
            "threads_before": 1,
            "server_foreign_cores": None,  # it has no CPUs for itself
            "server_steal_cores": None,
            "generator_busiest": None,  # there is but one process
        }
    )


def test_books_are_of_all_that_came_after_the_gate(measured: Measured) -> None:
    """The verification's request is in no one's count."""
    assert asdict(measured.counters) == {
        "generator_started": 9,
        "generator_recorded": 9,
        "app_started": 8,  # 7 less the 2 before, and 3
        "app_finished": 7,
        "handlers_begun": 5,
        "handlers_ended": 4,
        "log_lost": 3,
        "upstream_calls": 1,
        "upstream_started": 6,
        "upstream_served": 4,
        "upstream_cancelled": 2,
        "generator_counted": None,  # there is no master
        "handlers_seen": True,
    }


def test_what_workers_found_of_their_sockets_is_added_up(tmp_path: Path) -> None:
    """The smallest limits; what the log grew by is of each request that was begun."""
    facts = {
        "sockets": {"100": Sockets(30, 30, 2048, 1024), "200": Sockets(20, 0, None, 512)},
        "log_bytes": (1000, 1180),
    }
    load_facts = {"failure_kinds": FAILURE_KINDS, "started": 9}
    found = digest(write_trial(tmp_path, requests=REQUESTS, facts=facts, load_facts=load_facts))
    audit = found.process.audit
    assert audit is not None
    assert (audit.connections, audit.nodelay) == (50, 30)
    assert (audit.backlog, audit.open_files) == (2048, 512)
    assert audit.log_bytes_per_request == pytest.approx(180 / 9)


def test_the_process_and_locusts_own_view_are_passed_on(measured: Measured) -> None:
    """As they were noted."""
    assert asdict(measured.process) == {
        "argv": ("python", "-m", "server"),
        "workers": (100, 200),
        "workers_after": (100,),
        "loop": "uvloop.Loop",
        "http": "h11",
        "cpus": (0, 3),
        "delay_exit": None,
        "audit": None,
    }
    assert measured.locust == {"requests": 8, "failures": 2, "p50_ms": 440.0, "p90_ms": None}


def test_a_kept_trial_reads_the_same(tmp_path: Path, measured: Measured) -> None:
    """Compressed files give the very same figures."""
    compress(example(tmp_path))
    assert {path.suffix for path in tmp_path.iterdir()} == {".gz"}
    assert digest(tmp_path) == measured


def test_the_same_folder_gives_the_same_figures_twice(tmp_path: Path, measured: Measured) -> None:
    """A pure function of the files: it changes none of them."""
    example(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert digest(tmp_path) == measured
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# -- one thing at a time


def test_a_kind_that_does_not_wait_has_no_delay(tmp_path: Path) -> None:
    """Whatever the run's delay is."""
    measured = digest(write_trial(tmp_path, facts={"waits": False}))
    assert measured.load.delay_s == 0.0


def test_littles_mean_is_users_over_throughput(tmp_path: Path) -> None:
    """4 users, weights 1 and 2 in a second; a failure outside the window does no harm."""
    requests = [*REQUESTS[:2], REQUESTS[-1]]
    kinds = {"failure_kinds": FAILURE_KINDS}
    measured = digest(write_trial(tmp_path, requests=requests, load_facts=kinds))
    assert measured.latency.mean_by_little_ms == pytest.approx(4000 / 3)


def test_percentiles_come_from_the_window(tmp_path: Path) -> None:
    """60 of 100 ms and 40 of 200 ms: p50 and p90 are known, p99 has too few beyond it."""
    requests = [Request(T0 + at * MS, T0 + (at + 100) * MS) for at in range(60)]
    requests += [Request(T0 + at * MS, T0 + (at + 200) * MS) for at in range(40)]
    # Long before the window, and of no concern to it.
    requests += [Request(T0 - 9 * S, T0 - 5 * S) for _ in range(100)]
    latency = digest(write_trial(tmp_path, requests=requests)).latency
    assert latency.p50.value_ms == pytest.approx(100.0)
    assert latency.p90.value_ms == pytest.approx(200.0)
    assert latency.p99.value_ms is None


def test_who_was_cut_off_has_no_latency_of_the_cut(tmp_path: Path) -> None:
    """60 answered after 100 ms, 20 cut off 5 ms after they began but waiting at t1: no p90."""
    requests = [Request(T0, T0 + 100 * MS) for _ in range(60)]
    requests += [Request(T0 + 500 * MS, T0 + 505 * MS, layout.UNFINISHED) for _ in range(20)]
    measured = digest(write_trial(tmp_path, requests=requests))
    assert measured.latency.mean_measured_ms == pytest.approx(100.0)
    assert measured.latency.p50.value_ms == pytest.approx(100.0)
    assert measured.latency.p90.value_ms is None
    assert measured.requests.window_unfinished == 20
    assert measured.requests.oldest_unfinished_ms == pytest.approx(500.0)


def test_without_a_probe_its_figures_are_unknown(tmp_path: Path) -> None:
    """Not zero."""
    measured = digest(write_trial(tmp_path))
    signals, counters = measured.signals, measured.counters
    assert (measured.threads.spawned, measured.threads.active_avg) == (None, None)
    assert (signals.pool_size, signals.pool_busy_avg, signals.pool_waiting_avg) == (None,) * 3
    assert (signals.loop_delay_p50_ms, signals.loop_delay_max_ms) == (None, None)
    assert signals.in_flight_avg is None
    assert (counters.app_started, counters.app_finished, counters.log_lost) == (None,) * 3
    assert (counters.handlers_begun, counters.handlers_ended) == (None, None)
    assert signals.worker_shares == {}


def test_without_the_delay_servers_counts_they_are_unknown(tmp_path: Path) -> None:
    """It may have been too busy, or gone."""
    signals = digest(write_trial(tmp_path)).signals
    assert signals.upstream_in_flight_avg is None
    assert signals.upstream_in_flight_peak is None
    assert (signals.overshoot_p50_ms, signals.overshoot_p99_ms) == (None, None)


def test_a_delay_server_that_served_none_in_the_window_has_no_overshoot(tmp_path: Path) -> None:
    """None was served, none was late, whatever came before."""
    counted = upstream(T0, late_ns={169 * MS: 5})
    facts = dict.fromkeys(("upstream_t0", "upstream_t1", "upstream_after"), counted)
    signals = digest(write_trial(tmp_path, facts=facts)).signals
    assert (signals.overshoot_p50_ms, signals.overshoot_p99_ms) == (None, None)
    assert signals.upstream_in_flight_peak == 0


def test_a_delay_server_that_lost_counts_contradicts_itself(tmp_path: Path) -> None:
    """Nobody sets them to zero in the window."""
    facts = {"upstream_t0": upstream(T0, late_ns={MS: 1}), "upstream_t1": upstream(T1)}
    with pytest.raises(Unreadable, match="counts of the delay server fell"):
        digest(write_trial(tmp_path, facts=facts))


@pytest.mark.parametrize("missing", ["upstream_t0", "upstream_t1"])
def test_differences_need_both_ends_of_the_window(tmp_path: Path, missing: str) -> None:
    """One histogram alone has none."""
    both = {"upstream_t0": upstream(T0), "upstream_t1": upstream(T1, late_ns={MS: 1})}
    whole = digest(write_trial(tmp_path / "whole", facts=both)).signals
    assert (whole.overshoot_p50_ms, whole.overshoot_p99_ms) == (1.0, 1.0)
    half = digest(write_trial(tmp_path / "half", facts=both | {missing: None}))
    assert (half.signals.overshoot_p50_ms, half.signals.overshoot_p99_ms) == (None, None)


def test_calls_in_the_delay_server_count_as_completions_do(tmp_path: Path) -> None:
    """Two for half of the window, then six; a look that missed the page does no harm."""
    known = {0: 0, 250: 500, 500: 1000, 750: None, 1000: 4000}
    seen = [
        look(T0 + at * MS, upstream_ns=None if grown is None else 10**15 + grown * MS)
        for at, grown in known.items()
    ]
    signals = digest(write_trial(tmp_path, looks=seen)).signals
    assert signals.upstream_in_flight_avg == pytest.approx(4.0)


def test_cpu_per_request_needs_a_request(tmp_path: Path) -> None:
    """Cores are known, their share of no request is not."""
    used = [look(ns, cpu_s={"server": {1: spent}}) for ns, spent in ((T0, 0.0), (T1, 0.5))]
    signals = digest(write_trial(tmp_path, looks=used)).signals
    assert signals.server_cores == pytest.approx(0.5)
    assert signals.server_ms_per_request is None


def test_the_fastest_call_is_a_whole_one_in_the_window(tmp_path: Path) -> None:
    """Of all workers; what began before, or ended after, or never, doesn't count."""
    calls = [
        Call(T0 - 20 * MS, T0 + MS),
        Call(T0 + 100 * MS, T0 + 130 * MS),
        Call(T1 - 2 * MS, T1 + MS),
        Call(T1 - MS, 0),
    ]
    handlers = {1: calls, 2: [Call(T0 + 200 * MS, T0 + 225 * MS)], 3: []}
    facts = {"workers": [1, 2, 3]}
    made = write_trial(tmp_path, handlers=handlers, facts=facts)
    assert digest(made).signals.handler_min_ms == pytest.approx(25.0)


def test_a_failed_call_may_have_been_the_fastest(tmp_path: Path) -> None:
    """The log doesn't say which call failed, so the fastest that succeeded is unknown."""
    requests = [Request(T0, T0 + 500 * MS), Request(T0, T0 + 5 * MS, SERVER_ERROR)]
    handlers = {1: [Call(T0 + MS, T0 + 400 * MS), Call(T0 + MS, T0 + 2 * MS)]}
    load_facts = {"failure_kinds": FAILURE_KINDS}
    made = write_trial(tmp_path, requests=requests, handlers=handlers, load_facts=load_facts)
    assert digest(made).signals.handler_min_ms is None


def test_cpu_of_a_process_that_went_is_unknown(tmp_path: Path) -> None:
    """Its share is gone from the sum: no difference can be trusted, nor what is left over."""
    spent: list[dict[int, float]] = [{1: 1.0, 2: 5.0}, {1: 1.2}]
    used = [look(ns, cpu_s={"server": cpu}) for ns, cpu in zip((T0, T1), spent, strict=True)]
    signals = digest(write_trial(tmp_path, looks=used)).signals
    assert signals.server_cores is None
    assert signals.foreign_cores is None
    assert signals.generator_cores == 0.0


def test_foreign_cpu_is_never_negative(tmp_path: Path) -> None:
    """The machine's counter and the processes' tick at different instants."""
    used = [
        look(ns, cpu_s={"server": {1: spent}}, busy_s=spent * 0.9)
        for ns, spent in ((T0, 0.0), (T1, 1.0))
    ]
    assert digest(write_trial(tmp_path, looks=used)).signals.foreign_cores == 0.0


def test_others_on_the_servers_own_cpus_are_told_apart(tmp_path: Path) -> None:
    """Of 0.9 cores busy there the server used 0.6; the generator is kept elsewhere."""
    spent = {"server": 0.6, "generator": 0.8, "delay": 0.1, "harness": 0.05}
    used = [
        look(
            ns, cpu_s={name: {1: part * s} for name, s in spent.items()}, busy_s=2.0 * part,
            servers_own=0.9 * part,
        )
        for ns, part in ((T0, 0.0), (T1, 1.0))
    ]  # fmt: skip
    facts = {"cpus": {"server": [0], "generator": [1], "delay": [1]}}
    signals = digest(write_trial(tmp_path, looks=used, facts=facts)).signals
    assert signals.server_foreign_cores == pytest.approx(0.3)
    assert signals.foreign_cores == pytest.approx(0.45)
    assert signals.server_steal_cores == 0.0


def test_a_loop_that_beats_again_was_blocked_for_as_long_as_was_seen(tmp_path: Path) -> None:
    """At the window's last look it was on time: the worst is no part of a longer block."""
    beats = [(0, T0 - 20 * MS), (300, T0 - 20 * MS), (900, T0 + 890 * MS)]
    looks = [look(T0 + at * MS, gauges={1: page(heartbeat_ns=beat)}) for at, beat in beats]
    signals = digest(write_trial(tmp_path, looks=looks)).signals
    assert (signals.loop_delay_max_ms, signals.loop_delay_open) == (270.0, False)
    blocked = digest(write_trial(tmp_path / "blocked", looks=looks[:2])).signals
    assert (blocked.loop_delay_max_ms, blocked.loop_delay_open) == (270.0, True)


def test_a_sampler_that_died_early_leaves_averages_unknown(tmp_path: Path) -> None:
    """A part is not passed off as the whole."""
    early = [look(ns, gauges={1: page()}) for ns in (T0, T0 + 500 * MS)]
    signals = digest(write_trial(tmp_path, looks=early)).signals
    assert (signals.pool_busy_avg, signals.in_flight_avg) == (None, None)
    assert (signals.server_cores, signals.steal_cores) == (None, None)


def test_a_loop_blocked_all_the_time_shows_its_whole_age(tmp_path: Path) -> None:
    """The heart last beat two seconds before the window began."""
    blocked = [look(T0 + at * 100 * MS, gauges={1: page(heartbeat_ns=T0 - 2 * S)}) for at in (0, 5)]
    signals = digest(write_trial(tmp_path, looks=blocked)).signals
    assert signals.loop_delay_p50_ms == pytest.approx(1950.0)
    assert signals.loop_delay_max_ms == pytest.approx(2450.0)
    assert signals.loop_delay_open


@pytest.mark.parametrize("age_ms", [-3, 0, 49, 50])
def test_a_heart_that_is_not_due_yet_is_not_late(tmp_path: Path, age_ms: int) -> None:
    """It may even beat between the look's clock and its reading of the page."""
    looks = [look(ns, gauges={1: page(heartbeat_ns=ns - age_ms * MS)}) for ns in (T0, T1)]
    signals = digest(write_trial(tmp_path, looks=looks)).signals
    assert (signals.loop_delay_p50_ms, signals.loop_delay_max_ms) == (0.0, 0.0)


def test_without_a_look_all_that_was_sampled_is_unknown(tmp_path: Path) -> None:
    """The requests' own figures stand."""
    requests = [Request(T0, T0 + 500 * MS)]
    measured = digest(write_trial(tmp_path, requests=requests, looks=[]))
    signals = measured.signals
    assert (signals.pool_busy_avg, signals.pool_size, signals.loop_delay_max_ms) == (None,) * 3
    assert (signals.server_cores, signals.server_ms_per_request, signals.rss_mb) == (None,) * 3
    assert (signals.foreign_cores, signals.steal_cores) == (None, None)
    assert measured.throughput_rps == pytest.approx(2.0)


@pytest.mark.parametrize(("t0", "t1"), [(0, 0), (T0, T0), (T1, T0), (0, T1)])
def test_without_a_window_there_are_no_figures(tmp_path: Path, t0: int, t1: int) -> None:
    """Users never all spawned, so there is nothing to judge requests by."""
    folder = write_trial(tmp_path, facts={"t0_ns": t0, "t1_ns": t1})
    with pytest.raises(Unreadable, match="never said that all users had spawned"):
        digest(folder)


# -- whatever the records are


def _request(start_ms: int, took_ms: int, outcome: int) -> Request:
    start_ns = T0 + start_ms * MS
    return Request(start_ns, start_ns + took_ms * MS, outcome)


REQUEST = st.builds(_request, st.integers(-1500, 1200), st.integers(0, 2500), st.integers(0, 4))


@settings(max_examples=60, deadline=None)
@given(requests=st.lists(REQUEST, max_size=60))
def test_every_request_is_in_exactly_one_count(
    tmp_path_factory: pytest.TempPathFactory, requests: list[Request]
) -> None:
    """All started = succeeded + failed + unfinished; in the window too, counted one by one."""
    names = {str(number): f"HTTP {500 + number}" for number in (2, 3, 4)}
    folder = write_trial(
        tmp_path_factory.mktemp("random"), requests=requests, load_facts={"failure_kinds": names}
    )
    found = digest(folder).requests
    assert found.started == len(requests)
    assert found.started == found.succeeded + found.failed + found.unfinished
    assert found.failed == sum(found.failure_kinds.values())
    good = [one for one in requests if one.outcome == layout.SUCCEEDED]
    bad = [one for one in requests if one.outcome >= layout.FIRST_FAILURE]
    assert (found.succeeded, found.failed) == (len(good), len(bad))
    assert found.window_succeeded == sum(T0 <= one.end_ns < T1 for one in good)
    assert found.window_failed == sum(T0 <= one.end_ns < T1 for one in bad)
    cut_off = [one for one in requests if one.outcome == layout.UNFINISHED]
    late = [one for one in good + bad if one.end_ns >= T1]
    ages = [T1 - one.start_ns for one in cut_off + late if one.start_ns < T1]
    assert found.window_unfinished == len(ages)
    assert found.oldest_unfinished_ms == (max(ages) / MS if ages else None)
