"""A cell's row, from all its trials."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.background import background
from bench.analysis.rows import Row, rows
from bench.analysis.verdict import Word
from bench.records.model import Outcome, Places, WorkerSignals
from bench.report.reasons import remarks
from bench.report.whys import sentence
from bench.stats import Percentile
from tests.support.records import measured, run, trial
from tests.support.verdicts import said

if TYPE_CHECKING:
    from bench.records.model import TrialRecord

# Figures that make a trial so, in a word.
DISTURBED = {"steal_cores": 1.0}
INVALID = {"redirects": 3}


def row(*trials: TrialRecord) -> Row:
    """The one row of trials of one cell, one a round."""
    (found,) = rows(run(), [replace(each, round=n) for n, each in enumerate(trials, 1)])
    return found


def one(**figures: Any) -> TrialRecord:
    """A trial with these figures."""
    return trial(measured=measured(**figures))


def value(ms: float) -> Percentile:
    """A percentile that is known."""
    return Percentile(ms, None, None)


def over(ms: float | None, reason: str = "too few") -> Percentile:
    """A percentile that is withheld."""
    return Percentile(None, ms, reason)


def test_rows_stand_in_declared_order_and_only_where_something_was_tried() -> None:
    """Trials come in shuffled order."""
    found = rows(run(cells=("a", "b", "c")), [trial(cell="c"), trial(cell="a"), trial(cell="c")])
    assert [(each.cell, each.trials) for each in found] == [("a", 1), ("c", 2)]
    assert rows(run(), []) == ()


def test_a_row_says_what_was_measured() -> None:
    """As the trial's record does."""
    found = row(trial(cell="sync_http-uvicorn-w1", workers=2, python="3.13"))
    names = ("cell", "experiment", "endpoint", "io", "server", "workers", "python")
    assert [getattr(found, name) for name in names] == [
        *("sync_http-uvicorn-w1", "sync_http", "sync", "http", "uvicorn", 2, "3.13")
    ]


def test_one_trial_shows_no_interval() -> None:
    """And its figures are the row's."""
    found = row(one(throughput_rps=38.9))
    assert found.throughput_rps is not None
    assert found.throughput_rps.value == pytest.approx(38.9)
    assert (found.throughput_rps.low, found.throughput_rps.n) == (None, 1)
    assert (found.verdict.word, found.trials, found.requests) == (Word.ROUGH, 1, 234)
    assert found.p50.value_ms == pytest.approx(2570.0)
    assert found.limit_rps == 40.0
    assert found.share_of_limit == pytest.approx(0.9725)
    assert found.why is not None
    told = sentence(found.why)
    assert told == "pool-bound: 40 of 40 threads busy, 58 requests waiting for one"


def test_several_trials_show_their_geometric_mean_and_its_interval() -> None:
    """The share of the limit is that of the mean."""
    found = row(*(one(throughput_rps=rps) for rps in (36.0, 39.0, 38.0)))
    assert found.throughput_rps is not None
    assert found.throughput_rps.value == pytest.approx((36.0 * 39.0 * 38.0) ** (1 / 3))
    assert found.throughput_rps.low is not None
    assert found.throughput_rps.low < 36.0
    assert found.share_of_limit == pytest.approx(found.throughput_rps.value / 40)


def test_counts_are_sums_and_everything_else_medians() -> None:
    """Also of figures that some trials do not know."""
    found = row(
        one(window_succeeded=100, window_failed=1, window_unfinished=7, rss_mb=50.0, spawned=41,
            failure_kinds={"HTTP 500": 1, "timeout": 2}),
        one(window_succeeded=200, window_failed=2, window_unfinished=8, rss_mb=70.0, spawned=41,
            failure_kinds={"timeout": 3}),
        one(window_succeeded=300, window_failed=3, window_unfinished=9, rss_mb=None, spawned=44),
    )  # fmt: skip
    assert (found.requests, found.failures, found.unfinished) == (606, 6, 8.0)
    assert (found.rss_mb, found.threads_spawned) == (60.0, 41.0)
    assert found.failure_kinds == (("timeout", 5), ("HTTP 500", 1))


