"""A small matrix killed with SIGKILL at a random moment, and resumed by the next start."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.errors import RequirementError
from bench.records.journal import (
    RUN_FILE,
    SERIES_FILE,
    TRIALS_FILE,
    read_run,
    read_series,
    read_trials,
)
from bench.selfcheck.figure import Figure

if TYPE_CHECKING:
    from bench.paths import Paths

KILLS = 20
SEED = 7
GONE_S = 2.0  # after the kill, for everything that ran to be gone
MATRIX_S = 300.0
CONFIG = """
matrix: {endpoint: [sync, async], io: [sleep], server: [uvicorn], workers: [1]}
default_profile: tiny
profiles:
  tiny: {users: 8, delay: 100ms, spawn_rate: 100, warmup: 200ms, duration: 1s, rounds: 2}
"""
TRIALS = 6  # two cells in two rounds, and one of them twice in each
QUICK_TRIALS = 2  # the two cells, once
QUICK_AFTER_S = 3.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What a matrix that was completed must have; no form if no uninterrupted one has told it."""

    trials: int = TRIALS
    form: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Killed:
    """One matrix that was killed, and completed by the next start."""

    after_s: float
    done: int  # trials recorded at that moment
    faults: tuple[str, ...]


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """SIGKILL at 20 random moments of a small matrix; each time the next start completes it."""
    with tempfile.TemporaryDirectory(prefix="matrix-kills-") as name:
        folder = Path(name)
        found = [_early(paths, folder)] if quick else measure(paths, folder, KILLS, SEED)
    bad = [f"after {one.after_s:.2f} s: {fault}" for one in found for fault in one.faults]
    early = sorted(one.done for one in found)
    planned = QUICK_TRIALS if quick else TRIALS
    detail = "; ".join(bad) or f"killed with {early[0]} to {early[-1]} of {planned} trials recorded"
    return [Figure(f"faults after {len(found)} kills", len(bad), 0, "", detail)]


def measure(paths: Paths, folder: Path, kills: int, seed: int) -> list[Killed]:
    """Run one matrix uninterrupted, then ``kills`` that are killed once each and completed.

    Raises:
        RequirementError: the uninterrupted one did not succeed.
    """
    config = folder / "experiments.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    began = time.monotonic()
    whole = _complete(paths, config, folder / "whole")
    took_s = time.monotonic() - began
    if whole.returncode:
        raise RequirementError(f"The uninterrupted matrix did not succeed: {whole.stderr[-500:]}")
    expected = Expected(form=_form(_latest(folder / "whole")))
    moments = random.Random(seed)  # noqa: S311 - to be repeatable
    return [
        _kill(paths, config, folder / f"killed-{number}", moments.uniform(0, took_s), expected)
        for number in range(kills)
    ]


def _early(paths: Paths, folder: Path) -> Killed:
    """The smallest: one round, killed early, and no uninterrupted one beside it."""
    config = folder / "experiments.yaml"
    config.write_text(CONFIG.replace("rounds: 2", "rounds: 1"), encoding="utf-8")
    return _kill(paths, config, folder / "killed", QUICK_AFTER_S, Expected(QUICK_TRIALS))


def _kill(paths: Paths, config: Path, output: Path, after_s: float, expected: Expected) -> Killed:
    process = subprocess.Popen(
        _command(config, output),
        cwd=paths.root,
        env=_environment(config),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_s)
    family = _family(process.pid)
    process.kill()
    process.wait()
    if _finished(output):
        # Quicker than the uninterrupted one: nothing was interrupted. Once more, and sooner.
        another = output.with_name(f"{output.name}-again")
        return _kill(paths, config, another, after_s / 2, expected)
    faults = _left(family)
    done = _records(output)
    again = _complete(paths, config, output)
    if again.returncode:
        faults.append(f"the next start ended with {again.returncode}: {again.stderr[-300:]}")
        return Killed(after_s, len(done), tuple(faults))
    return Killed(after_s, len(done), (*faults, *_differs(output, done, expected)))


