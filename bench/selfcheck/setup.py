"""How long a stranger waits: from a fresh clone to the first trial, and again from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import RequirementError
from bench.records.model import Outcome
from bench.run.history import run_folders
from bench.selfcheck.figure import Figure

if TYPE_CHECKING:
    from bench.paths import Paths

TIMEOUT_S = 600


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """A clone with nothing in it but the commit, environments and Go build included."""
    nox = os.environ.get("MATRIX_NOX")
    git = shutil.which("git")
    if nox is None or git is None:
        raise RequirementError(
            "The benchmark `setup` needs nox and git: run it with `nox -s bench`."
        )
    with tempfile.TemporaryDirectory(prefix="matrix-setup-") as name:
        clone = Path(name) / "clone"
        _clone(git, paths.root, clone)
        cold = _first_trial_s(nox, clone)
        again = sorted(_first_trial_s(nox, clone) for _ in range(1 if quick else 3))
    return [
        Figure("fresh clone to first trial", cold, 90, " s"),
        Figure(f"again to first trial, median of {len(again)}", again[len(again) // 2], 5, " s"),
    ]


def _clone(git: str, root: Path, clone: Path) -> None:
    done = subprocess.run(
        [git, "clone", "--quiet", str(root), str(clone)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RequirementError(f"The benchmark `setup` needs a git checkout: {done.stderr.strip()}")


def _first_trial_s(nox: str, clone: Path) -> float:
    output = clone / "reports"
    before = set((output / "runs").glob("*"))
    began = datetime.now(timezone.utc)
    # What `matrix` does first, too; but that has its controls before the first trial.
    short = [
        *("async_json-uvicorn-w1", "--rounds", "1", "--warmup", "0s", "--duration", "4s"),
        "--fresh",
    ]
    done = subprocess.run(
        [nox, "-m", "nox", "-s", "single", "--", *short, "--output", str(output)],
        cwd=clone,
        env=_environment(clone),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    new = set((output / "runs").glob("*")) - before
    found = [trial for run in new for trial in run_folders.trials_of(run).records]
    # Two, where something disturbed the first: only its start counts here.
    if {trial.outcome for trial in found} != {Outcome.MEASURED}:
        reasons = "".join(f"{trial.cell}: {trial.reason}\n" for trial in found)
        told = f"{done.stdout}{done.stderr}{reasons}"[-1000:].strip()
        raise RequirementError(f"The benchmark `setup` measured nothing: {told}")
    return (datetime.fromisoformat(found[0].started) - began).total_seconds()


def _environment(clone: Path) -> dict[str, str]:
    """As from a shell: nothing of the nox around this one, nor the lock that this one holds."""
    ours = ("NOX", "MATRIX_")  # else the clone would use what nox has made for the tests
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return kept | {"MATRIX_LOCK": str(clone.with_name("lock"))}
