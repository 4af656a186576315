"""Parts of one experiment: one spread for all of them, or one for each."""

from __future__ import annotations

import numpy as np

from bench.stats import groups_alike

CELLS = ("a1", "b1", "c1", "a2", "b2", "c2")
GROUP_OF = dict.fromkeys(CELLS, "async_http_pooled")
PART_OF = {cell: f"w{cell[1]}" for cell in CELLS}


def logs(wide: float, narrow: float, seed: int, trials: int = 2) -> dict[str, list[float]]:
    """One worker's cells differ by so much from trial to trial, two workers' by so much."""
    draw = np.random.default_rng(seed)
    return {
        cell: [*draw.normal(0.0, wide if PART_OF[cell] == "w1" else narrow, trials)]
        for cell in CELLS
    }


def test_a_wild_part_stands_apart_from_a_quiet_one() -> None:
    """As one shared client does: 33 to 243 requests/s with one worker, 243 with two."""
    found = groups_alike(logs(0.7, 0.01, 1), GROUP_OF, PART_OF)
    assert {found[cell] for cell in ("a1", "b1", "c1")} == {"async_http_pooled w1"}
    assert {found[cell] for cell in ("a2", "b2", "c2")} == {"async_http_pooled w2"}


def test_parts_alike_are_seldom_divided() -> None:
    """By chance once in a thousand; here 4,000 draws, of which that is 4."""
    divided = sum(
        "async_http_pooled" not in groups_alike(logs(0.1, 0.1, seed), GROUP_OF, PART_OF).values()
        for seed in range(4000)
    )
    assert 1 <= divided <= 12


def test_one_part_is_never_divided() -> None:
    """Nor are parts without repeats."""
    of_one = {cell: values for cell, values in logs(0.7, 0.01, 1).items() if cell.endswith("1")}
    assert set(groups_alike(of_one, GROUP_OF, PART_OF).values()) == {"async_http_pooled"}
    once = logs(0.7, 0.01, 1, trials=1)
    assert set(groups_alike(once, GROUP_OF, PART_OF).values()) == {"async_http_pooled"}


def test_a_part_without_any_spread_stands_apart() -> None:
    """Equal trials, beside such that differ."""
    found = groups_alike(logs(0.1, 0.0, 1), GROUP_OF, PART_OF)
    assert set(found.values()) == {"async_http_pooled w1", "async_http_pooled w2"}
    alike = groups_alike(logs(0.0, 0.0, 1), GROUP_OF, PART_OF)
    assert set(alike.values()) == {"async_http_pooled"}
