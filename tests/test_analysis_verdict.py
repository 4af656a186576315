"""A row's verdict: how well its throughput is known, from all trials of its run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.rows import Row, rows
from bench.analysis.verdict import Verdict, Word
from bench.records.model import Outcome
from bench.report.reasons import remarks
from bench.stats import Steadiness
from tests.support.records import measured, run, trial
from tests.support.verdicts import said

if TYPE_CHECKING:
    from bench.records.model import TrialRecord

CELL = "sync_http-uvicorn-w1"
OTHER = "sync_http-gunicorn-w1"


def trials(*rates: float, cell: str = CELL, **figures: Any) -> list[TrialRecord]:
    """Of one cell, one a round."""
    return [
        trial(cell=cell, round=number, measured=measured(throughput_rps=rate, **figures))
        for number, rate in enumerate(rates, 1)
    ]


def row(*records: TrialRecord, precision: float = 0.1) -> Row:
    """Of the cell, beside whatever else the run has."""
    cells = tuple(dict.fromkeys(one.cell for one in records))
    profile = replace(run().profile, precision=precision)
    return next(r for r in rows(run(cells=cells, profile=profile), records) if r.cell == CELL)


QUIET = trials(99.0, 101.0, 100.0, 100.0, 98.0, 101.0, cell=OTHER)  # the experiment's spread: 1 %


def test_a_throughput_known_to_the_precision_is_valid() -> None:
    """Two trials tell that where others of the experiment have told how far trials differ."""
    found = row(*trials(50.0, 51.0), *QUIET)
    assert said(found.verdict) == ("valid",)
    assert found.throughput_rps is not None
    assert found.throughput_rps.low is not None
    assert 48.0 < found.throughput_rps.low < 50.5 < (found.throughput_rps.high or 0) < 53.0


def test_one_known_less_well_is_rough() -> None:
    """And says how well."""
    found = row(*trials(50.0, 51.0), *QUIET, precision=0.01)
    assert found.verdict.word is Word.ROUGH
    (told,) = said(found.verdict)[1:]
    assert told == "known to ± 2% (asked for: 1%)"


def test_one_trial_of_a_run_without_repeats_says_nothing_of_the_next() -> None:
    """No interval, so rough."""
    found = row(*trials(50.0))
    assert said(found.verdict) == (
        "rough",
        "one trial alone counts: how far another would differ isn't known",
    )
    assert found.throughput_rps is not None
    assert found.throughput_rps.value == pytest.approx(50.0)
    assert found.throughput_rps.low is None


def test_one_trial_is_rough_whatever_others_differ_by() -> None:
    """It may be of either of two regimes."""
    found = row(*trials(50.0), *QUIET)
    assert said(found.verdict) == (
        "rough",
        "one trial alone counts: how far another would differ isn't known",
    )
    assert found.throughput_rps is not None
    assert found.throughput_rps.low is not None


def test_a_trial_that_completed_nothing_is_not_left_out_of_a_mean() -> None:
    """Then there is none; of all such the rate is 0."""
    found = row(*trials(0.0, 100.0, 101.0), *QUIET)
    assert found.verdict.word is Word.ROUGH
    assert "nothing was completed in some window" in said(found.verdict)[1]
    assert found.throughput_rps is None
    found = row(*trials(0.0, 0.0), *QUIET)
    assert found.throughput_rps is not None
    assert (found.throughput_rps.value, found.throughput_rps.low) == (0.0, None)


@pytest.mark.parametrize(("held", "word"), [(0.95, "valid"), (0.5, "rough")])
def test_a_window_of_a_round_and_a_half_is_a_phase_of_the_start(held: float, word: str) -> None:
    """Unless the server never rests: then the gaps between completions tell."""
    worker = replace(measured().per_worker[0], loop_held_share=held, queued_avg=0.0)
    worker = replace(worker, pool_busy_avg=0.0)
    figures: dict[str, Any] = {
        "duration_s": 6.0,
        "users": 100,
        "per_worker": (worker,),
        "window_succeeded": 150,
    }
    found = row(*trials(25.0, 25.1, 25.0, **figures), *QUIET)
    assert found.verdict.word.value == word
    if word == "rough":
        (told,) = said(found.verdict)[1:]
        assert told.startswith("its users went round only 1.50 to 1.51 times in the window")


def test_two_regimes_have_no_mean() -> None:
    """Both are told, with how often; the other figures are of the one seen more often."""
    found = row(*trials(35.0, 99.5, 34.5, 35.2, 99.0, server_ms_per_request=24.0), *QUIET)
    assert said(found.verdict) == (
        "unstable",
        (
            "two regimes: 34.9 requests/s (3 of its trials) and 99.2 (2); by chance of the start,"
            " so no mean is made of them"
        ),
    )
    assert found.throughput_rps is None
    assert found.trials == 5
    assert found.requests == 3 * measured().requests.window_succeeded


def test_a_lone_trial_far_off_is_no_regime_yet() -> None:
    """Noise can't explain it, so no mean is made; but a disturbed trial could."""
    found = row(*trials(1540.0, 2040.0, 2030.0), *QUIET)
    assert said(found.verdict) == (
        "unstable",
        (
            "its trials fall apart: 1,540 requests/s (1) and 2,030 (2); two regimes, or one trial"
            " that something disturbed: 2 more would tell"
        ),
    )
    assert found.throughput_rps is None