def _finished(output: Path) -> bool:
    """Whether the matrix had come to its end before it was killed."""
    found = list((output / "runs").glob(f"*/{RUN_FILE}"))
    return bool(found) and read_run(found[0]).finished is not None


def _differs(output: Path, before: list[str], expected: Expected) -> list[str]:
    """What is wrong with the records and reports of a completed matrix."""
    faults = []
    runs = list((output / "runs").iterdir())
    if len(runs) != 1:
        faults.append(f"{len(runs)} runs instead of one that was resumed")
    after = _records(output)
    if after[: len(before)] != before:
        faults.append("a record that was there has changed")
    trials = [trial for run in runs for trial in read_trials(run / TRIALS_FILE).records]
    found = [(trial.cell, trial.round, trial.twin) for trial in trials]
    planned = expected.trials
    if len(found) != planned or len(set(found)) != planned:
        faults.append(f"{len(found)} records of {len(set(found))} trials, {planned} are planned")
    looked = [read_series(run / SERIES_FILE) for run in runs]
    series = [(one.cell, one.round, one.twin) for each in looked for one in each.records]
    # Killed between the two, one trial may have none; but none has two, and no other has any.
    if any(each.damage for each in looked) or not set(series) <= set(found):
        faults.append(f"{len(series)} series of {len(found)} trials, some damaged or of no trial")
    if len(series) < len(found) - 1:
        faults.append(f"{len(series)} series of {len(found)} trials: more than one is missing")
    other = sorted(expected.form ^ _form(_latest(output))) if expected.form else []
    if other:
        where = ", ".join(other[:3])
        faults.append(f"its reports/latest.json has another form than a whole run's: {where}")
    return faults


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _left(family: list[psutil.Process]) -> list[str]:
    """Processes that are still there, and ports that are still listened to."""
    _, alive = psutil.wait_procs(family, timeout=GONE_S)
    left = [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]
    return [f"process {one.pid} ({' '.join(one.cmdline()[:4])}) is left" for one in left]


def _records(output: Path) -> list[str]:
    """Whole lines of trials.jsonl."""
    found = list((output / "runs").glob("*/trials.jsonl"))
    text = found[0].read_text(encoding="utf-8") if found else ""
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _latest(output: Path) -> dict[str, Any]:
    return dict(json.loads((output / "latest.json").read_text(encoding="utf-8")))


def _form(value: object, name: str = "") -> frozenset[str]:
    """Where there is a figure and where a text, without what they say.

    Lists of texts or figures are as long as the machine's noise has it.
    """
    if isinstance(value, dict):
        inner = [_form(each, f"{name}.{key}") for key, each in value.items() if key not in FREE]
        return frozenset().union(*inner)
    if isinstance(value, list):
        ours = [each for each in value if isinstance(each, dict)]
        return frozenset().union(*(_form(each, f"{name}[{at}]") for at, each in enumerate(ours)))
    kind = "figure" if value is None or isinstance(value, int | float) else "text"
    return frozenset({f"{name}: {kind}"})


# What may be there or not, as the machine's noise has it.
FREE = {
    *("effects", "failure_kinds", "samples", "why", "damage"),
    *("latency_over_ms", "latency_withheld", "failures"),
}


def _complete(paths: Paths, config: Path, output: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(config, output),
        cwd=paths.root,
        env=_environment(config),
        capture_output=True,
        text=True,
        timeout=MATRIX_S,
        check=False,
    )


def _command(config: Path, output: Path) -> list[str]:
    options = ["--config", str(config), "--output", str(output)]
    return [sys.executable, "-m", "bench", "matrix", *options]


def _environment(config: Path) -> dict[str, str]:
    """Our own, with a lock beside the one that we hold."""
    return {**os.environ, "MATRIX_LOCK": str(config.with_name("lock"))}
