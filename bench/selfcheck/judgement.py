"""How often a comparison is wrong: cells that are the same, and cells that differ by 10 %."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from bench.analysis.compare import Judgement, Side, compare
from bench.analysis.metrics import METRICS
from bench.config import fixed
from bench.selfcheck.figure import Figure
from bench.selfcheck.targets import WORK, targets
from bench.selfcheck.trials import cell, trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.compare import Comparison
    from bench.paths import Paths
from bench.selfcheck.trials import Trials

ENTRIES, ROUNDS = 10, 6
THRESHOLD = 0.05
USERS, WARMUP_S, WINDOW_S, QUICK_WINDOW_S = 8, 0.3, 3.0, 0.5
FALSE, FOUND = 0.05, 0.9

Figures = dict[str, dict[int, float]]  # by metric, then round


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """Ten entries of a cell, ten of one with 10 % more work, in each of six shuffled rounds."""
    cells = [cell("async", kind) for kind in WORK]
    window_s = QUICK_WINDOW_S if quick else WINDOW_S
    with (
        trials(paths, fixed(USERS, WARMUP_S, window_s), cells, delay_s=0.1) as opened,
        targets(opened) as bench,
    ):
        found = measure(bench, *((2, 1) if quick else (ENTRIES, ROUNDS)))
    return [same(found["work"]), different(found["work"], found["more_work"])]


def measure(bench: Trials, entries: int, rounds: int) -> dict[str, list[Figures]]:
    """The figures of every entry of each cell: entries are cells of their own, all the same."""
    found: dict[str, list[Figures]] = {
        kind: [{metric.name: {} for metric in METRICS} for _ in range(entries)] for kind in WORK
    }
    order = [(kind, entry) for kind in WORK for entry in range(entries)]
    for number in range(1, rounds + 1):
        for kind, entry in random.Random(number).sample(order, len(order)):  # noqa: S311
            _, measured = bench.measured(cell("async", kind))
            for metric in METRICS:
                if (value := metric.of(measured)) is not None:
                    found[kind][entry][metric.name][number] = value
    return found


def same(entries: Sequence[Figures]) -> Figure:
    """One comparison of all pairs of identical cells."""
    pairs = list(itertools.combinations(range(len(entries)), 2))
    left = {f"{a}-{b}": entries[a] for a, b in pairs}
    right = {f"{a}-{b}": entries[b] for a, b in pairs}
    comparison = _compare(left, right)
    wrong = [
        one.cell
        for one in comparison.cells
        if any(judged.word in {Judgement.BETTER, Judgement.WORSE} for judged in one.judged)
    ]
    spread = {
        metric.title: [
            abs(judged.ratio.ratio - 1)
            for one in comparison.cells
            for judged in one.judged
            if judged.metric is metric
        ]
        for metric in METRICS
    }
    worst = ", ".join(f"{title} {max(found):.1%}" for title, found in spread.items() if found)
    return Figure(
        f"identical cells called different, of {len(pairs)} pairs",
        len(wrong) / len(pairs) * 100,
        FALSE * 100,
        " %",
        f"largest difference between two: {worst}",
    )


def different(before: Sequence[Figures], after: Sequence[Figures]) -> Figure:
    """Each comparison by itself; found if anything is called worse and nothing better."""
    missed, by_metric = 0, dict.fromkeys((metric.title for metric in METRICS), 0)
    for a, b in zip(before, after, strict=True):
        (judged,) = _compare({"work": a}, {"work": b}).cells
        words = {j.metric.title: j.word for j in judged.judged}
        for title, word in words.items():
            by_metric[title] += word is Judgement.WORSE
        missed += Judgement.WORSE not in words.values() or Judgement.BETTER in words.values()
    count, rounds = len(before), max(map(len, before[0].values()))
    detail = ", ".join(f"by {title} {found} of {count}" for title, found in by_metric.items())
    return Figure(
        f"10 % more work not found, of {count} comparisons, rounds each: {rounds}",
        missed / count * 100,
        (1 - FOUND) * 100,
        " %",
        detail,
    )


def _compare(a: Mapping[str, Figures], b: Mapping[str, Figures]) -> Comparison:
    alike = dict.fromkeys([*a, *b], "work")
    sides = (Side(name, "one", {}, cells, alike) for name, cells in (("a", a), ("b", b)))
    return compare(*sides, threshold=THRESHOLD)
