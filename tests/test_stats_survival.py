"""The product-limit curve: against lifelines, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter  # type: ignore[import-untyped]
from lifelines.exceptions import StatError  # type: ignore[import-untyped]

from bench.stats import Curve, product_limit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Subject = tuple[int, int, bool]  # entry, last, event


def curve_of(subjects: list[Subject]) -> Curve:
    """From (entry, last, event) triples."""
    entry, last, event = zip(*subjects, strict=True)
    return product_limit(
        np.array(entry, dtype=np.int64), np.array(last, dtype=np.int64), np.array(event)
    )


def by_lifelines(subjects: list[Subject], ages: ArrayLike) -> NDArray[np.float64]:
    """The same curve from an implementation of others'."""
    entry, last, event = (np.array(c, dtype=np.float64) for c in zip(*subjects, strict=True))
    fitter = KaplanMeierFitter()
    # Theirs are at risk strictly after their entry, ours from it on: half a nanosecond earlier.
    fitter.fit(last, event, entry=entry - 0.5)
    survival: NDArray[np.float64] = fitter.survival_function_at_times(ages).to_numpy()
    return survival


@st.composite
def populations(draw: st.DrawFn) -> list[Subject]:
    """Many young, some that enter late, few distinct ages: ties of every sort."""
    spread = draw(st.sampled_from([8, 60, 600]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 120))
    entry = np.where(rng.random(n) < draw(st.floats(0, 1)), 0, rng.integers(0, spread, n))
    last = entry + rng.integers(0, spread, n)
    event = rng.random(n) < draw(st.floats(0, 1))
    return list(zip(entry.tolist(), last.tolist(), event.tolist(), strict=True))


@settings(deadline=None, max_examples=200)
@given(populations())
def test_up_to_its_end_the_curve_is_lifelines(subjects: list[Subject]) -> None:
    """Same ages, same survival, with delayed entry, censoring and ties."""
    ours = curve_of(subjects)
    ages = {last for _, last, event in subjects if event and last < ours.end_ns}
    assert ours.age_ns.tolist() == sorted(ages)
    if not ages:
        return
    try:
        theirs = by_lifelines(subjects, ours.age_ns)
    except StatError:  # they refuse all of it where none is at risk early, we only what follows
        reject()
    assert ours.survival == pytest.approx(theirs, abs=1e-9)


@settings(deadline=None, max_examples=200)
@given(populations())
def test_the_curve_ends_at_the_first_age_with_fewer_than_five_at_risk(
    subjects: list[Subject],
) -> None:
    """Counted directly, one age after the other."""
    ours = curve_of(subjects)
    oldest = max(last for _, last, _ in subjects)
    at_risk = [
        sum(entry <= age <= last for entry, last, _ in subjects)
        for age in range(min(oldest, ours.end_ns) + 2)
    ]
    assert ours.end_ns == next(age for age, count in enumerate(at_risk) if count < 5)
    assert ours.detached_ns.tolist() == sorted(
        last for entry, last, _ in subjects if entry >= ours.end_ns
    )
    assert (np.diff(ours.survival) <= 0).all()


def test_the_standard_error_is_greenwoods() -> None:
    """Without censoring it is the binomial one."""
    ours = curve_of([(0, age, True) for age in range(1, 101)])
    share = ours.survival
    assert ours.error == pytest.approx(np.sqrt(share * (1 - share) / 100))


def test_few_at_risk_at_a_young_age_would_spoil_the_whole_curve_and_end_ours() -> None:
    """Two of three newcomers finish before 400 older ones enter: theirs is a third from then on."""
    older = [(50, 100, True)] * 200 + [(50, 101, False)] * 200
    few = [(0, 10, True)] * 2 + [(0, 60, False)]
    assert by_lifelines(few + older, [10, 99, 100]) == pytest.approx([1 / 3, 1 / 3, 1 / 6])
    ours = curve_of(few + older)
    assert (ours.end_ns, ours.age_ns.size, ours.detached_ns.size) == (0, 0, 403)


def test_where_lifelines_refuses_all_ours_keeps_what_came_before() -> None:
    """All of ten newcomers finish before the older ones enter: nothing is known from then on."""
    subjects = [(0, 10 + i, True) for i in range(10)]
    subjects += [(age, age + 50, False) for age in range(50, 90)]
    with pytest.raises(StatError, match="too few early truncation times"):
        by_lifelines(subjects, [10])
    ours = curve_of(subjects)
    assert ours.survival == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert (ours.end_ns, ours.detached_ns.size) == (16, 40)


def test_the_sure_age_of_a_quantile_exceeds_the_true_one_once_in_forty() -> None:
    """2,000 samples of 60: the bound of the median is 97.5 % sure."""
    rng = np.random.default_rng(5)
    ages = (rng.exponential(1e9, size=(2_000, 60))).astype(np.int64)
    none, ended = np.zeros(60, dtype=np.int64), np.ones(60, dtype=np.bool_)
    sure = np.array([product_limit(none, sample, ended).surely_below(0.5) for sample in ages])
    assert 0.01 < np.mean(sure > np.log(2) * 1e9) < 0.04


def test_the_reached_age_of_a_quantile_is_below_the_true_one_once_in_forty() -> None:
    """The other side of the interval; wider errors reach farther on both."""
    rng = np.random.default_rng(6)
    ages = (rng.exponential(1e9, size=(2_000, 60))).astype(np.int64)
    none, ended = np.zeros(60, dtype=np.int64), np.ones(60, dtype=np.bool_)
    curves = [product_limit(none, sample, ended) for sample in ages]
    reached = np.array([curve.surely_reached(0.5) or 2**62 for curve in curves])
    assert 0.01 < np.mean(reached < np.log(2) * 1e9) < 0.04
    for curve in curves[:50]:
        assert curve.surely_below(0.5, 2.0) < curve.surely_below(0.5)
        assert (curve.surely_reached(0.5, 2.0) or 2**62) > (curve.surely_reached(0.5) or 0)


def test_few_alike_prove_neither_side() -> None:
    """Five that end at one age: the share that outlasts it may be 45 %, and some end before it."""
    ours = curve_of([(0, 10, True)] * 5)
    assert (ours.surely_below(0.5), ours.surely_reached(0.5)) == (9, 10)
    assert (ours.surely_below(0.6), ours.surely_reached(0.4)) == (-1, None)
    assert ours.surely_below(0.5, times=1.2) == -1


def test_nobody_and_nonsense() -> None:
    """No subjects are an empty curve; an entry after the end is a fault."""
    none = np.array([], dtype=np.int64)
    empty = product_limit(none, none, none.astype(np.bool_))
    assert (empty.end_ns, empty.subjects, empty.reaches(0.5)) == (0, 0, None)
    with pytest.raises(ValueError, match="entry must lie"):
        curve_of([(2, 1, True)])
    with pytest.raises(ValueError, match="shapes differ"):
        product_limit(none, np.zeros(1, dtype=np.int64), none.astype(np.bool_))
