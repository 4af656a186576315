"""How a run is made: what was asked for beside the plan itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Of `matrix` and `single`; made once, from the command line."""

    command: str  # matrix or single
    output: Path  # where runs and reports are kept
    fresh: bool = False  # start anew, even if a run of the same plan is unfinished
    resume: bool = False  # resume an unfinished run although something has changed
    keep_raw: bool = True  # each trial's raw files, compressed
    probe: bool = True
    pin: str = "auto"  # which cores each gets (bench.placement)
