"""Trials of the known targets: the application with a few more io kinds, in a temporary folder."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.digest.generators import generated
from bench.selfcheck import target
from bench.selfcheck.target import Distribution
from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bench.plan import Cell
    from bench.records.model import Measured
    from bench.selfcheck.trials import Trials

DECLARED = {
    "constant": Distribution(((1.0, 20.0, 20.0),)),
    "bimodal": Distribution(((0.99, 10.0, 10.0), (0.01, 500.0, 500.0))),
    # Here the 99th percentile lies within the slow part, and not at its very edge.
    "bimodal2": Distribution(((0.98, 10.0, 10.0), (0.02, 500.0, 500.0))),
    "uniform": Distribution(((1.0, 50.0, 250.0),)),
}
BEAT_S = 1.03  # of the kind whose answers come all at once
_HEAD = "from app.io._target import Distribution, Target\nWAITS, UPSTREAM_CALLS = False, 0\n"
_NAMES = "blocking, awaiting, expected = _target.blocking, _target.awaiting, _target.expected\n"
# CPU work, in steps: what a request costs is proportional to their number.
_WORK = """
WAITS, UPSTREAM_CALLS = False, 0
def expected():
    return {{"ok": True}}
def blocking():
    total = 0
    for number in range({steps}):
        total += number * number
    return expected()
async def awaiting():
    return blocking()
"""
# Two regimes: which one a worker is in is drawn when it starts.
_REGIMES = """
import asyncio, os
WAITS, UPSTREAM_CALLS = False, 0
_wait_s = 0.02 if os.urandom(1)[0] % 2 else 0.06
def expected():
    return {"ok": True}
def blocking():
    raise NotImplementedError
async def awaiting():
    await asyncio.sleep(_wait_s)
    return expected()
"""
# Waits in a thread of asyncio's own executor.
_EXECUTOR = """
import asyncio, time
from app.settings import SETTINGS
WAITS, UPSTREAM_CALLS = False, 0
def expected():
    return {"ok": True}
def blocking():
    time.sleep(SETTINGS.delay_ms / 1000)
    return expected()
async def awaiting():
    return await asyncio.to_thread(blocking)
"""
STEPS = 60_000
WORK = {"work": STEPS, "more_work": STEPS * 11 // 10}
HALF_WORK = {"half_work": STEPS // 2}


@contextlib.contextmanager
def targets(bench: Trials) -> Iterator[Trials]:
    """The same trials, of an application that has the known targets too; raw files are kept."""
    with tempfile.TemporaryDirectory(prefix="matrix-target-") as name:
        root = Path(name)
        bench.runner.lab.keeper.remove_at_end(root)
        for part in ("app", "locustfiles"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(bench.runner.lab.root / part, root / part, ignore=ignored)
        kinds = root / "app" / "io"
        shutil.copy(target.__file__, kinds / "_target.py")
        for kind, declared in DECLARED.items():
            _write(kinds / f"{kind}.py", f"Target({declared!r})")
        _write(kinds / "beat.py", f"Target(period_s={BEAT_S})")
        (kinds / "regimes.py").write_text(_REGIMES, encoding="utf-8")
        (kinds / "executor.py").write_text(_EXECUTOR, encoding="utf-8")
        for kind, steps in (WORK | HALF_WORK).items():
            (kinds / f"{kind}.py").write_text(_WORK.format(steps=steps), encoding="utf-8")
        inner = replace(bench.runner, keep_raw=True)
        yield replace(bench, runner=inner).of(root)


def _write(path: Path, made: str) -> None:
    path.write_text(f"{_HEAD}_target = {made}\n{_NAMES}", encoding="utf-8")


def folder_of(bench: Trials, which: Cell) -> Path:
    """Where the raw files of the cell's last trial are."""
    return bench.runner.folder / "raw" / f"r01-{which.id}"


def served(folder: Path) -> NDArray[np.int64]:
    """The target's own count, shape (n, 2): when each request began and ended, ns."""
    parts = [
        np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint64).reshape(-1, 2)
        for path in folder.glob("target-*.bin.gz")
    ]
    return np.concatenate(parts).astype(np.int64)


def served_ms(folder: Path, measured: Measured) -> NDArray[np.float64]:
    """How long each request took that the target ended in the window, by its own clock."""
    found = served(folder)
    inside = (found[:, 1] >= measured.load.t0_ns) & (found[:, 1] < measured.load.t1_ns)
    took_ms: NDArray[np.float64] = (found[inside, 1] - found[inside, 0]) / 1e6
    return took_ms


def served_rps(folder: Path, measured: Measured) -> float:
    """How many requests a second the target ended in the window, by its own count."""
    t0, t1 = measured.load.t0_ns, measured.load.t1_ns
    end_ns = served(folder)[:, 1]
    return float(np.count_nonzero((end_ns >= t0) & (end_ns < t1)) / ((t1 - t0) / 1e9))


def ends(folder: Path) -> NDArray[np.int64]:
    """When each successful request ended, as the generator recorded it, ns."""
    log = generated(folder).requests.whole()
    succeeded: NDArray[np.int64] = log.end_ns[log.outcome == layout.SUCCEEDED]
    return succeeded
