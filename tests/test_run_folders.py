"""Run folders: which is resumed, how one begins and ends."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import BadInputError
from bench.paths import ROOT
from bench.records import journal
from bench.run.history import run_folders
from tests.support.records import run, trial

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.model import RunRecord

WANTED = run(finished=None)


def quiet(line: str) -> None:
    """Nothing is to be told."""
    pytest.fail(f"told: {line}")


def made(tmp_path: Path, name: str, *, trials: int = 0, **overrides: Any) -> Path:
    """A run's folder."""
    folder = tmp_path / name
    run_folders.create(folder, run(**{"id": name, "finished": None, **overrides}))
    for index in range(1, trials + 1):
        journal.append(folder / journal.TRIALS_FILE, trial(index=index, round=index))
    return folder


def test_an_id_sorts_by_time_and_tells_the_plan() -> None:
    """Folders in the order of their names are folders in the order of their start."""
    assert re.fullmatch(r"20\d{6}-\d{6}-1a2b3c", run_folders.new_id("1a2b3c4d5e6f"))


def found(folder: Path, wanted: RunRecord = WANTED) -> list[str]:
    """The unfinished runs, by name."""
    return [one.folder.name for one in run_folders.unfinished(folder, wanted, quiet)]


def test_the_unfinished_run_worked_on_last_comes_first(tmp_path: Path) -> None:
    """Whenever it was started; those without a trial come last."""
    made(tmp_path, "20260101-000000-a", trials=1)
    journal.append(
        tmp_path / "20260101-000000-a" / journal.TRIALS_FILE,
        trial(round=2, started="2026-03-09T00:00:00"),
    )
    made(tmp_path, "20260102-000000-a", trials=2)
    made(tmp_path, "20260103-000000-a", trials=1, finished="2026-01-03T01:00:00+00:00")
    made(tmp_path, "20260104-000000-a")
    assert found(tmp_path) == ["20260101-000000-a", "20260102-000000-a", "20260104-000000-a"]
    assert [one.done for one in run_folders.unfinished(tmp_path, WANTED, quiet)] == [2, 2, 0]


def test_a_run_of_something_else_is_another_thing(tmp_path: Path) -> None:
    """Another command, or no cell in common."""
    made(tmp_path, "20260101-000000-a", trials=1, command="single")
    made(tmp_path, "20260102-000000-a", trials=1, cells=("sync_json-uvicorn-w1",))
    assert found(tmp_path) == []


def test_a_run_that_measured_nothing_is_none_if_something_changed(tmp_path: Path) -> None:
    """There is nothing to lose with it; one with a trial is told of."""
    made(tmp_path, "20260101-000000-a", seed=2)
    assert found(tmp_path) == []
    made(tmp_path, "20260102-000000-a", seed=2, trials=1)
    (one,) = run_folders.unfinished(tmp_path, WANTED, quiet)
    assert [change.text for change in one.changes] == ["the seed was 2 and is 1"]


def test_a_run_is_superseded_by_one_that_was_finished_since(tmp_path: Path) -> None:
    """Not by one of before."""
    made(tmp_path, "20260101-000000-a", trials=1)
    made(tmp_path, "20260102-000000-a", finished="2026-03-01T00:00:00+00:00")
    assert [one.superseded for one in run_folders.unfinished(tmp_path, WANTED, quiet)] == [False]
    made(tmp_path, "20260103-000000-a", finished="2026-04-01T00:00:00+00:00")
    assert [one.superseded for one in run_folders.unfinished(tmp_path, WANTED, quiet)] == [True]


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"profile": replace(WANTED.profile, rounds=3)},
        {"cells": ("sync_http-uvicorn-w1",)},
    ],
    ids=["order", "rounds", "fewer cells"],
)
def test_a_run_of_another_kind_supersedes_none(tmp_path: Path, other: dict[str, Any]) -> None:
    """It has not measured what this one was to."""
    wanted = replace(WANTED, cells=("sync_http-uvicorn-w1", "sync_http-uvicorn-w2"))
    made(tmp_path, "20260101-000000-a", trials=1, cells=wanted.cells)
    ended = {"finished": "2026-04-01T00:00:00+00:00", "cells": wanted.cells}
    made(tmp_path, "20260103-000000-a", **ended | other)
    assert [one.superseded for one in run_folders.unfinished(tmp_path, wanted, quiet)] == [False]


