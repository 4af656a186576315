"""Effects and their sentences: ratios between levels of one axis, all else equal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.analysis.effects import Effect, effects, sentence
from bench.analysis.rows import Row, rows
from tests.support.records import measured, run, trial


def row(endpoint: str, io: str, rate: float, *, server: str = "uvicorn", workers: int = 1) -> Row:
    """A row of one trial with this throughput."""
    suffix = "_sync" if endpoint == "async_sync" else ""
    cell = f"{endpoint.partition('_')[0]}_{io}{suffix}-{server}-w{workers}"
    one = trial(
        endpoint=endpoint, io=io, server=server, workers=workers,
        measured=measured(throughput_rps=rate),
    )  # fmt: skip
    return rows(run(cells=(cell,)), [replace(one, cell=cell)])[0]


def only(found: tuple[Effect, ...], level: str, of: str) -> Effect:
    """The one effect of this level over these cells."""
    (effect,) = [effect for effect in found if (effect.level, effect.of) == (level, of)]
    return effect


def test_a_blocking_call_costs_what_the_ratio_says() -> None:
    """Each io kind for itself, over all servers; a geometric mean and the range of few pairs."""
    found = effects(
        [
            row("async", "http", 36.0),
            row("async_sync", "http", 1.0),
            row("async", "http", 40.0, server="gunicorn"),
            row("async_sync", "http", 1.0, server="gunicorn"),
            row("async", "json", 900.0),
        ],
        100,
    )
    effect = only(found, "async_sync", "http")
    assert 1 / effect.ratio.ratio == pytest.approx((36 * 40) ** 0.5)
    assert sentence(effect) == (
        "One blocking call in `async def` costs 37.9× (36 to 40) throughput with http at 100"
        " users [2 pairs of cells]"
    )
    assert not [e for e in found if e.of == "json"]  # nothing to compare it with


def test_an_interval_is_shown_from_four_pairs_on() -> None:
    """Student's t on the logs, as `bench.stats` has it."""
    servers = ("a", "b", "c", "d")
    pairs = [(100.0, 50.0), (110.0, 50.0), (90.0, 50.0), (100.0, 55.0)]
    found = effects(
        [row("sync", "json", slow, server=s) for s, (_, slow) in zip(servers, pairs, strict=True)]
        + [
            row("async", "json", fast, server=s)
            for s, (fast, _) in zip(servers, pairs, strict=True)
        ],
        100,
    )
    effect = only(found, "async", "json")
    assert effect.ratio.n == 4
    assert effect.low < effect.lowest
    assert "`async def` has 1.95× (1.68 to 2.26)" in sentence(effect)


def test_a_small_or_unsure_ratio_is_called_no_clear_difference() -> None:
    """Within 5 %, or with an interval on both sides of 1."""
    small = effects([row("sync", "json", 100.0), row("async", "json", 104.0)], 10)
    assert "show no clear difference" in sentence(only(small, "async", "json"))
    unsure = effects(
        [
            *(row("sync", "json", 100.0, server=s) for s in "ab"),
            row("async", "json", 50.0, server="a"),
            row("async", "json", 300.0, server="b"),
        ],
        10,
    )
    assert "show no clear difference" in sentence(only(unsure, "async", "json"))


def test_the_slower_level_is_told_from_the_faster_one() -> None:
    """`def` ahead of `async def` reads so."""
    found = effects([row("sync", "http", 40.0), row("async", "http", 20.0)], 100)
    assert sentence(only(found, "async", "http")) == (
        "`def` has 2× (2 to 2) the throughput of `async def` with http at 100 users"
        " [1 pair of cells]"
    )


def test_workers_and_servers_are_compared_over_all_cells() -> None:
    """Against the first listed."""
    found = effects(
        [
            row("sync", "http", 40.0),
            row("sync", "http", 80.0, workers=2),
            row("sync", "http", 30.0, server="hypercorn"),
        ],
        100,
    )
    assert sentence(only(found, "2", "all io kinds")).startswith("2 workers have 2×")
    assert sentence(only(found, "hypercorn", "all io kinds")).startswith("uvicorn has 1.33×")


def test_cells_without_numbers_take_no_part() -> None:
    """Invalid rows, and rows without a single completion."""
    invalid = replace(row("async", "http", 40.0), throughput_rps=None)
    assert effects([row("sync", "http", 40.0), invalid], 100) == ()
    assert effects([row("sync", "http", 40.0), row("async", "http", 0.0)], 100) == ()