def test_a_figure_that_no_trial_knows_is_unknown() -> None:
    """And not zero."""
    unknown = {"active_avg": None, "pool_size": None, "mean_by_little_ms": None}
    found = row(one(**unknown), one(**unknown))
    names = ("threads_active_avg", "pool_size", "mean_by_little_ms")
    assert [getattr(found, name) for name in names] == [None, None, None]


def test_a_cell_that_asks_nobody_has_no_upstream_figure() -> None:
    """The delay server's gauge says 0 then, of nothing."""
    assert row(one(upstream_in_flight_avg=38.9)).upstream_in_flight_avg == 38.9
    none = {"upstream_calls": 0, "upstream_started": 0, "upstream_in_flight_avg": 0.0}
    assert row(one(**none)).upstream_in_flight_avg is None


@pytest.mark.parametrize(
    ("found", "told"),
    [
        # Withheld somewhere: only what each is surely above is known.
        (
            [Percentile(100.0, None, None, 80.0, 120.0), over(320), over(200)],
            over((80 * 320 * 200) ** (1 / 3)),
        ),
        ([over(200), value(500)], over(None)),
        ([over(None), value(500)], over(None)),
        ([over(None, "none succeeded")], over(None, "none succeeded")),
        ([over(100, "first"), over(400, "second")], over(200, "first")),
    ],
)
def test_percentiles_are_bounds_where_a_trial_has_none(
    found: list[Percentile], told: Percentile
) -> None:
    """A value only where every trial has one."""
    fast = {"p50": value(1.0), "p90": value(2.0)}
    p99 = row(*(one(p99=each, **fast) for each in found)).p99
    assert (p99.value_ms, p99.reason) == (None, told.reason)
    assert p99.over_ms == (None if told.over_ms is None else pytest.approx(told.over_ms))


def test_percentiles_are_means_with_what_the_trials_differ_by() -> None:
    """Pooled over the cells of an experiment, as the throughput is."""
    p90s = {"p90": value(500), "p99": value(500)}
    found = row(*(one(p50=value(ms), **p90s) for ms in (95, 105, 100))).p50
    assert found.value_ms == pytest.approx((95 * 105 * 100) ** (1 / 3))
    assert found.low_ms is not None
    assert 80 < found.low_ms < 95
    assert found.high_ms is not None
    assert 105 < found.high_ms < 125


def test_the_same_reason_with_other_figures_is_one_sentence() -> None:
    """With their range, and in how many trials; other words make it another sentence."""
    found = row(one(steal_cores=0.24), one(foreign_cores=0.5), one(steal_cores=0.36))
    assert said(found.verdict)[1:] == (
        "the hypervisor took 12% to 18% of the 2 cores (steal) (2 of 3 trials)",
        "other programs took 25% of the 2 cores (1 of 3 trials)",
    )
    failed = [
        one(succeeded=0, failed=count, failure_kinds={name: count})
        for count, name in ((300, "HTTP 500"), (310, "HTTP 500"), (350, "HTTP 503"))
    ]
    assert said(row(*failed).verdict)[1:] == (
        "all requests failed, 300 to 310 of them by: HTTP 500 (2 of 3 trials)",
        "all requests failed, 350 of them by: HTTP 503 (1 of 3 trials)",
    )


