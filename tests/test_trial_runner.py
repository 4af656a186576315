"""From a trial's raw files to its record, and what becomes of the files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bench.digest.control import digest_control
from bench.digest.trial import digest
from bench.paths import ROOT
from bench.plan import Cell, PlannedTrial, make_plan
from bench.records.model import Outcome
from bench.run.trial_runner import TrialRunner, _demand_room
from bench.selfcheck.trial_folder import PROFILE, write_trial

if TYPE_CHECKING:
    from pathlib import Path

PLANNED = PlannedTrial(7, 1, Cell("sync", "json", "uvicorn", 1, "3.12"))
LAB: Any = None  # nothing is started here
# Under a limit on file sizes a write fails as on a full disk, for whoever runs the tests.
LIMITED = """
import resource, sys
from pathlib import Path
from bench.run.trial_runner import _compress
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    _compress(Path(sys.argv[1]))
except OSError as error:
    print(error.strerror, error.filename, sep="|")
"""


def bench(folder: Path, *, keep_raw: bool = True) -> TrialRunner:
    """What measures, for a run in this folder."""
    plan = make_plan([PLANNED.cell], PROFILE, seed=1)
    return TrialRunner("a-run", plan, LAB, {}, folder, keep_raw)


def raw(folder: Path) -> Path:
    """Where the raw files of that trial are."""
    path = folder / "raw" / "r01-sync_json-uvicorn-w1"
    path.mkdir(parents=True)
    return path


def names(folder: Path) -> list[str]:
    """All files, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def test_whole_raw_files_are_a_measured_trial(tmp_path: Path) -> None:
    """The other side of the tests below."""
    write_trial(raw(tmp_path))
    record = bench(tmp_path)._digest(PLANNED)
    assert (record.outcome, record.reason) == (Outcome.MEASURED, None)
    assert record.measured is not None


@pytest.mark.parametrize("name", ["trial.json", "generator.json", "requests.bin", "samples.jsonl"])
@pytest.mark.parametrize("damage", ["missing", "a folder", "zeros"])
def test_a_raw_file_that_cannot_be_read_is_a_failed_row(
    tmp_path: Path, name: str, damage: str
) -> None:
    """With the file as the reason; the run goes on."""
    path = write_trial(raw(tmp_path)) / name
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage == "zeros":
        path.write_bytes(b"\0" * 13)
    record = bench(tmp_path)._digest(PLANNED)
    assert (record.index, record.outcome, record.measured) == (7, Outcome.FAILED, None)
    assert record.reason is not None
    assert record.reason.startswith(name)


@pytest.mark.parametrize("content", ["[]", "{}", "null"])
def test_facts_that_say_nothing_are_a_failed_row(tmp_path: Path, content: str) -> None:
    """Of a trial, and of a control."""
    (write_trial(raw(tmp_path)) / "trial.json").write_text(content, "utf-8")
    reason = "trial.json is corrupt"
    assert str(bench(tmp_path)._digest(PLANNED).reason).startswith(reason)
    folder = tmp_path / "raw" / "r01-sync_json-uvicorn-w1"
    control = digest_control(folder, run="r", when="start", wait_ms=0, users=4)
    assert str(control.reason).startswith(reason)
    assert control.throughput_rps is None


@pytest.mark.parametrize("keep_raw", [True, False])
def test_put_away_compresses_or_drops(tmp_path: Path, keep_raw: bool) -> None:  # noqa: FBT001
    """Compressed they say the same; a failed trial's are kept in any case."""
    folder = write_trial(raw(tmp_path))
    plain = names(folder)
    before = digest(folder)
    one = bench(tmp_path, keep_raw=keep_raw)
    record = one._digest(PLANNED)
    one.put_away(record)
    assert folder.exists() == keep_raw
    if keep_raw:
        assert names(folder) == [f"{name}.gz" for name in plain]
        assert digest(folder) == before
    one.put_away(record)  # nothing to do, or to be found


def test_a_failed_trials_raw_files_are_kept(tmp_path: Path) -> None:
    """Whoever looks for the cause needs them."""
    folder = write_trial(raw(tmp_path), facts={"failure": "it did not start"})
    one = bench(tmp_path, keep_raw=False)
    record = one._digest(PLANNED)
    one.put_away(record)
    assert record.reason == "it did not start"
    assert "trial.json.gz" in names(folder)


def test_without_room_to_compress_the_raw_files_stay_readable(tmp_path: Path) -> None:
    """The file is named, and no half compressed one hides the whole one."""
    folder = write_trial(raw(tmp_path))
    plain = names(folder)
    before = digest(folder)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(f"File too large|{folder}/")
    assert {name.removesuffix(".gz") for name in names(folder)} == set(plain)
    assert digest(folder) == before


def test_without_room_no_trial_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server that is killed for want of room leaves would be called a failed trial."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2 * 10**6))
    with pytest.raises(OSError, match="1 MB are free, a trial may need 64") as caught:
        _demand_room(tmp_path)
    assert caught.value.filename == str(tmp_path)
