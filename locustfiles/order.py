"""In which order several servers are asked, a block of requests each. Pure, standard library."""

from __future__ import annotations


def fair_order(sides: int) -> tuple[int, ...]:
    """One cycle of blocks, in which each side follows each, itself too, exactly once.

    What one block leaves behind for the next (warm caches, a full buffer) then falls on all sides
    alike: a de Bruijn sequence of order 2. Of two sides it is A A B B, the known A B B A.

    Returns:
        The side of each of ``sides`` squared blocks, counted from 0; the first follows the last.
    """
    return tuple(
        side
        for first in range(sides)
        for pair in ((first,), *((first, second) for second in range(first + 1, sides)))
        for side in pair
    )


def block_size(rates: tuple[float, ...], *, users: int, block_s: float, cycle: int) -> int:
    """Requests in a block: as many as the slowest side answers in so long, the same of each side.

    Args:
        rates: answers a second, of each side, at least one above 0.
        users: who ask at once; each asks once at least.
        block_s: how long a block should take, s.
        cycle: after so many requests a mix of kinds begins anew; a block holds whole ones.
    """
    slowest = min(rate for rate in rates if rate > 0)
    wanted = max(users, round(slowest * block_s))
    return -(-wanted // cycle) * cycle
