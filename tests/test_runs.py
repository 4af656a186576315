"""Run folders: which is gone on with, which is the newest, how one ends."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bench import ledger
from bench.problem import BadInput
from bench.run import runs
from bench.run.paths import ROOT
from tests.support.records import run, trial

if TYPE_CHECKING:
    from pathlib import Path

WANTED = run(finished=None)


def quiet(line: str) -> None:
    """Nothing is to be told."""
    pytest.fail(f"told: {line}")


def made(tmp_path: Path, name: str, *, trials: int = 0, **overrides: Any) -> Path:
    """A run's folder."""
    folder = tmp_path / name
    runs.create(folder, run(**{"id": name, "finished": None, **overrides}))
    for index in range(1, trials + 1):
        ledger.append(folder / ledger.TRIALS_FILE, trial(index=index, round=index))
    return folder


def test_an_id_sorts_by_time_and_tells_the_plan() -> None:
    """Folders in the order of their names are folders in the order of their start."""
    assert re.fullmatch(r"20\d{6}-\d{6}-1a2b3c", runs.new_id("1a2b3c4d5e6f"))


def test_the_newest_unfinished_run_is_gone_on_with(tmp_path: Path) -> None:
    """Of several, the last that was started."""
    made(tmp_path, "20260101-000000-a")
    wanted = made(tmp_path, "20260102-000000-a")
    made(tmp_path, "20260103-000000-a", finished="2026-01-03T01:00:00+00:00")
    assert runs.unfinished(tmp_path, WANTED, quiet) == wanted


@pytest.mark.parametrize("field", ["command", "plan_hash", "fingerprint"])
def test_a_run_of_something_else_is_not_gone_on_with(tmp_path: Path, field: str) -> None:
    """Another command, plan, environment or machine: its trials would not be comparable."""
    other: dict[str, Any] = {field: "other"}
    made(tmp_path, "20260101-000000-a", **other)
    assert runs.unfinished(tmp_path, WANTED, quiet) is None


@pytest.mark.parametrize("field", ["seed", "started", "git", "cells"])
def test_what_does_not_define_the_run_may_differ(tmp_path: Path, field: str) -> None:
    """A commit that changes only the documentation does not cost a night of measuring."""
    others: dict[str, Any] = {"seed": 2, "started": "2026-01-01", "git": {}, "cells": ()}
    other = {field: others[field]}
    folder = made(tmp_path, "20260101-000000-a", **other)
    assert runs.unfinished(tmp_path, WANTED, quiet) == folder


def test_a_damaged_run_is_passed_over_and_named(tmp_path: Path) -> None:
    """Once; an older whole one is still found. Files beside the folders don't matter."""
    other = made(tmp_path, "20251231-000000-a")
    whole = made(tmp_path, "20260101-000000-a")
    for name, content in (("20260102-000000-a", b"{"), ("20260103-000000-a", None)):
        damaged = made(tmp_path, name) / ledger.RUN_FILE
        damaged.unlink()
        if content is not None:
            damaged.write_bytes(content)
    (other / ledger.RUN_FILE).write_bytes(b"never looked at")
    (tmp_path / "20260104-notes.txt").touch()
    told: list[str] = []
    assert runs.unfinished(tmp_path, WANTED, told.append) == whole
    passed = [line.removesuffix("; that run is passed over") for line in told]
    assert passed == [
        f"{tmp_path}/20260103-000000-a/run.json: can't be read: No such file or directory",
        f"{tmp_path}/20260102-000000-a/run.json: it is no JSON",
    ]


def test_there_may_be_no_runs_at_all(tmp_path: Path) -> None:
    """Neither in an empty folder nor in none."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert runs.unfinished(folder, WANTED, quiet) is None


def test_finishing_changes_only_the_end(tmp_path: Path) -> None:
    """And then it is not gone on with."""
    folder = made(tmp_path, "20260101-000000-a")
    before = ledger.read_run(folder / ledger.RUN_FILE)
    after = runs.finish(folder, "2026-01-01T01:00:00+00:00")
    assert ledger.read_run(folder / ledger.RUN_FILE) == after
    assert after == run(id=before.id, finished="2026-01-01T01:00:00+00:00")
    assert runs.unfinished(tmp_path, WANTED, quiet) is None


def test_create_makes_the_folders_above(tmp_path: Path) -> None:
    """`--output` may name a place that is not there yet."""
    runs.create(tmp_path / "a" / "b" / "c", WANTED)
    assert ledger.read_run(tmp_path / "a" / "b" / "c" / ledger.RUN_FILE) == WANTED


def test_create_where_nothing_can_be_written_is_bad_input(tmp_path: Path) -> None:
    """Option, folder and cause are named."""
    (tmp_path / "file").touch()
    with pytest.raises(BadInput) as caught:
        runs.create(tmp_path / "file" / "run", WANTED)
    assert str(caught.value) == f"--output: {tmp_path}/file/run can't be written: Not a directory"


def test_create_never_takes_a_folder_that_is_there(tmp_path: Path) -> None:
    """Records of another run are not mixed with these, nor overwritten."""
    folder = made(tmp_path, "20260101-000000-a", seed=7)
    with pytest.raises(BadInput, match="File exists"):
        runs.create(folder, WANTED)
    assert ledger.read_run(folder / ledger.RUN_FILE).seed == 7


def test_create_on_a_full_disk_leaves_no_folder(tmp_path: Path) -> None:
    """An OSError, as elsewhere: the option is not to blame."""
    program = (
        "import resource, sys; from pathlib import Path; from bench.run import runs;"
        "from tests.support.records import run;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY));"
        "runs.create(Path(sys.argv[1]), run())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run")],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr.endswith(f"OSError: [Errno 27] File too large: '{tmp_path}/run/run.json'\n")
    assert list(tmp_path.iterdir()) == []


def test_trials_of_a_run(tmp_path: Path) -> None:
    """None before the first has ended, then all."""
    folder = made(tmp_path, "20260101-000000-a")
    assert runs.trials_of(folder).records == ()
    recorded = (trial(index=1), trial(index=2, round=2))
    for one in recorded:
        ledger.append(folder / ledger.TRIALS_FILE, one)
    assert runs.trials_of(folder).records == recorded
