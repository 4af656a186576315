"""The short forms of what `nox -s selfcheck` survives, and of `setup`'s ways to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.errors import RequirementError
from bench.paths import paths
from bench.selfcheck import endurance, kills, setup
from bench.selfcheck.endurance import Footprint, judge

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths


@pytest.mark.real
@pytest.mark.timeout(300)
def test_a_killed_matrix_is_completed_by_the_next_start(prepared: Paths, tmp_path: Path) -> None:
    """Every trial exactly once in the records, reports as of an uninterrupted run, nothing left."""
    found = kills.measure(prepared, tmp_path, kills=1, seed=3)
    assert [one.faults for one in found] == [()]


@pytest.mark.real
@pytest.mark.timeout(120)
def test_trials_leave_nothing_behind_in_the_harness(prepared: Paths) -> None:
    """After the first few, no more open files or processes with each trial."""
    loads = endurance.measure(prepared, 8)
    assert len({one.open_files for one in loads[2:]}) == 1
    assert len({one.children for one in loads[2:]}) == 1
    assert len({one.temporary for one in loads[2:]}) == 1


def test_growth_is_from_the_settled_state_on() -> None:
    """What the first trials took does not count; a leak does."""
    steady = [Footprint(100 + min(at, 10), 9, 2, 1) for at in range(40)]
    assert all(outcome.met for outcome in judge(steady, settled=20, around=5))
    leaking = [Footprint(100 + at, 9, 2, 1) for at in range(40)]
    assert not judge(leaking, settled=20, around=5)[0].met
    files = [Footprint(100, 9 + at // 10, 2, 1) for at in range(40)]
    assert not judge(files, settled=20, around=5)[1].met


def test_a_clone_has_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else `setup` would measure with the environments of the nox that runs the tests."""
    monkeypatch.setenv("MATRIX_NOTES", "/of/ours")
    monkeypatch.setenv("NOXSESSION", "tests")
    found = setup._environment(tmp_path / "clone")
    ours = {key: value for key, value in found.items() if key.startswith(("MATRIX_", "NOX"))}
    assert ours == {"MATRIX_LOCK": str(tmp_path / "lock")}
    assert found["PATH"] == os.environ["PATH"]


def test_a_clone_that_measures_nothing_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In git's own words, or in nox's, which it writes to stderr."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("there is no git, and `setup` says that")
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho 'nox > no network' >&2\nexit 1\n", encoding="utf-8")
    failing.chmod(0o755)
    monkeypatch.setenv("MATRIX_NOX", str(failing))
    source = tmp_path / "source"
    with pytest.raises(RequirementError, match=r"needs a git checkout: .*source"):
        setup.run(replace(paths(), root=source), quick=True)
    subprocess.run([git, "init", "--quiet", str(source)], check=True)
    with pytest.raises(RequirementError, match="no network"):
        setup.run(replace(paths(), root=source), quick=True)
