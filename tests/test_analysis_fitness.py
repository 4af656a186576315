"""Which trials can be used, which are set aside, and which doubts go with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.analysis.doubts import remarks
from bench.analysis.evidence import Evidence
from bench.analysis.fitness import Fitness, Judged, judge
from bench.records.model import OpenLoad, Outcome
from bench.stats import Percentile
from tests.support.records import measured, trial
from tests.support.verdicts import said_of, told

CORES = 2
OPEN = OpenLoad(
    rate=40.0, arrivals="poisson", due=400, behind=0, late_p50_ms=0.1, late_p99_ms=0.4,
    late_in_p99_ms=0.2, in_system_avg=99.0,
)  # fmt: skip
STARVED = "the warm-up was too short, or some users starve"


def verdict(cores: int = CORES, **figures: Any) -> tuple[str, ...]:
    """The verdict on a trial with these figures."""
    return said_of(judge(trial(measured=measured(**figures)), cores))


def test_a_trial_with_nothing_against_it_is_clean() -> None:
    """And has no reasons."""
    assert verdict() == ("clean",)


@pytest.mark.parametrize("word", ["failed", "skipped"])
def test_a_trial_without_figures_is_what_its_record_says(word: str) -> None:
    """With the reason that was recorded; that there is none is said too."""
    outcome = Outcome(word)
    why = judge(trial(outcome=outcome, reason="why", measured=None), CORES)
    assert said_of(why) == (word, "why")
    none = judge(trial(outcome=outcome, reason=None, measured=None), CORES)
    assert said_of(none) == (word, "no reason was recorded")


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        (
            {"generator_cores": 0.86},
            "the load generator used 0.86 of its 1 core (allowed in all: 85%)",
        ),
        (
            {"workers": (11, 12), "workers_after": (11, 13)},
            "the workers changed during the load: of 2 at its start 1 ended, and 1 came up anew",
        ),
        (
            {"workers": (11,), "workers_after": ()},
            "the workers changed during the load: of 1 at its start 1 ended, and 0 came up anew",
        ),
        (
            {"generator_cores": 0.5, "generator_waited": 0.36},
            (
                "the load generator used 0.50 of its 1 core and waited for it 36% of the time"
                " (allowed in all: 85%)"
            ),
        ),
        (
            # All together used more than a core; the busiest is what counts.
            {
                "generators": 4,
                "generator_cores": 2.1,
                "generator_busiest": 0.8,
                "generator_waited": 0.06,
            },
            (
                "the busiest of 4 load generator processes used 0.80 of its 1 core and waited for"
                " it 6% of the time (allowed in all: 85%)"
            ),
        ),
        (
            {"generators": 2, "generator_counted": 361},
            "locust's master counted 361 requests that ended, its processes recorded 360",
        ),
        (
            {"open": replace(OPEN, late_in_p99_ms=140.0)},
            (
                "the load generator sent requests late, which is 140 ms of a p99 of 2.65 s"
                " (allowed: 5% of it): it was the bound"
            ),
        ),
        (
            # All are late alike: that is no part of a tail.
            {"open": replace(OPEN, late_p50_ms=133.0)},
            (
                "the load generator sent requests late, which is 133 ms of a p99 of 2.65 s"
                " (allowed: 5% of it): it was the bound"
            ),
        ),
        (
            {"open": replace(OPEN, behind=5)},
            (
                "of 400 requests that were due in the window the load generator had not sent 5 at"
                " its end (allowed: 1%): it was the bound"
            ),
        ),
        (
            {"away": 2, "generators": 2, "generator_busiest": 0.5, "clock_bound_ms": 61.0},
            (
                "the clocks of the load machines are known to 61 ms only, in a window of 6 s"
                " (allowed: 1% of it)"
            ),
        ),
        (
            {"away": 1, "generator_busiest": 0.5, "clock_bound_ms": 1.0, "clock_fast": 0.0124},
            (
                "a load machine's clock runs 1.24% fast or slow, and so would be every latency"
                " (allowed: 0.10%)"
            ),
        ),
        (
            # Of one process elsewhere, whatever its master here used.
            {"away": 1, "generator_cores": 0.01, "generator_busiest": 0.9},
            "the load generator used 0.90 of its 1 core (allowed in all: 85%)",
        ),
        ({"redirects": 1}, "redirects among the answers: 1"),
        ({"overshoot_p99_ms": 50.5}, "the delay server was late: p99 overshoot 50.5 ms"),
        (
            {"overshoot_p99_ms": 21.0, "delay_s": 0.1},
            "the delay server was late: p99 overshoot 21 ms",
        ),
        (
            {"generator_recorded": 459},
            (
                "the generator started 460 requests and recorded 459: 360 succeeded, 0 failed,"
                " 100 unfinished"
            ),
        ),
    ],
)
def test_what_makes_a_trial_invalid(figures: dict[str, Any], reason: str) -> None:
    """Each with its figures."""
    assert verdict(**figures) == ("invalid", reason)


@pytest.mark.parametrize(
    "figures",
    [
        {"generator_cores": 0.85},
        {"open": replace(OPEN, behind=4, late_in_p99_ms=132.0, late_p99_ms=900.0)},
        {"open": replace(OPEN, late_in_p99_ms=900.0), "p99": Percentile(None, None, "too few")},
        {"generators": 4, "generator_cores": 2.1, "generator_busiest": 0.84},
        {"generators": 2, "generator_counted": 360},
        {"away": 2, "clock_bound_ms": 60.0, "clock_fast": 0.001, "generator_busiest": 0.5},
        {"overshoot_p99_ms": 50.0},
        {"overshoot_p99_ms": 20.0, "delay_s": 0.1},
        {"overshoot_p99_ms": None},
        {"steal_cores": 0.1},
        {"foreign_cores": 0.1},
        {"foreign_cores": 0.4, "cores": 8},
        {"window_succeeded": 30},
        {"generator_cores": 0.5, "generator_waited": 0.35},
        {"generator_cores": 0.5, "generator_waited": None},
        {"generator_late_p99_ms": 132.5},  # 5 % of a p99 of 2.65 s
        {"generator_late_p99_ms": 20.0, "p99": Percentile(100.0, None, None)},
        {"generator_late_p99_ms": 900.0, "p99": Percentile(None, None, "too few")},
        {"threads_alive": ()},
        {"threads_alive": (1, 41, 41)},  # a pool that fills up
        {"threads_alive": (1, 31, 41)},  # and one that does so slowly
        {"threads_alive": (41, 44, 47)},
        {"threads_alive": (36, 80, 128), "pool_size": 200},  # of 200 tokens, by and by
        {"threads_alive": (12, 30, 44), "threads_before": 4},  # helpers of its own
        {"quota_throttled_s": 0.0, "heat_throttles": 0},
        {"failure_kinds": {"HTTP 500": 18}},
    ],
)
def test_what_is_just_allowed_or_not_known(figures: dict[str, Any]) -> None:
    """The thresholds themselves are still good, and what can't be known on this system."""
    assert verdict(**figures) == ("clean",)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        (
            {"generator_late_p99_ms": 133.0},
            "the load generator's own timer was 133 ms late (p99), which its latencies contain",
        ),
        (
            {"generator_late_p99_ms": 21.0, "p99": Percentile(None, 100.0, "too few")},
            "the load generator's own timer was 21 ms late (p99), which its latencies contain",
        ),
        ({"quota_throttled_s": 0.75}, "a CPU quota stopped processes for 750 ms of the window"),
        ({"heat_throttles": 3}, "thermal throttling: the CPU slowed itself down 3 times"),
        ({"steal_cores": 0.12}, "the hypervisor took 6% of the 2 cores (steal)"),
        ({"foreign_cores": 0.5}, "other programs took 25% of the 2 cores"),
        ({"foreign_cores": 0.5, "cores": 8}, "other programs took 6% of the 8 cores"),
    ],
)
def test_what_disturbs_a_trial(figures: dict[str, Any], reason: str) -> None:
    """Each with its figures: another trial takes its place."""
    assert verdict(**figures) == ("disturbed", reason)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"window_succeeded": 19}, "only 19 completions in the window"),
        ({"window_succeeded": 0}, "only 0 completions in the window"),
        (
            {"failure_kinds": {"HTTP 500": 3, "wrong body": 4}},
            (
                "4 of 460 answers had another body than the verifying request's: the work measured"
                " may not be the work asked for"
            ),
        ),
        (
            {"threads_alive": (41, 45, 49)},
            (
                "the application's threads grew from 41 to 49 throughout the window, which its"
                " pools (up to 41) don't explain: it leaks them, so its figures depend on when one"
                " looks"
            ),
        ),
    ],
)
def test_what_stays_doubtful_however_often_it_is_repeated(
    figures: dict[str, Any], reason: str
) -> None:
    """The trial is as clean as any other of its cell."""
    assert verdict(**figures) == ("clean", reason)


