"""In which order servers are asked, and how much at a time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from locustfiles.order import block_size, fair_order


def test_of_two_it_is_abba() -> None:
    """Begun at another place of the same ring."""
    assert fair_order(2) == (0, 0, 1, 1)


@given(st.integers(1, 6))
def test_each_side_follows_each_as_often(sides: int) -> None:
    """Once in a cycle, itself too: what a block leaves behind falls on all alike."""
    order = fair_order(sides)
    follows = Counter(pairwise([*order, order[0]]))
    assert follows == {(one, other): 1 for one in range(sides) for other in range(sides)}


@given(
    st.lists(st.floats(0.5, 1e5), min_size=1, max_size=3),
    st.integers(1, 100),
    st.integers(1, 30),
)
def test_a_block_has_whole_cycles_and_each_user_asks(
    rates: list[float], users: int, cycle: int
) -> None:
    """And it is no longer than it must be."""
    size = block_size(tuple(rates), users=users, block_s=0.03, cycle=cycle)
    assert size % cycle == 0
    assert size >= users
    assert size - cycle < max(users, min(rates) * 0.03 + 0.5)
