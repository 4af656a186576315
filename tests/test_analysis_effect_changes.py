"""What has changed between two runs, by the effects inside each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.analysis.effect_changes import Changed, KnownEffect, KnownPart, changes
from bench.stats.student import reach_of


def part(ratio: float, width: float = 0.02, **where: str) -> KnownPart:
    """A part known to within so much on each side (0.02: 2 %)."""
    return KnownPart(tuple(where.items()), ratio, ratio / math.exp(width), ratio * math.exp(width))


def effect(*parts: KnownPart, of: str | None = "http") -> KnownEffect:
    """`async def` against `def`."""
    return KnownEffect("endpoint", "async", "sync", of, parts)


def word(a: float, b: float, width: float = 0.02) -> Changed:
    """What is said of one effect alone."""
    (found,) = changes([effect(part(a, width))], [effect(part(b, width))]).compared
    return found.word


@pytest.mark.parametrize(
    ("b", "width", "expected"),
    [
        (1.0, 0.02, Changed.SAME),
        (1.015, 0.02, Changed.SAME),  # 1.5 % + 2.8 % of the ratio's reach
        (1.03, 0.02, Changed.UNKNOWN),  # reaches over 5 %
        (1.10, 0.02, Changed.CHANGED),
        (0.90, 0.02, Changed.CHANGED),
        (1.07, 0.02, Changed.UNKNOWN),  # beyond both intervals, but not by 5 % for sure
        (1.0, 0.10, Changed.UNKNOWN),  # too little is known
        (2.0, 0.60, Changed.UNKNOWN),
    ],
)
def test_changed_needs_more_than_both_intervals_and_the_threshold(
    b: float, width: float, expected: Changed
) -> None:
    """And "the same" an interval that lies within it; both directions are alike."""
    assert word(1.0, b, width) is expected
    assert word(b, 1.0, width) is expected


@given(
    a=st.floats(0.01, 100), b=st.floats(0.01, 100),
    widths=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)  # fmt: skip
def test_what_has_changed_lies_beyond_both_intervals(
    a: float, b: float, widths: tuple[float, float]
) -> None:
    """The interval of the ratio of ratios is wider than either's."""
    left, right = part(a, widths[0]), part(b, widths[1])
    assume(left.low > 0)
    (found,) = changes([effect(left)], [effect(right)]).compared
    assert found.low <= found.ratio <= found.high
    if found.word is Changed.CHANGED:
        assert not left.low <= right.ratio <= left.high
        assert not right.low <= left.ratio <= right.high
        assert abs(math.log(b / a)) > math.log(1.05)


@given(speeds=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)))
def test_the_speed_of_a_machine_is_nothing(speeds: tuple[float, float]) -> None:
    """Rates of two cells on a machine so much faster have the same ratio, so nothing changed."""
    a, b = (effect(part(200 * speed / (100 * speed))) for speed in speeds)
    assert changes([a], [b]).compared[0].word is Changed.SAME


def test_many_effects_need_more_than_one_alone() -> None:
    """What holds alone may be chance among twenty."""
    width = 0.02
    barely = 1.05 * math.exp(math.hypot(width, width)) * 1.001
    assert word(1.0, barely, width) is Changed.CHANGED
    others = [effect(part(1.0, width), of=f"io{number}") for number in range(19)]
    found = changes([effect(part(1.0, width)), *others], [effect(part(barely, width)), *others])
    assert found.compared[0].word is Changed.UNKNOWN
    assert [one.word for one in found.compared[1:]] == [Changed.SAME] * 19


def test_parts_are_matched_by_what_sets_them_apart() -> None:
    """Another order or Python is no other part."""
    a = effect(part(1.0, python="3.11", workers="1"), part(2.0, python="3.11", workers="2"))
    b = effect(part(2.0, python="3.12", workers="2"), part(1.0, python="3.12", workers="1"))
    found = changes([a], [b])
    assert [one.key.where for one in found.compared] == [(("workers", "1"),), (("workers", "2"),)]
    assert {one.word for one in found.compared} == {Changed.SAME}
    assert (found.only_a, found.only_b) == ((), ())


def test_other_parts_are_not_compared() -> None:
    """Where pairs of cells agree in one run and disagree in the other there is nothing alike."""
    whole = effect(part(1.0))
    parted = effect(part(1.0, workers="1"), part(2.0, workers="2"))
    found = changes([whole], [parted])
    assert found.compared == ()
    assert ([key.where for key in found.only_a], len(found.only_b)) == ([()], 2)


def test_an_effect_of_other_cells_is_another() -> None:
    """One server's pairs against those of all."""
    found = changes([effect(part(1.0, server="uvicorn"))], [effect(part(1.0))])
    assert found.compared == ()


def test_effects_without_an_answer_are_passed_over() -> None:
    """All of their pairs have two regimes."""
    assert changes([effect()], [effect()]).compared == ()


@pytest.mark.parametrize("freedom", [4, 8, 20])
def test_few_effects_that_have_not_changed_are_called_changed(freedom: int) -> None:
    """Of 24 effects without any change, known to some 5 %, over 300 pairs of runs: at most 1 in
    20 of the pairs has a single one that is.
    """
    rng = np.random.default_rng(freedom)
    wrong = 0
    for _ in range(300):
        sides = []
        for _ in range(2):
            errors = 0.025 * np.sqrt(rng.chisquare(freedom, 24) / freedom)
            logs = rng.normal(0.0, 0.025, 24)
            sides.append([
                effect(part(float(np.exp(log)), reach_of(float(error), freedom)), of=str(at))
                for at, (log, error) in enumerate(zip(logs, errors, strict=True))
            ])  # fmt: skip
        wrong += bool(changes(*sides).of(Changed.CHANGED))
    assert wrong / 300 <= 0.05


def test_a_change_by_half_is_found() -> None:
    """Among 23 that haven't changed, each known to 5 %."""
    others = [effect(part(1.0, 0.05), of=str(number)) for number in range(23)]
    found = changes([effect(part(1.0, 0.05)), *others], [effect(part(1.5, 0.05)), *others])
    (changed,) = found.of(Changed.CHANGED)
    assert changed.key.of == "http"