@pytest.mark.parametrize("field", ["started", "git", "trials"])
def test_what_does_not_define_the_run_may_differ(tmp_path: Path, field: str) -> None:
    """A commit that changes only the documentation does not cost a night of measuring."""
    others: dict[str, Any] = {"started": "2026-01-01", "git": {}, "trials": 7}
    record_ = run(**{"id": "20260101-000000-a", "finished": None, field: others[field]})
    run_folders.create(tmp_path / record_.id, record_)
    (one,) = run_folders.unfinished(tmp_path, WANTED, quiet)
    assert one.changes == ()


def test_a_damaged_run_is_passed_over_and_named(tmp_path: Path) -> None:
    """Once; a whole one is still found. Files beside the folders don't matter."""
    whole = made(tmp_path, "20260101-000000-a", trials=1)
    for name, content in (("20260102-000000-a", b"{"), ("20260103-000000-a", None)):
        corrupt = made(tmp_path, name) / journal.RUN_FILE
        corrupt.unlink()
        if content is not None:
            corrupt.write_bytes(content)
    (tmp_path / "20260104-notes.txt").touch()
    told: list[str] = []
    (one,) = run_folders.unfinished(tmp_path, WANTED, told.append)
    assert one.folder == whole
    passed = [line.removesuffix("; that run is passed over") for line in told]
    assert passed == [
        f"{tmp_path}/20260103-000000-a/run.json: can't be read: No such file or directory",
        f"{tmp_path}/20260102-000000-a/run.json: it is no JSON",
    ]


def test_damaged_trials_are_told_of_only_where_they_are_needed(tmp_path: Path) -> None:
    """Those of a run that could not simply be resumed stop nobody."""
    changed = made(tmp_path, "20260101-000000-a", trials=1, seed=2)
    (changed / journal.TRIALS_FILE).write_text('{"schema":7}\n', "utf-8")
    assert found(tmp_path) == []
    same = made(tmp_path, "20260102-000000-a", trials=1)
    (same / journal.TRIALS_FILE).write_text('{"schema":7}\n', "utf-8")
    with pytest.raises(BadInputError, match=r"trials\.jsonl: it is of schema 7"):
        found(tmp_path)


def test_there_may_be_no_runs_at_all(tmp_path: Path) -> None:
    """Neither in an empty folder nor in none."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert run_folders.unfinished(folder, WANTED, quiet) == []


def test_finishing_changes_only_the_end(tmp_path: Path) -> None:
    """And then it is not resumed."""
    folder = made(tmp_path, "20260101-000000-a")
    before = journal.read_run(folder / journal.RUN_FILE)
    after = run_folders.finish(folder, "2026-01-01T01:00:00+00:00")
    assert journal.read_run(folder / journal.RUN_FILE) == after
    assert after == run(id=before.id, finished="2026-01-01T01:00:00+00:00")
    assert run_folders.unfinished(tmp_path, WANTED, quiet) == []


def test_create_makes_the_folders_above(tmp_path: Path) -> None:
    """`--output` may name a place that is not there yet."""
    run_folders.create(tmp_path / "a" / "b" / "c", WANTED)
    assert journal.read_run(tmp_path / "a" / "b" / "c" / journal.RUN_FILE) == WANTED


def test_create_where_nothing_can_be_written_is_bad_input(tmp_path: Path) -> None:
    """Option, folder and cause are named."""
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError) as caught:
        run_folders.create(tmp_path / "file" / "run", WANTED)
    assert str(caught.value) == f"--output: {tmp_path}/file/run can't be written: Not a directory"


def test_create_never_takes_a_folder_that_is_there(tmp_path: Path) -> None:
    """Records of another run are not mixed with these, nor overwritten."""
    folder = made(tmp_path, "20260101-000000-a", seed=7)
    with pytest.raises(BadInputError, match="File exists"):
        run_folders.create(folder, WANTED)
    assert journal.read_run(folder / journal.RUN_FILE).seed == 7


def test_create_on_a_full_disk_leaves_no_folder(tmp_path: Path) -> None:
    """An OSError, as elsewhere: the option is not to blame."""
    program = (
        "import resource, sys; from pathlib import Path; from bench.run.history import run_folders;"
        "from tests.support.records import run;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY));"
        "run_folders.create(Path(sys.argv[1]), run())"
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
    assert run_folders.trials_of(folder).records == ()
    recorded = (trial(index=1), trial(index=2, round=2))
    for one in recorded:
        journal.append(folder / journal.TRIALS_FILE, one)
    assert run_folders.trials_of(folder).records == recorded
