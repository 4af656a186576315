"""The trials over time as a page embeds them: short numbers, and no more than it can carry."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from page.reading import TRACKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from page.reading import Report, Trial

DIGITS = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """Trials by cell, and a line about those that were left out."""

    by_cell: Mapping[str, list[dict[str, Any]]]
    note: str


def kept(report: Report, most_bytes: int) -> Kept:
    """The first trial of every cell, then the second of each, … as far as they fit."""
    nth: dict[str, int] = {}
    ranked: list[tuple[int, int, Trial]] = []
    for position, trial in enumerate(report.trials):
        rank = nth[trial.cell] = nth.get(trial.cell, 0) + 1
        ranked.append((rank, position, trial))
    by_cell: dict[str, list[dict[str, Any]]] = {}
    spent = count = 0
    for _, _, trial in sorted(ranked, key=lambda one: one[:2]):
        short = _short(trial)
        spent += len(json.dumps(short, separators=(",", ":")))
        if spent > most_bytes:
            break
        by_cell.setdefault(trial.cell, []).append(short)
        count += 1
    left_out = len(report.trials) - count
    note = (
        f"{left_out} of {len(report.trials)} trials are not shown over time, to keep this page"
        " small; latest.series.jsonl has them."
        if left_out
        else ""
    )
    return Kept(by_cell, note)


def _short(trial: Trial) -> dict[str, Any]:
    return {
        "index": trial.index,
        "round": trial.round,
        "twin": trial.twin,
        "t0_s": _number(trial.t0_s),
        "t1_s": _number(trial.t1_s),
        "t_s": _list(trial.t_s),
        **{name: _list(trial.tracks[name]) for name in TRACKS},
        "ms": _list(trial.latency_ms),
        "below": _list(trial.below),
        "known_to_ms": _number(trial.known_to_ms),
        "disturbances": trial.disturbances,
        "argv": shlex.join(trial.argv),
    }


def _list(values: Sequence[float | None]) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: float | None) -> float | None:
    if value is None:
        return None
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded
