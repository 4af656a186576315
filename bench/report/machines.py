"""The machines of a merged run, and how alike they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from bench import text
from bench.text import NONE, number

if TYPE_CHECKING:
    from bench.analysis.hosts import Hosts, Reference

APART = 1.10  # fastest to slowest, from which machines are called different


def told(found: Hosts) -> str:
    """A row a machine, with what it got in the cells that all of them have."""
    headings = ["machine", "part", "cores", "CPU", *(text.code(r.cell) for r in found.references)]
    lines = [
        [
            str(at + 1),
            f"{one.shard}/{found.of}",
            str(one.host.cores),
            text.escape(one.host.cpu),
            *(_rate(reference, at) for reference in found.references),
        ]
        for at, one in enumerate(found.hosts)
    ]
    table = tabulate(lines, headings, tablefmt="github", disable_numparse=True)
    return "\n\n".join(part for part in (table, alike(found), lacking(found)) if part)


def alike(found: Hosts) -> str:
    """What can be compared, and by how much the machines differ."""
    spreads = [one.spread for one in found.references if one.spread is not None]
    rule = "Answers are of pairs of cells of one machine; figures of two machines aren't compared."
    if not spreads:
        return rule
    most = max(spreads)
    word = "differ" if most > APART else "are alike"
    return f"Measured on {len(found.hosts)} machines, which {word}: {number(most)}× at most. {rule}"


def lacking(found: Hosts) -> str | None:
    """The parts that nobody has brought."""
    if not found.missing:
        return None
    named = ", ".join(f"{number}/{found.of}" for number in found.missing)
    return f"**Missing: part {named}.** Its cells have no rows."


def _rate(reference: Reference, at: int) -> str:
    rate, half = reference.throughput_rps[at], reference.half_widths[at]
    if rate is None:
        return NONE
    return number(rate) if half is None else f"{number(rate)} ± {half:.0%}"
