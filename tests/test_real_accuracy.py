"""The short form of `nox -s bench -- accuracy judgement`: figures against known truths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from bench.analysis.metrics import METRICS
from bench.config import fixed
from bench.selfcheck import accuracy, judgement
from bench.selfcheck.accuracy import BEAT_USERS, Check, median_checks
from bench.selfcheck.target import GOLDEN, Distribution
from bench.selfcheck.targets import BEAT_S, DECLARED, ends, folder_of, targets
from bench.selfcheck.trials import cell
from bench.stats import hann_rate

if TYPE_CHECKING:
    from collections.abc import Iterator

from bench.selfcheck.trials import Trials

BUSY = 10.0  # % of the CPU in use while nothing of ours runs


@pytest.fixture
def known(bench: Trials) -> Iterator[Trials]:
    """Trials of targets whose latencies are known."""
    with targets(bench) as found:
        yield found


@pytest.mark.real
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["constant", "bimodal2", "uniform"])
def test_percentiles_are_those_that_the_target_served(known: Trials, kind: str) -> None:
    """p50 and p90 within 1 % or 2 ms of its own clock, in the best of five short trials.

    The best: other programs may delay an answer on its way, but no error of ours comes and goes.
    """
    trials = [accuracy.latencies(known, kind, 1.5).checks for _ in range(5)]
    for same in list(zip(*trials, strict=True))[:2]:
        best = min(same, key=lambda check: check.error_ms)
        if best.error_ms > best.allowed_ms and (busy := psutil.cpu_percent(interval=1.0)) > BUSY:
            pytest.skip(f"others keep the CPU {busy:.0f} % busy, and delay answers on their way")
        assert best.error_ms <= best.allowed_ms, best.text()


@pytest.mark.real
@pytest.mark.timeout(60)
def test_throughput_is_what_the_target_counted(known: Trials) -> None:
    """Within 1 %, or one request more or less at either end of so short a window."""
    found = accuracy.throughput(known, "uniform", 4.0)
    assert found.ours_rps == pytest.approx(found.served_rps, rel=0.01, abs=2 / 4.0)


@pytest.mark.real
@pytest.mark.timeout(60)
def test_throughput_does_not_depend_on_the_phase(known: Trials) -> None:
    """Answers that come 50 at a time each 1.03 s: a window of 6 s, wherever it begins."""
    which = cell("async", "beat")
    profile = fixed(BEAT_USERS, 1.5, 7.1)
    _, measured = known.under(profile, delay_s=1.0).measured(which)
    end_ns, t0 = ends(folder_of(known, which)), measured.load.t0_ns
    for phase in range(10):
        start = t0 + phase * 100_000_000
        rate = hann_rate(end_ns, start, start + 6_000_000_000)
        assert rate == pytest.approx(BEAT_USERS / BEAT_S, rel=0.01)


@pytest.mark.real
@pytest.mark.timeout(120)
def test_entries_are_measured_in_every_round(known: Trials) -> None:
    """Each entry of each cell has all figures of all rounds: what is compared is complete."""
    found = judgement.measure(known.under(fixed(8, 0.2, 1.0), 0.1), entries=1, rounds=2)
    assert {kind: len(entries) for kind, entries in found.items()} == {"work": 1, "more_work": 1}
    for entries in found.values():
        for metric in (metric.name for metric in METRICS):
            assert sorted(entries[0][metric]) == [1, 2]
            assert min(entries[0][metric].values()) > 0


def test_draws_have_the_declared_shares() -> None:
    """Of 1,000 draws, to within three."""
    for declared in DECLARED.values():
        drawn = sorted(declared.quantile(number * GOLDEN % 1) for number in range(1, 1001))
        for share in (0.25, 0.5, 0.9):
            near = [declared.quantile(share + off / 1000) for off in (-3, 0, 3)]
            assert min(near) <= drawn[int(share * 1000)] <= max(near)


def test_a_mixture_has_the_quantiles_of_its_parts() -> None:
    """The edge belongs to the quicker part."""
    mixture = Distribution(((0.9, 10.0, 20.0), (0.1, 500.0, 600.0)))
    assert mixture.quantile(0.45) == pytest.approx(15.0)
    assert mixture.quantile(0.9) == pytest.approx(20.0)
    assert mixture.quantile(0.95) == pytest.approx(550.0)
    assert mixture.quantile(1.0) == pytest.approx(600.0)


def test_an_error_is_the_distance_from_what_was_served() -> None:
    """Not from what was declared; what was withheld is far off; the median trial counts."""
    near = Check("p99", 20.0, 30.0, 31.0, 29.0)
    far, withheld = Check("p99", 20.0, 30.0, 40.0, None), Check("p99", 20.0, 30.0, None, None)
    assert (near.error_ms, near.allowed_ms, withheld.error_ms) == (1.0, 2.0, float("inf"))
    assert median_checks([[withheld], [near], [far]]) == [far]
    assert "Locust 29 (-1.0)" in near.text()


def test_a_machine_with_no_valid_trial_keeps_no_bound() -> None:
    """What can't be shown is not shown; else the median trial counts."""
    assert not accuracy.latency_outcome("constant", []).met
    assert not accuracy.throughput_outcome("constant", []).met
    rates = [accuracy.Throughput((), rps, 100.0) for rps in (100.5, 99.5, 80.0)]
    assert accuracy.throughput_outcome("constant", rates).met
    near = Check("p99", 20.0, 30.0, 31.0, 29.0)
    told = accuracy.latency_outcome("constant", [accuracy.Latencies((), (near,), 0.3)])
    assert told.met
    assert "timer late by 0.3" in told.detail


def test_identical_cells_are_compared_as_one_family() -> None:
    """Ten entries are 45 pairs; figures that differ in truth are called different."""
    same = [
        {"cpu_ms_per_request": {n: 2.0 + 0.01 * ((n * 7 + entry) % 5) for n in range(1, 7)}}
        for entry in range(10)
    ]
    outcome = judgement.same(same)
    assert outcome.met
    assert "of 45 pairs" in outcome.what
    more = [
        {"cpu_ms_per_request": {n: value * 1.1 for n, value in one["cpu_ms_per_request"].items()}}
        for one in same
    ]
    found = judgement.different(same, more)
    assert found.met
    assert "of 10 comparisons, rounds each: 6" in found.what
    assert not judgement.different(same, same).met