def test_a_lone_trial_that_noise_may_explain_makes_a_row_rough() -> None:
    """Its mean is made, and the row says what is odd."""
    noisy = trials(100.0, 112.0, 93.0, 100.0, 111.0, 105.0, cell=OTHER)
    found = row(*trials(100.0, 138.0, 102.0), *noisy, precision=0.5)
    assert said(found.verdict) == (
        "rough",
        (
            "one of its 3 trials lies over 1.3× from the others: 2 more would tell whether it has"
            " two regimes"
        ),
    )
    assert found.throughput_rps is not None


def test_a_disturbed_trial_is_set_aside() -> None:
    """For it says more of what else ran; the row tells that there was one."""
    disturbed = replace(
        trials(20.0)[0], round=3, measured=measured(throughput_rps=20.0, foreign_cores=1.0)
    )
    found = row(*trials(50.0, 51.0), disturbed, *QUIET)
    assert said(found.verdict) == ("valid",)
    assert found.trials == 2
    assert remarks(found.verdict) == [
        "1 trial was set aside: other programs took 50% of the 2 cores"
    ]


def test_where_all_were_disturbed_they_count_and_the_row_says_so() -> None:
    """Better a rough number with its reason than none."""
    found = row(*trials(50.0, 51.0, foreign_cores=1.0), *QUIET)
    assert said(found.verdict) == ("rough", "other programs took 50% of the 2 cores")


def test_an_invalid_trial_is_replaced_by_a_good_one() -> None:
    """One late delay server costs a trial and not the row."""
    late = replace(
        trials(90.0)[0], round=3, measured=measured(throughput_rps=90.0, overshoot_p99_ms=500.0)
    )
    found = row(*trials(50.0, 51.0), late, *QUIET)
    assert said(found.verdict) == ("valid",)
    assert remarks(found.verdict) == [
        "1 trial was set aside: the delay server was late: p99 overshoot 500 ms"
    ]


def test_a_cell_whose_every_trial_is_invalid_has_no_numbers() -> None:
    """Each reason once."""
    found = row(*trials(50.0, 51.0, redirects=3), *QUIET)
    assert said(found.verdict) == ("invalid", "redirects among the answers: 3")
    assert found.throughput_rps is None


@pytest.mark.parametrize("word", ["failed", "skipped"])
def test_a_cell_that_was_never_measured_says_why(word: str) -> None:
    """With its recorded reason."""
    found = row(trial(outcome=Outcome(word), reason="why", measured=None), *QUIET)
    assert said(found.verdict) == (word, "why")


def test_a_doubt_that_repeats_dont_mend_makes_rough() -> None:
    """However narrow the interval."""
    found = row(*trials(50.0, 51.0, steal_cores=None), *QUIET)
    assert said(found.verdict) == (
        "rough",
        "not known, so not judged by: what the hypervisor took",
    )


SWINGS = Steadiness(
    tapered_rps=60.0, plain_rps=44.0, first_half_rps=40.0, second_half_rps=48.0, error=0.01,
    swings=True,
)  # fmt: skip


def test_a_rate_that_swings_in_each_window_is_rough() -> None:
    """With what the taper and the plain count say."""
    found = row(*trials(60.0, 60.0, steadiness=SWINGS), *QUIET)
    assert said(found.verdict) == (
        "rough",
        ("its rate swings more slowly than its window is long: 60 requests/s weighted, 44 counted"),
    )


def test_a_longer_window_takes_the_place_of_shorter_ones_that_swung() -> None:
    """It saw more of the swing; the row says that they were set aside."""
    longer = [replace(one, round=one.round + 2) for one in trials(50.0, 51.0, stretch=2)]
    found = row(*trials(60.0, 60.0, steadiness=SWINGS), *longer, *QUIET)
    assert said(found.verdict) == ("valid",)
    assert found.throughput_rps is not None
    assert found.throughput_rps.value == pytest.approx(50.5, rel=0.01)
    (remark,) = remarks(found.verdict)
    assert remark == (
        "2 trials were set aside: its rate swung more slowly than its window, so a longer one was"
        " made"
    )


def test_one_that_swings_by_chance_among_steady_ones_counts() -> None:
    """As long as no longer window has been made for it."""
    found = row(
        *trials(50.0, 51.0), *(replace(one, round=3) for one in trials(52.0, steadiness=SWINGS)),
        *QUIET,
    )  # fmt: skip
    assert (found.trials, found.verdict.word) == (3, Word.VALID)


def test_nothing_completed_is_a_rate_of_zero() -> None:
    """And no interval: there is no logarithm of it."""
    found = row(*trials(0.0, window_succeeded=0), *QUIET)
    assert found.verdict.word is Word.ROUGH
    assert found.throughput_rps is not None
    assert (found.throughput_rps.value, found.throughput_rps.low) == (0.0, None)


@pytest.mark.parametrize(
    ("word", "usable"),
    [
        *(("valid", True), ("rough", True), ("unstable", True)),
        *(("invalid", False), ("failed", False), ("skipped", False)),
    ],
)
def test_which_rows_have_numbers(word: str, usable: bool) -> None:  # noqa: FBT001
    """A wrong number is worse than none."""
    assert Verdict(Word(word)).usable is usable