def test_figures_of_a_trial_that_cannot_be_used_are_in_no_number() -> None:
    """The row says that it was set aside."""
    found = row(one(throughput_rps=38.0), one(throughput_rps=900.0, **INVALID))
    assert found.throughput_rps is not None
    assert found.throughput_rps.value == pytest.approx(38.0)
    assert (found.trials, found.requests) == (1, 234)
    assert remarks(found.verdict) == ["1 trial was set aside: redirects among the answers: 3"]


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        (["invalid", "failed", "skipped"], "invalid"),
        (["skipped", "failed"], "failed"),
        (["skipped", "skipped"], "skipped"),
        (["skipped", "disturbed"], "rough"),
        (["failed", "clean", "clean"], "valid"),
    ],
)
def test_mixed_trials_are_told_as_one_row(outcomes: list[str], word: str) -> None:
    """The verdict that says most; no reason is lost."""
    made = {
        "clean": one(),
        "disturbed": one(**DISTURBED),
        "invalid": one(**INVALID),
        "failed": trial(outcome=Outcome.FAILED, reason="it did not start", measured=None),
        "skipped": trial(outcome=Outcome.SKIPPED, reason="no Python 3.14", measured=None),
    }
    verdict = row(*(made[outcome] for outcome in outcomes)).verdict
    assert verdict.word.value == word
    told = {
        "disturbed": "hypervisor",
        "invalid": "redirects",
        "failed": "it did not start",
        "skipped": "no Python 3.14",
        "clean": "",
    }
    sentences = (*said(verdict), *remarks(verdict))
    assert all(any(told[each] in reason for reason in sentences) for each in outcomes)


def test_a_cell_with_only_unusable_trials_has_no_numbers() -> None:
    """Not one, whatever was recorded."""
    found = row(one(**INVALID), trial(outcome=Outcome.FAILED, reason="no start", measured=None))
    identity = {"cell", "experiment", "endpoint", "io", "server", "workers", "python", "verdict"}
    identity |= {"settings", "host"}
    empty = (None, (), Percentile(None, None, None), background([]))
    figures = {f.name: getattr(found, f.name) for f in fields(found) if f.name not in identity}
    assert figures.pop("trials") == 0
    assert figures.pop("trial_s") > 0  # they took their time
    assert {name: figure for name, figure in figures.items() if figure not in empty} == {}


def test_the_why_is_that_of_the_typical_trial() -> None:
    """Not that of the first or the best."""
    computing = (WorkerSignals(pid=1, cores=0.99),)
    found = row(
        one(throughput_rps=10.0, per_worker=computing),
        one(throughput_rps=39.0),
        one(throughput_rps=39.5, per_worker=computing),
    )
    assert found.why is not None
    assert sentence(found.why).startswith("pool-bound: ")


def test_the_users_places_are_means_so_they_still_add_up() -> None:
    """To all users: of the trials in which most places are known."""
    found = row(
        one(places=Places(generator=10.0, way=20.0, inside=70.0)),
        one(places=Places(generator=20.0, way=60.0, inside=20.0)),
    )
    assert found.places == Places(generator=15.0, way=40.0, inside=45.0)
    partly = Places(generator=20.0, way=80.0)
    found = row(one(places=Places(generator=10.0, way=0.0, inside=90.0)), one(places=partly))
    assert found.places == Places(generator=10.0, way=0.0, inside=90.0)
    assert row(one(places=None)).places is None


def test_without_a_delay_the_limit_is_that_of_the_fastest_trial() -> None:
    """Its cores over its CPU; of a single trial that would be its own throughput again."""
    still = {"delay_s": 0.0, "throughput_rps": 100.0}
    found = row(*(one(server_ms_per_request=cost, **still) for cost in (5.0, 4.0, 8.0, None)))
    assert found.limit_rps == pytest.approx(250.0)
    assert found.share_of_limit == pytest.approx(0.4)
    for alone in (one(server_ms_per_request=None, **still), one(**still)):
        unknown = row(alone)
        assert (unknown.limit_rps, unknown.share_of_limit) == (None, None)


def test_the_background_is_of_the_usable_trials() -> None:
    """Medians; shares by rank, as workers are others in each trial."""
    lost = one(**INVALID, generator_cores=9.0)
    found = row(
        one(worker_shares={"1": 0.3, "2": 0.7}, generator_cores=0.1),
        one(worker_shares={"3": 0.5, "4": 0.5}, generator_cores=0.3),
        lost,
    ).background
    assert found.worker_shares == pytest.approx((0.6, 0.4))
    assert found.generator_cores == pytest.approx(0.2)
    assert found.in_flight_peak == 40
    assert row(lost).background.worker_shares == ()
    assert row(lost).background.generator_cores is None
