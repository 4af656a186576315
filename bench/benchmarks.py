"""The benchmarks of the harness itself, as ratios from one run where that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.run.paths import Paths


def run(names: list[str], paths: Paths) -> int:
    """Run the benchmarks named, or all."""
    print(names, paths)
    return 0