def remarked(**figures: Any) -> tuple[str, ...]:
    """What is to be known beside the throughput."""
    one = measured(**figures)
    return told(remarks(Evidence(trial(measured=one), one, CORES)))


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        (
            {"mean_measured_ms": 1104.0, "mean_by_little_ms": 1000.0},
            f"what finished took 1.10 s on average, users / throughput is 1 s: {STARVED}",
        ),
        (
            {"mean_measured_ms": 899.0, "mean_by_little_ms": 1000.0},
            f"what finished took 899 ms on average, users / throughput is 1 s: {STARVED}",
        ),
        (
            {"oldest_unfinished_ms": 6001.0},
            "a request had waited for 6.00 s when the window ended, longer than it",
        ),
        (
            {"server_cores": 0.5, "server_cores_tapered": 0.53},
            (
                "its CPU work was uneven in the window: 0.53 cores weighted as throughput is, 0.50"
                " without"
            ),
        ),
    ],
)
def test_what_is_remarked_of_other_figures(figures: dict[str, Any], reason: str) -> None:
    """The throughput stands: the trial is clean."""
    assert remarked(**figures) == (reason,)
    assert verdict(**figures) == ("clean",)


@pytest.mark.parametrize(
    "figures",
    [
        {"mean_measured_ms": 1100.0, "mean_by_little_ms": 1000.0},
        {"mean_measured_ms": 900.0, "mean_by_little_ms": 1000.0},
        {"mean_measured_ms": None},
        {"mean_by_little_ms": None},
        # A round of users takes longer than the warm-up: the law can't be asked.
        {"mean_measured_ms": 1000.0, "mean_by_little_ms": 3500.0},
        {"oldest_unfinished_ms": 6000.0},
        {"server_cores": 0.5, "server_cores_tapered": 0.52},
        {"server_cores": 0.5, "server_cores_tapered": None},
    ],
)
def test_what_needs_no_remark(figures: dict[str, Any]) -> None:
    """The thresholds themselves, and what isn't known."""
    assert remarked(**figures) == ()


