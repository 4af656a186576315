"""Simulated targets do what their closed forms say; the harness's figures of them are right."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from bench.paths import paths
from bench.selfcheck.simulated import check
from bench.selfcheck.simulated import speed as speeds
from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.delays import Batches, Mixture
from bench.selfcheck.simulated.log import NS_PER_S, Log
from bench.selfcheck.simulated.loops import Loop
from bench.selfcheck.simulated.pacing import LONGEST_S, releases, window_of
from bench.selfcheck.simulated.tapers import TAPERS, tukey_rate
from bench.selfcheck.simulated.throughput import ROUNDS, TAPER, throughput
from bench.selfcheck.simulated.trial import HORIZON_NS, QUIET, Noise, trials
from bench.selfcheck.simulated.truth import truth
from bench.stats import mean_by_little_ms

S = 1_000_000_000
LOOP = Loop(0.027, 1.0, 0.003)
LOGNORMAL = Mixture(((1.0, 100.0, 1.0),))


def simulated(target: Loop | Mixture | Batches, users: int, seconds: int, seed: int = 1) -> Log:
    """A log of so many seconds on a steady machine, users spread over the first."""
    rng = np.random.default_rng(seed)
    return target.simulate(releases(users, 1.0, rng), seconds * S, speeds.steady(), rng)


@pytest.mark.parametrize("target", [LOOP, Loop(0.2, 0.0, 0.0), LOGNORMAL, Batches(0.7)])
def test_a_user_sends_the_next_request_when_the_last_has_ended(
    target: Loop | Mixture | Batches,
) -> None:
    """A closed loop: one in flight a user at all times, and the last one is unfinished."""
    log = simulated(target, 12, 20)
    for user in range(12):
        mine = np.argsort(log.start_ns[log.user == user])
        start, end = log.start_ns[log.user == user][mine], log.end_ns[log.user == user][mine]
        assert np.array_equal(start[1:], end[:-1])
        assert end[-1] == -1
        assert (end[:-1] > start[:-1]).all()


@pytest.mark.parametrize(
    ("target", "users"),
    [
        (LOOP, 100),  # saturated: 1 / 30 ms
        (LOOP, 20),  # at leisure: 20 / 1.03 s
        (Loop(0.027, 0.2, 0.003), 100),
        (Loop(0.2, 0.0, 0.0), 100),  # blocked: 5/s
        (Loop(0.027, 1.0, 0.003, (0.5, 0.5)), 100),
        (Loop(0.027, 1.0, 0.003, (0.8, 0.2)), 100),  # one saturated, one at leisure
    ],
)
def test_a_loop_gives_what_its_bound_allows(target: Loop, users: int) -> None:
    """Capacity where it is saturated, users over a round where it isn't; 0.2 % for what is cut."""
    assert truth(target, users).throughput_rps == pytest.approx(target.limit_rps(users), rel=0.002)


@pytest.mark.parametrize("target", [LOOP, Loop(0.027, 0.2, 0.003, (0.7, 0.3)), LOGNORMAL])
def test_the_mean_latency_is_littles(target: Loop | Mixture) -> None:
    """Users over throughput, in the long run, whatever the order of service."""
    log = simulated(target, 60, 300)
    seen = log.succeeded & (log.end_ns > 20 * S)
    rate = np.count_nonzero(seen) / 280
    mean_ms = float((log.end_ns - log.start_ns)[seen].mean()) / 1e6
    assert mean_ms == pytest.approx(mean_by_little_ms(60, rate), rel=0.02)


def test_a_mixture_has_its_declared_rate_and_percentiles() -> None:
    """Lognormal: median · exp(sigma z), mean · exp(sigma² / 2); three standard errors."""
    found = truth(LOGNORMAL, 20)
    assert found.throughput_rps == pytest.approx(LOGNORMAL.throughput_rps(20), rel=0.012)
    for at, level in enumerate((0.5, 0.9, 0.99)):
        closed = 100.0 * np.exp(NormalDist().inv_cdf(level))
        assert found.latency_ms[at] == pytest.approx(closed, rel=0.03)
    rare = Mixture(((0.991, 10.0, 0.0), (0.009, 500.0, 0.0)))
    assert rare.mean_s == pytest.approx(0.01441)
    assert truth(rare, 20).latency_ms == pytest.approx((10.0, 10.0, 10.0))


