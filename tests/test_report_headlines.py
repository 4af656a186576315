"""The answers that are read first: at most five, by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.analysis.effects import Effect, Outcome, Part
from bench.report.headlines import MOST, chosen, headlines, lines, listed


def part(ratio: float, outcome: Outcome = Outcome.DIFFERENT, **where: str) -> Part:
    """Known to 1 %, or as said."""
    return Part(tuple(where.items()), ratio, ratio * 0.99, ratio * 1.01, 3, outcome, 60.0)


def effect(axis: str, level: str, base: str, *parts: Part, of: str | None = None) -> Effect:
    """At 50 users, with one pair left out where nothing else is said."""
    return Effect(axis, level, base, of, 50, parts, 0 if parts else 1)


BLOCKING = [
    effect("endpoint", "async_sync", "async", part(0.1), of="http"),
    effect("endpoint", "async_sync", "async", part(1.3), of="json"),
]
ASYNC = effect(
    "endpoint", "async", "sync", part(0.6, workers="1"),
    part(1.1, Outcome.UNKNOWN, workers="2"), of="http",
)  # fmt: skip
WORKERS = effect("workers", "2", "1", part(1.9))
SERVERS = [
    effect("server", name, "uvicorn", part(ratio)) for name, ratio in
    (("a", 1.06), ("b", 0.7), ("c", 1.2), ("d", 1.3))
]  # fmt: skip


def levels(*effects: Effect) -> list[str]:
    """Whose questions are told, in order."""
    return [question[0].level for question in chosen(effects)]


def test_all_kinds_of_one_question_are_one_answer() -> None:
    """With each io kind's own parts; how long to go on stands in the report."""
    assert headlines([*BLOCKING, ASYNC]) == (
        (
            "One blocking call in `async def` against an awaited one, at 50 users",
            "http: it costs 10× (9.90 to 10.1); json: it has 1.30× (1.29 to 1.31) the throughput",
        ),
        (
            "`async def` against `def`, at 50 users",
            (
                "http: with 1 worker 0.600× (0.594 to 0.606), with 2 workers not known yet, 1.10×"
                " (1.09 to 1.11)"
            ),
        ),
    )


def test_axes_take_turns_and_the_largest_effect_of_each_comes_first() -> None:
    """Four servers don't push out the workers; they are told in their own order."""
    told = levels(*BLOCKING, ASYNC, WORKERS, *SERVERS)
    assert told == ["async_sync", "async", "2", "b", "d"]
    assert len(told) == MOST


def test_what_is_not_known_is_no_large_effect() -> None:
    """However far from 1 it seems."""
    wide = effect("server", "z", "uvicorn", part(9.0, Outcome.UNKNOWN))
    assert levels(*BLOCKING, ASYNC, WORKERS, wide, *SERVERS[:3])[3:] == ["b", "c"]


def test_of_many_parts_the_smallest_and_the_largest_are_told() -> None:
    """Of those that are known; with how many there are, and how many are open."""
    many = effect(
        "workers", "2", "1", part(1.2, io="a"), part(2.0, io="b"), part(1.0, Outcome.SAME, io="c"),
        part(2.4, Outcome.UNKNOWN, io="d"),
    )  # fmt: skip
    ((question, answer),) = headlines([many])
    assert question == "2 workers against 1 worker"
    assert answer == (
        "least with c the same, 1× (0.990 to 1.01); most with b 2× (1.98 to 2.02);"
        " 4 kinds of cells, 1 of them not known yet"
    )


def test_a_cost_is_most_where_the_least_is_left() -> None:
    """And least where a blocking call is even faster than an awaited one."""
    many = effect(
        "endpoint", "async_sync", "async", part(0.1, server="a"), part(0.05, server="b"),
        part(1.3, server="c"), part(0.5, server="d"), of="http",
    )  # fmt: skip
    ((_, answer),) = headlines([many])
    assert answer == (
        "http: least with c it has 1.30× (1.29 to 1.31) the throughput; most with b it costs 20×"
        " (19.8 to 20.2); 4 kinds of cells"
    )


def test_a_question_without_a_pair_says_so() -> None:
    """Two regimes on one side of each."""
    assert headlines([effect("server", "b", "a")]) == (
        ("B against a", "no answer; 1 pair left out: one of the two cells has two regimes"),
    )


def test_nothing_compared_is_nothing_told() -> None:
    """A run of one cell."""
    assert headlines([]) == ()


def test_as_a_list_with_how_to_read_it() -> None:
    """Of README, page and CI; names are marked as code, and none of it stands without answers."""
    told = listed([WORKERS, *SERVERS])
    assert told is not None
    assert told.startswith(
        "- **2 workers against 1 worker:** 1.90× (1.88 to 1.92)\n- **`a` against"
    )
    assert "*the same* is within 5%" in told
    assert listed([]) is None


def test_in_lines_each_question_has_its_own_before_any_has_two() -> None:
    """However large the others' effects are."""
    told = lines([*BLOCKING, ASYNC, WORKERS, *SERVERS])
    assert len(told) == MOST
    assert "costs 10×" in told[0]
    assert sum("blocking" in line for line in told) == 1


def test_room_that_is_left_is_filled() -> None:
    """With what matters most of the rest."""
    told = lines([*BLOCKING, SERVERS[0]])
    assert ["1.30×" in line for line in told] == [False, True, False]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ((part(1.5), part(3.0)), "3×"),
        ((part(0.2), part(3.0)), "0.200×"),  # five times less
        ((part(9.0, Outcome.UNKNOWN), part(1.0, Outcome.SAME)), "the same"),
        ((part(9.0, Outcome.UNKNOWN), part(1.2)), "1.20×"),
    ],
)
def test_a_line_tells_what_is_known_and_different_then_the_largest(
    parts: tuple[Part, ...], shown: str
) -> None:
    """Of one question's parts; it says which of them."""
    placed = [replace(one, where=(("workers", str(n)),)) for n, one in enumerate(parts, 1)]
    line = lines([effect("server", "b", "a", *placed)])[0]
    assert shown in line
    assert "worker" in line


def test_no_answers_no_lines() -> None:
    """Nothing compared, or all pairs left out."""
    assert lines([]) == []
    assert lines([effect("server", "b", "a")]) == []