@pytest.mark.parametrize(
    ("figures", "missing"),
    [
        ({"server_cores": None}, "the server's CPU"),
        ({"generator_cores": None}, "the load generator's CPU"),
        ({"foreign_cores": None}, "the CPU of other programs"),
        (
            {"steal_cores": None, "pool_busy_avg": None},
            "what the hypervisor took, the thread pool",
        ),
        ({"loop_delay_p50_ms": None}, "the loop's delay"),
        ({"upstream_in_flight_avg": None}, "the delay server's lateness"),
    ],
)
def test_what_is_unknown_is_nothing_in_its_favour(figures: dict[str, Any], missing: str) -> None:
    """A row of trials that could not be watched is no valid one; the missing signal is named."""
    assert verdict(**figures) == ("clean", f"not known, so not judged by: {missing}")


def test_without_the_probe_its_signals_are_not_missed() -> None:
    """It was off because somebody asked for that."""
    off: dict[str, Any] = dict.fromkeys(("app_started", "loop_delay_p50_ms", "pool_busy_avg"))
    assert verdict(**off) == ("clean",)


def test_a_busy_neighbour_on_the_servers_own_core_is_seen() -> None:
    """0.79 of sixteen cores is little, but it is most of the server's one."""
    figures = {"foreign_cores": 0.79, "server_foreign_cores": 0.79, "cpus": (3,)}
    words = "other programs took 79% of the server's own cores (1)"
    assert verdict(16, **figures) == ("disturbed", words)
    assert verdict(16, **figures | {"server_foreign_cores": 0.05}) == ("clean",)
    stolen = {"server_steal_cores": 0.2, "server_foreign_cores": 0.0, "cpus": (3,)}
    words = "the hypervisor took 20% of the server's own cores (1; steal)"
    assert verdict(16, **stolen) == ("disturbed", words)


def test_every_reason_is_told() -> None:
    """Not only the first; doubts no longer matter where the numbers are not printed."""
    doubts: dict[str, Any] = {"window_succeeded": 3, "steal_cores": 1.0, "foreign_cores": 1.0}
    assert len(verdict(**doubts)) == 1 + 3
    found = verdict(
        **doubts, generator_cores=0.9, workers_after=(), redirects=2, overshoot_p99_ms=90.0,
        app_started=500,
    )  # fmt: skip
    assert found[0] == "invalid"
    assert [reason.split()[:3] for reason in found[1:]] == [
        ["the", "load", "generator"],
        ["the", "workers", "changed"],
        ["redirects", "among", "the"],
        ["the", "delay", "server"],
        ["the", "generator", "started"],
    ]


def test_a_trial_in_which_all_failed_has_failed() -> None:
    """With how often what; nothing else needs to be said of it, not even the generator's CPU."""
    kinds = {"HTTP 500": 350, "connection refused": 10}
    found = verdict(succeeded=0, failed=360, failure_kinds=kinds, generator_cores=0.99)
    assert found == (
        "failed",
        "all requests failed, 350 of them by: HTTP 500",
        "all requests failed, 10 of them by: connection refused",
    )


def test_a_trial_in_which_many_failed_is_a_result() -> None:
    """Failures under load are no reason to hide the row."""
    figures: dict[str, Any] = {"succeeded": 1, "failed": 359, "failure_kinds": {"HTTP 500": 359}}
    assert verdict(**figures) == ("clean",)


@pytest.mark.parametrize(
    ("word", "usable"),
    [
        ("clean", True),
        ("disturbed", True),
        ("invalid", False),
        ("failed", False),
        ("skipped", False),
    ],
)
def test_only_numbers_of_trials_that_can_be_used_are_printed(word: str, usable: bool) -> None:  # noqa: FBT001
    """A wrong number is worse than none."""
    assert Judged(Fitness(word)).usable is usable