def test_batches_answer_all_at_their_beat() -> None:
    """Every period, each user once."""
    log = simulated(Batches(0.7), 30, 20)
    moments, counts = np.unique(log.ends_ns, return_counts=True)
    assert np.diff(moments[2:]) == pytest.approx(0.7 * S, abs=2)
    assert set(counts[2:]) == {30}
    assert Batches(0.7).throughput_rps(30) == pytest.approx(30 / 0.7)


@pytest.mark.parametrize("share", [0.01, 0.09, 0.90])
def test_who_starves_is_never_answered(share: float) -> None:
    """And the others are, as if nothing were."""
    target = Mixture(((1.0, 100.0, 0.2),), starved=share)
    log = simulated(target, 100, 30)
    answered = np.unique(log.user[log.succeeded])
    assert 100 - answered.size == round(100 * share)
    assert np.count_nonzero(log.succeeded) / 29.5 == pytest.approx(
        target.throughput_rps(100), rel=0.02
    )


def test_a_speed_says_when_work_is_done_and_stands_still_in_a_stall() -> None:
    """`when` undoes `work`; a stall of half a second delays what falls into it by that."""
    rng = np.random.default_rng(3)
    noisy = speeds.noisy(rng, 30.0, within=0.08)
    at_s = np.linspace(0.0, 40.0, 501)
    assert noisy.when(noisy.work(at_s)) == pytest.approx(at_s)
    stalled = speeds.changed(speeds.steady(), 2.0, 2.5, 0.0)
    assert stalled.when(np.array([1.9, 2.1, 9.0])) == pytest.approx([1.9, 2.6, 9.5])
    slower = speeds.changed(speeds.steady(), 2.0, np.inf, 0.8)
    assert slower.when(np.array([1.0, 2.8])) == pytest.approx([1.0, 3.0])
    assert slower.mean(1.0, 3.0) == pytest.approx(0.9)


def test_noise_has_the_spread_and_the_memory_that_are_asked_for() -> None:
    """Within a trial 8 %, its correlation 1/e after 1 s, its mean 1; between trials 8 %."""
    rates = speeds.noisy(np.random.default_rng(5), 4000.0, within=0.08).rates
    logs = np.log(rates)
    assert logs.std() == pytest.approx(0.08, rel=0.05)
    assert np.corrcoef(logs[10:], logs[:-10])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.05)
    assert rates.mean() == pytest.approx(1.0, abs=0.005)
    rng = np.random.default_rng(6)
    drawn = [np.log(speeds.noisy(rng, 1.0, between=0.08).rates[0]) for _ in range(2000)]
    assert np.std(drawn) == pytest.approx(0.08, rel=0.05)
    assert np.mean(drawn) == pytest.approx(0.0, abs=0.006)


def test_noise_leaves_the_rate_of_a_saturated_loop() -> None:
    """The mean speed within a trial is the trial's own."""
    assert truth(LOOP, 100, 0.08).throughput_rps == pytest.approx(1 / 0.03, rel=0.01)


def test_users_are_spread_over_one_round_or_five_seconds() -> None:
    """One N-th of it apart, the first within the first N-th."""
    rng = np.random.default_rng(1)
    spread = releases(50, 3.0, rng)
    assert np.diff(spread) == pytest.approx(3.0 / 50 * S, abs=1)
    assert 0 <= spread[0] < 3.0 / 50 * S
    assert releases(50, 100.0, rng)[-1] <= 5 * S


@pytest.mark.parametrize(
    ("rate", "rounds", "blocked", "length_s"),
    [
        (500.0, 3.0, False, 2.0),  # 3 R are 0.6 s
        (25.0, 3.0, False, 12.0),
        (25.0, 4.0, False, 16.0),
        (60.0, 3.0, True, 5.0),  # no reason to be short: 3 R take 5 s
        (25.0, 3.0, True, 2.0),
        (5.0, 3.0, False, LONGEST_S),  # 3 R are 60 s
        (5.0, 3.0, True, 6.0),  # the server never rests: 30 completions
    ],
)
def test_a_window_follows_its_cell(
    rate: float,
    rounds: float,
    blocked: bool,  # noqa: FBT001
    length_s: float,
) -> None:
    """Never under 2 s, nor over the longest; where rounds don't fit, it depends on the server."""
    ends = np.arange(0, 60 * S, int(S / rate))
    rng = np.random.default_rng(1)
    t0, t1 = window_of(ends, 100, 0.2, 2 * S, rng, rounds=rounds, blocked=blocked)
    assert (t1 - t0) / S == pytest.approx(length_s, rel=0.03)
    assert 0.5 <= t0 / S - 2.0 <= LONGEST_S


