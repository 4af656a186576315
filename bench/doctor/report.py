"""What the doctor says: a table, a closing word, and the commands that would help."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from tabulate import tabulate

from bench.doctor.check import Fitness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.doctor.check import Check


def table(checks: Sequence[Check]) -> str:
    """A line for each look."""
    return tabulate(
        # Wrapped here: tabulate's own wrapping reads numbers, and fails on "28,231".
        [
            (
                one.fitness.value,
                one.what,
                textwrap.fill(one.found, 40),
                textwrap.fill(_told(one), 60),
            )
            for one in checks
        ],
        headers=("", "what", "found", "why it matters, what to do"),
        tablefmt="simple",
        disable_numparse=True,
    )


def _told(one: Check) -> str:
    return ": ".join(part for part in (one.matters, one.advice) if part)


def closing(checks: Sequence[Check]) -> str:
    """Fit or not; what is merely poor or unknown doesn't make a machine unfit."""
    missing, poor, unknown = (
        sum(one.fitness is fitness for one in checks)
        for fitness in (Fitness.MISSING, Fitness.POOR, Fitness.UNKNOWN)
    )
    if missing:
        return f"not fit to measure: {missing} missing"
    parts = [f"{poor} reservation{'' if poor == 1 else 's'}"] if poor else []
    parts += [f"{unknown} unknown"] if unknown else []
    return f"fit to measure{', with ' if parts else ''}{' and '.join(parts)}"


def remedies(checks: Sequence[Check]) -> str:
    """The commands, for a person to read and to run: as root, and as oneself."""
    parts = []
    for root, title in ((True, "as root"), (False, "as yourself")):
        lines = [
            f"  {command.text}  # {one.what}"
            for one in checks
            for command in one.commands
            if command.root is root
        ]
        if lines:
            parts.append("\n".join([f"{title}:", *lines]))
    if not parts:
        return "No command would help."
    return "\n".join(["These commands would help; none of them was run.", *parts])
