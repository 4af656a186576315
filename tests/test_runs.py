"""Run folders: which is gone on with, which is the newest, how one ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bench import record
from bench.problem import BadInput
from bench.run import runs
from tests.support.records import run, trial

if TYPE_CHECKING:
    from pathlib import Path

    from bench.record import RunRecord

WANTED = run(finished=None)


def made(tmp_path: Path, name: str, *, trials: int = 0, **overrides: Any) -> Path:
    """A run's folder."""
    folder = tmp_path / name
    runs.create(folder, run(**{"id": name, "finished": None, **overrides}))
    for index in range(1, trials + 1):
        record.append(folder / runs.TRIALS_FILE, trial(index=index))
    return folder


def test_an_id_sorts_by_time_and_tells_the_plan() -> None:
    """Folders in the order of their names are folders in the order of their start."""
    assert re.fullmatch(r"20\d{6}-\d{6}-1a2b3c", runs.new_id("1a2b3c4d5e6f"))


def found(folder: Path, wanted: RunRecord = WANTED) -> list[str]:
    """The unfinished runs, by name."""
    return [one.folder.name for one in runs.unfinished(folder, wanted)]


def test_the_unfinished_run_worked_on_last_comes_first(tmp_path: Path) -> None:
    """Whenever it was started; those without a trial come last."""
    made(tmp_path, "20260101-000000-a", trials=1)
    record.append(
        tmp_path / "20260101-000000-a" / runs.TRIALS_FILE, trial(started="2026-03-09T00:00:00")
    )
    made(tmp_path, "20260102-000000-a", trials=2)
    made(tmp_path, "20260103-000000-a", trials=1, finished="2026-01-03T01:00:00+00:00")
    made(tmp_path, "20260104-000000-a")
    assert found(tmp_path) == ["20260101-000000-a", "20260102-000000-a", "20260104-000000-a"]
    assert [one.done for one in runs.unfinished(tmp_path, WANTED)] == [2, 2, 0]


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
    (one,) = runs.unfinished(tmp_path, WANTED)
    assert [change.text for change in one.changes] == ["the seed was 2 and is 1"]


def test_a_run_is_superseded_by_one_that_was_finished_since(tmp_path: Path) -> None:
    """Not by one of before."""
    made(tmp_path, "20260101-000000-a", trials=1)
    made(tmp_path, "20260102-000000-a", finished="2026-03-01T00:00:00+00:00")
    assert [one.superseded for one in runs.unfinished(tmp_path, WANTED)] == [False]
    made(tmp_path, "20260103-000000-a", finished="2026-04-01T00:00:00+00:00")
    assert [one.superseded for one in runs.unfinished(tmp_path, WANTED)] == [True]


@pytest.mark.parametrize("field", ["started", "git", "trials"])
def test_what_does_not_define_the_run_may_differ(tmp_path: Path, field: str) -> None:
    """A commit that changes only the documentation does not cost a night of measuring."""
    others: dict[str, Any] = {"started": "2026-01-01", "git": {}, "trials": 7}
    record_ = run(**{"id": "20260101-000000-a", "finished": None, field: others[field]})
    runs.create(tmp_path / record_.id, record_)
    (one,) = runs.unfinished(tmp_path, WANTED)
    assert one.changes == ()


def test_a_damaged_run_is_passed_over(tmp_path: Path) -> None:
    """An older whole one is still found; files beside the folders don't matter."""
    whole = made(tmp_path, "20260101-000000-a", trials=1)
    damaged = made(tmp_path, "20260102-000000-a", trials=1)
    (damaged / runs.RUN_FILE).write_text("{", "utf-8")
    (tmp_path / "20260103-000000-a").mkdir()
    (tmp_path / "20260104-notes.txt").touch()
    assert found(tmp_path) == [whole.name]
    assert runs.newest(tmp_path) == whole


def test_damaged_trials_are_told_of_only_where_they_are_needed(tmp_path: Path) -> None:
    """Those of a run that could not simply be gone on with stop nobody."""
    changed = made(tmp_path, "20260101-000000-a", trials=1, seed=2)
    (changed / runs.TRIALS_FILE).write_text("{\n{\n", "utf-8")
    assert found(tmp_path) == []
    same = made(tmp_path, "20260102-000000-a", trials=1)
    (same / runs.TRIALS_FILE).write_text("{\n{\n", "utf-8")
    with pytest.raises(BadInput, match=r"trials\.jsonl:1: "):
        found(tmp_path)


def test_there_may_be_no_runs_at_all(tmp_path: Path) -> None:
    """Neither in an empty folder nor in none."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert runs.unfinished(folder, WANTED) == []
        assert runs.newest(folder) is None


def test_the_newest_is_the_last_that_measured_something(tmp_path: Path) -> None:
    """Finished or not; one interrupted before its first trial has nothing to show."""
    made(tmp_path, "20260101-000000-a", trials=1, finished="2026-01-01T01:00:00+00:00")
    wanted = made(tmp_path, "20260102-000000-a", trials=1)
    made(tmp_path, "20260103-000000-a")
    assert runs.newest(tmp_path) == wanted


def test_the_newest_of_one_command(tmp_path: Path) -> None:
    """A single run does not stand in for the matrix."""
    matrix = made(tmp_path, "20260101-000000-a", trials=1)
    single = made(tmp_path, "20260102-000000-a", trials=1, command="single")
    assert runs.newest(tmp_path, command="matrix") == matrix
    assert runs.newest(tmp_path, command="single") == single
    assert runs.newest(tmp_path, command="other") is None


def test_finishing_changes_only_the_end(tmp_path: Path) -> None:
    """And then it is not gone on with."""
    folder = made(tmp_path, "20260101-000000-a")
    before = record.read_run(folder / runs.RUN_FILE)
    after = runs.finish(folder, "2026-01-01T01:00:00+00:00")
    assert record.read_run(folder / runs.RUN_FILE) == after
    assert after == run(id=before.id, finished="2026-01-01T01:00:00+00:00")
    assert runs.unfinished(tmp_path, WANTED) == []


def test_create_makes_the_folders_above(tmp_path: Path) -> None:
    """`--output` may name a place that is not there yet."""
    runs.create(tmp_path / "a" / "b" / "c", WANTED)
    assert record.read_run(tmp_path / "a" / "b" / "c" / runs.RUN_FILE) == WANTED


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
    assert record.read_run(folder / runs.RUN_FILE).seed == 7


def test_trials_of_a_run(tmp_path: Path) -> None:
    """None before the first has ended, then all."""
    folder = made(tmp_path, "20260101-000000-a")
    assert runs.trials_of(folder) == ()
    record.append(folder / runs.TRIALS_FILE, trial(index=1))
    record.append(folder / runs.TRIALS_FILE, trial(index=2))
    assert runs.trials_of(folder) == (trial(index=1), trial(index=2))
