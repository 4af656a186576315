"""From a trial's raw files to its record, and what becomes of the files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bench.digest.control import digest_control
from bench.digest.trial import digest
from bench.paths import ROOT
from bench.plan import Cell, PlannedTrial, make_plan
from bench.records import journal
from bench.records.model import Outcome
from bench.records.trial_files import Throttle
from bench.run.schedule import Hands, run_plan
from bench.run.trial_runner import TrialRunner, _demand_room
from bench.selfcheck.trial_folder import PROFILE, write_trial

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.model import TrialRecord

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
    return TrialRunner("a-run", plan, LAB, {}, folder, keep_raw, cores=2)


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


def kept(runner: TrialRunner, record: TrialRecord) -> None:
    """As a run keeps a trial."""
    journal.append(runner.folder / journal.TRIALS_FILE, record)
    runner.put_away(record)


def test_a_measured_trial_has_its_series_beside_its_record(tmp_path: Path) -> None:
    """Both by the same name, once; no raw file is needed for it afterwards."""
    write_trial(raw(tmp_path))
    one = bench(tmp_path, keep_raw=False)
    record = one._digest(PLANNED)
    assert not (tmp_path / journal.SERIES_FILE).exists()  # not before its record
    kept(one, record)
    one.put_away(record)
    (found,) = journal.read_series(tmp_path / journal.SERIES_FILE).records
    assert (found.run, found.index, found.round, found.cell, found.twin) == (
        record.run, record.index, record.round, record.cell, record.twin,
    )  # fmt: skip
    assert one.series == {}


def test_a_series_tells_what_disturbed_its_trial(tmp_path: Path) -> None:
    """In the reports' own words."""
    facts = {"throttle_t0": Throttle(1.0, 5), "throttle_t1": Throttle(1.5, 5)}
    write_trial(raw(tmp_path), facts=facts)
    one = bench(tmp_path)
    kept(one, one._digest(PLANNED))
    (found,) = journal.read_series(tmp_path / journal.SERIES_FILE).records
    assert found.disturbances == ("a CPU quota stopped processes for 500 ms of the window",)


def test_a_failed_trial_has_no_series(tmp_path: Path) -> None:
    """There is nothing to draw."""
    write_trial(raw(tmp_path), facts={"failure": "it did not start"})
    one = bench(tmp_path)
    kept(one, one._digest(PLANNED))
    assert journal.read_series(tmp_path / journal.SERIES_FILE).records == ()


# Killed between a trial's record and its series.
KILLED = """
import os, sys
from pathlib import Path
from bench.records import journal
from tests.test_trial_runner import PLANNED, bench, kept
class Killed(dict):
    def pop(self, *_):
        os.kill(os.getpid(), 9)
one = bench(Path(sys.argv[1]))
record = one._digest(PLANNED)
object.__setattr__(one, "series", Killed(one.series))
kept(one, record)
"""


def test_a_kill_between_record_and_series_loses_no_trial_and_doubles_none(tmp_path: Path) -> None:
    """The next start measures nothing again: that trial just has no series, and all others do."""
    write_trial(raw(tmp_path))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -9
    recorded = journal.read_trials(tmp_path / journal.TRIALS_FILE)
    assert (len(recorded.records), recorded.damage) == (1, ())
    assert journal.read_series(tmp_path / journal.SERIES_FILE).records == ()

    one = bench(tmp_path)
    other = replace(PLANNED, round=2, index=2)
    write_trial(tmp_path / "raw" / "r02-sync_json-uvicorn-w1")
    plan = replace(one.plan, trials=(replace(PLANNED, index=1), other))
    measured = []

    def measure(planned: PlannedTrial) -> TrialRecord:
        measured.append(planned.round)
        return one._digest(planned)

    hands = Hands(measure, lambda record: kept(one, record), lambda *_: None)
    run_plan(plan, recorded.records, 2, hands)
    assert measured == [2]
    assert [each.round for each in journal.read_trials(tmp_path / journal.TRIALS_FILE).records] == [
        1, 2,
    ]  # fmt: skip
    series = journal.read_series(tmp_path / journal.SERIES_FILE)
    assert ([each.round for each in series.records], series.damage) == ([2], ())


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
