"""A matrix in parts: who is compared stays together, and the parts take about as long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config import Profile
from bench.errors import BadInputError
from bench.plan import Cell, make_plan
from bench.shards import Shard, deal, parse, part_of, references

IOS = ("noop", "sleep", "http", "json", "sqlite")
CELLS = tuple(
    Cell(endpoint, io, server, workers, "3.12")
    for endpoint in ("sync", "async")
    for io in IOS
    for server in ("uvicorn", "hypercorn")
    for workers in (1, 2)
)
COSTS = {cell.id: 5.0 + len(cell.io) for cell in CELLS}


@given(st.integers(1, 20), st.lists(st.floats(1.0, 60.0), min_size=40, max_size=40))
def test_every_cell_is_in_one_part(of: int, costs: list[float]) -> None:
    """And no part is far longer than its share, but for a group that can't be split."""
    costs_s = dict(zip((cell.id for cell in CELLS), costs, strict=True))
    parts = deal(CELLS, costs_s, of) if of <= len(IOS) else deal(CELLS, COSTS, min(of, 10))
    dealt = [cell.id for part in parts for cell in part]
    assert sorted(dealt) == sorted(cell.id for cell in CELLS)
    assert all(parts)


def test_who_is_compared_stays_together() -> None:
    """All endpoints, servers and worker counts of an io kind, while there are kinds enough."""
    for part in deal(CELLS, COSTS, 5):
        ios = {cell.io for cell in part}
        assert [cell for cell in CELLS if cell.io in ios] == list(part)
    ten = deal(CELLS, COSTS, 10)
    for part in ten:
        pairs = {(cell.io, cell.server) for cell in part}
        assert [cell for cell in CELLS if (cell.io, cell.server) in pairs] == list(part)
    lengths = [sum(COSTS[cell.id] for cell in part) for part in ten]
    assert max(lengths) < 1.5 * min(lengths)


def test_all_parts_have_the_references() -> None:
    """First, so that one of them is what runs twice; the quickest of two io kinds."""
    plan = make_plan(CELLS, Profile("p", 8, 0.1, rounds=2), seed=1)
    named = references(CELLS, COSTS)
    assert named == ("sync_noop-uvicorn-w1", "sync_http-uvicorn-w1")
    parts = [part_of(plan, Shard(number, 5), COSTS) for number in range(1, 6)]
    for part in parts:
        assert tuple(cell.id for cell in part.cells[:2]) == named
        assert part.shard is not None
        assert part.shard.plan_hash == plan.hash
        assert part.shard.references == named
    own = [name for part in parts if part.shard is not None for name in part.shard.own]
    assert sorted(own) == sorted(cell.id for cell in plan.cells)
    assert len({part.hash for part in parts}) == 5


def test_more_parts_than_groups_are_refused() -> None:
    """With how many there can be."""
    with pytest.raises(BadInputError, match=r"--shard: found 30 parts, allowed: at most 20"):
        deal(CELLS, COSTS, 30)


@pytest.mark.parametrize("text", ["", "2", "0/5", "6/5", "1/0", "1/257", "a/b", "1/2/3", "-1/5"])
def test_what_is_no_part(text: str) -> None:
    """The first of one is all of it."""
    with pytest.raises(BadInputError, match="--shard: found "):
        parse(text)
    assert parse("1/1") == Shard(1, 1)
    assert str(parse("2/5")) == "2/5"