def test_nothing_completed_takes_the_longest_of_all() -> None:
    """Warm-up and window."""
    none = np.array([], dtype=np.int64)
    found = window_of(none, 9, 0.2, S, np.random.default_rng(1), rounds=3.0)
    assert found == pytest.approx((21 * S, 41 * S), abs=1)


@pytest.mark.parametrize("taper", TAPERS)
def test_each_taper_gives_an_even_flow_its_rate(taper: str) -> None:
    """100/s read as 100/s, whatever the weight."""
    ends = np.arange(0, 10 * S, S // 100)
    assert TAPERS[taper](ends, 2 * S, 8 * S) == pytest.approx(100.0)


def test_tukeys_taper_is_flat_in_the_middle_half() -> None:
    """There one completion counts 1 over the integral, 3/4; at the ends nothing."""
    at = [tukey_rate(np.array([x * S // 8]), 0, S) for x in (0, 1, 2, 4, 6, 7)]
    assert at == pytest.approx(np.array([0.0, 0.5, 1.0, 1.0, 1.0, 0.5]) / 0.75)


@pytest.mark.parametrize(("event", "mean"), [("step", 0.9), ("stall", None)])
def test_what_happens_in_the_window_moves_the_truth_but_not_the_window(
    event: str, mean: float | None
) -> None:
    """The window was set before; the truth is the mean of what could be done in it."""
    quiet = trials(CASES["CPU 10 ms"], 100, (1, 1), rounds=(3.0, 5.0))
    named = next(case for case in CASES.values() if case.event == event)
    for was, one in zip(quiet, trials(named, 100, (1, 1), rounds=(3.0, 5.0)), strict=True):
        assert (was.t0_ns, was.t1_ns) == (one.t0_ns, one.t1_ns)
        lost = 0.5 * NS_PER_S / (one.t1_ns - one.t0_ns)
        assert one.throughput_rps == pytest.approx(100 * (mean or 1 - lost), rel=1e-3)
        counted = TAPERS["plain"](one.log.ends_ns, one.t0_ns, one.t1_ns)
        assert counted == pytest.approx(one.throughput_rps, rel=0.01)


def test_the_same_seed_gives_the_same_trial() -> None:
    """Of every case, to the nanosecond; another seed another one."""
    for case in CASES.values():
        first, same, other = (
            trials(case, 20, (seed, 1), rounds=(3.0,), noise=Noise(0.08, 0.08))[0]
            for seed in (4, 4, 5)
        )
        assert np.array_equal(first.log.end_ns, same.log.end_ns)
        assert (first.t0_ns, first.t1_ns) == (same.t0_ns, same.t1_ns)
        assert not np.array_equal(first.log.start_ns, other.log.start_ns)
        assert first.t1_ns < HORIZON_NS


SWINGING = [name for name in CASES if name.startswith(("loop", "two workers", "batches", "CPU"))]


@pytest.mark.parametrize("name", [one for one in SWINGING if CASES[one].event is None])
def test_three_rounds_weighted_are_enough_where_the_rate_swings(name: str) -> None:
    """On a quiet machine no trial of 40 is off by 5 %, with 50 users; the mean error is under 1 %.

    Batches of any period, queues, workers that have unequal shares. None is said to swing.
    """
    found = throughput(name, 50, QUIET, 40)
    used = next(one for one in found.by if one.taper == TAPER and one.rounds == ROUNDS)
    assert used.far == 0.0
    assert abs(used.bias) < 0.01
    assert found.swings == 0.0


def test_a_plain_count_of_batches_is_far_off() -> None:
    """Which is why windows are weighted; at three rounds, Tukey's weight does not do either."""
    found = throughput("batches each 1 to 3 s", 50, QUIET, 40)
    rms = {(one.taper, one.rounds): one.rms for one in found.by}
    assert rms["Hann", ROUNDS] < 0.01
    assert rms["Tukey", 3.0] > 0.05
    assert rms["plain", ROUNDS] > 0.02


@pytest.mark.real  # a whole check, of seconds
def test_the_check_runs_at_its_smallest() -> None:
    """All cases, each with its figures."""
    found = check.run(paths(), quick=True)
    assert all(any(one.what.startswith(name) for one in found) for name in CASES)
