"""From a run's folder to reports, and again from the published records alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench import publish
from bench.errors import BadInputError
from bench.paths import ROOT
from bench.records import checksum, journal
from bench.report import summary as one_screen
from bench.run.history import run_folders
from tests.support.records import example, series

if TYPE_CHECKING:
    from pathlib import Path

LATEST_RUN, LATEST_TRIALS = (f"{publish.LATEST}{name}" for name in publish.FILES[:2])
REPORTS = ["latest.json", "latest.md"]
PUBLISHED = sorted([*REPORTS, LATEST_RUN, LATEST_TRIALS])


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A reports folder with one run in it, called by its id."""
    run, trials = example(3)
    folder = tmp_path / "reports" / "runs" / run.id
    run_folders.create(folder, run)
    for trial in trials:
        journal.append(folder / journal.TRIALS_FILE, trial)
    return tmp_path / "reports"


@pytest.fixture
def folder(output: Path) -> Path:
    """That run's folder."""
    return output / "runs" / example()[0].id


def quiet(line: str) -> None:
    """Nothing is to be told."""
    pytest.fail(f"told: {line}")


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_publishing_copies_the_records_and_makes_the_reports(output: Path, folder: Path) -> None:
    """Nothing else is left there, no draft either."""
    rows = publish.publish(folder, output, quiet)
    made = files(output)
    assert sorted(made) == PUBLISHED
    assert made[LATEST_RUN] == (folder / journal.RUN_FILE).read_bytes()
    assert made[LATEST_TRIALS] == (folder / journal.TRIALS_FILE).read_bytes()
    assert [row.cell for row in rows] == list(example()[0].cells)


def test_series_are_published_with_the_records(output: Path, folder: Path) -> None:
    """As they are; published anew from a run that has none, none are left."""
    journal.append(folder / journal.SERIES_FILE, series())
    publish.publish(folder, output, quiet)
    published = output / f"{publish.LATEST}{journal.SERIES_FILE}"
    assert published.read_bytes() == (folder / journal.SERIES_FILE).read_bytes()
    assert journal.read_series(published).records == (series(),)
    (folder / journal.SERIES_FILE).unlink()
    publish.publish(folder, output, quiet)
    assert sorted(files(output)) == PUBLISHED


def test_the_same_records_give_the_same_bytes(output: Path, folder: Path) -> None:
    """Published twice, and rendered once more."""
    publish.publish(folder, output, quiet)
    once = files(output)
    publish.publish(folder, output, quiet)
    assert files(output) == once
    assert publish.render(output, None, None, quiet) == [output / name for name in REPORTS]
    assert files(output) == once


def test_a_fresh_copy_of_the_published_records_is_enough(
    output: Path, folder: Path, tmp_path: Path
) -> None:
    """Whoever has the checkout can make every report again."""
    publish.publish(folder, output, quiet)
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in (LATEST_RUN, LATEST_TRIALS):
        shutil.copy(output / name, copy / name)
    publish.render(copy, None, None, quiet)
    assert files(copy) == files(output)


def test_a_run_is_rendered_into_its_own_folder(output: Path, folder: Path) -> None:
    """Named by its id or its folder; the published one is left alone."""
    by_id = publish.render(output, folder.name, None, quiet)
    assert by_id == [folder / name for name in REPORTS]
    once = files(folder)
    assert publish.render(output, str(folder), None, quiet) == by_id
    assert files(folder) == once
    assert files(output) == {}


def test_a_summary_is_added_to(output: Path, folder: Path, tmp_path: Path) -> None:
    """As GitHub's job summary wants it: one screen of the report."""
    publish.publish(folder, output, quiet)
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n", encoding="utf-8")
    assert publish.render(output, None, summary, quiet)[-1] == summary
    found = publish.recorded(output, None, quiet)
    assert summary.read_text(encoding="utf-8") == f"# Before\n{one_screen.summary(found)}"


def damage(folder: Path, prefix: str = "") -> None:
    """Turn a figure of the second trial over, and cut the last one."""
    path = folder / f"{prefix}{journal.TRIALS_FILE}"
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b"1234.5", b"9234.5")
    path.write_bytes(b"\n".join(lines)[:-100])


@pytest.mark.parametrize("published", [False, True])
def test_reports_are_made_from_what_is_whole(
    output: Path,
    folder: Path,
    published: bool,  # noqa: FBT001
) -> None:
    """The damage is told to who asked and to every reader; the records are copied as they are."""
    publish.publish(folder, output, quiet)
    before = files(output)
    damage(*((output, publish.LATEST) if published else (folder,)))
    told: list[str] = []
    if published:
        publish.render(output, None, None, told.append)
    else:
        publish.publish(folder, output, told.append)
    after = files(output)
    assert after[LATEST_TRIALS].endswith(before[LATEST_TRIALS][-150:-100])
    made = json.loads(after["latest.json"])
    assert made["damage"] == [
        {"place": "trials.jsonl:2", "what": "its checksum doesn't match"},
        {"place": "trials.jsonl:21", "what": "it is cut off"},
    ]
    assert [row["trials"] for row in made["rows"]] == [3, 2, 3, 0, 0, 0, 2]
    assert [round(sample["throughput_rps"]) for sample in made["rows"][1]["samples"]] == [
        1247,
        1259,
    ]
    report = after["latest.md"].decode()
    assert "19 of the plan's 21 trials have an intact one.\n\n- trials.jsonl:2 is corrupt" in report
    at = f"{output}/latest." if published else f"{folder}/"
    assert told == [
        f"{at}trials.jsonl:2 is corrupt (its checksum doesn't match): left out of what follows",
        f"{at}trials.jsonl:21 is corrupt (it is cut off): left out of what follows",
    ]


@pytest.mark.parametrize("content", [b"\x00" * 4096, b'{"schema":7}\n' * 3])
def test_where_no_record_is_whole_nothing_is_replaced(
    output: Path, folder: Path, content: bytes
) -> None:
    """The reports are the last that is left of the figures, or another version's."""
    publish.publish(folder, output, quiet)
    (folder / journal.TRIALS_FILE).write_bytes(content)
    (output / LATEST_TRIALS).write_bytes(content)
    before = files(output)
    for again in (
        lambda: publish.publish(folder, output, print),
        lambda: publish.render(output, None, None, print),
    ):
        with pytest.raises(
            BadInputError, match=r"trials\.jsonl: (no record in it is intact|it is of)"
        ):
            again()
        assert files(output) == before


def test_a_run_that_has_just_ended_is_finished_and_published_at_once(
    output: Path, folder: Path
) -> None:
    """Its record says so in both places."""
    run_folders.finish(folder, "")
    publish.publish(folder, output, quiet, ended="2026-03-04T05:17:27+00:00")
    assert journal.read_run(folder / journal.RUN_FILE).finished == "2026-03-04T05:17:27+00:00"
    assert files(output)[LATEST_RUN] == (folder / journal.RUN_FILE).read_bytes()
    assert "to 05:17 UTC" in files(output)["latest.md"].decode()


# A limit that latest.json is beyond, and all else is not: as a disk that fills up on the way.
LIMITED = """
import resource, sys
from pathlib import Path
from bench import publish
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    publish.publish(Path(sys.argv[1]), Path(sys.argv[2]), print, ended="2027-03-04T05:17:27+00:00")
except OSError as error:
    print(error.strerror, error.filename, sep="|")
"""


def test_a_full_disk_publishes_nothing_and_leaves_the_run_unfinished(
    output: Path, folder: Path
) -> None:
    """Every file that was published is as it was, no draft is left, and the run can go on."""
    publish.publish(folder, output, quiet)
    path = folder / journal.TRIALS_FILE
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    before = files(output), files(folder)
    publish.render(output, folder.name, None, quiet)
    room = len((folder / "latest.json").read_bytes()) - 1
    for name in REPORTS:
        (folder / name).unlink()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), str(output), str(room)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == f"File too large|{output}/latest.json\n"
    assert (files(output), files(folder)) == before


# Killed just before the file of that number takes its new name.
KILLED = """
import os, sys
from pathlib import Path
from bench import publish
replace, left = Path.replace, int(sys.argv[3])
def counted(self, target):
    global left
    if not left:
        os.kill(os.getpid(), 9)
    left -= 1
    return replace(self, target)
Path.replace = counted
publish.publish(Path(sys.argv[1]), Path(sys.argv[2]), print, ended="2027-03-04T05:17:27+00:00")
"""


@pytest.mark.parametrize("renamed", range(6))
def test_a_killed_publish_is_completed_by_the_next(
    output: Path, folder: Path, renamed: int
) -> None:
    """The run isn't finished before all is published, and no draft of the killed one stays."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(output), str(renamed)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    finished = journal.read_run(folder / journal.RUN_FILE).finished
    if renamed == 5:  # all five: reports, records, and the run itself last
        assert done.returncode == 0, done.stderr
        assert finished is not None
        return
    assert done.returncode == -9
    assert finished == example(3)[0].finished
    publish.publish(folder, output, quiet, ended="2027-03-04T05:17:27+00:00")
    assert sorted(files(output)) == PUBLISHED
    assert sorted(files(folder)) == [journal.RUN_FILE, journal.TRIALS_FILE]
    assert journal.read_run(folder / journal.RUN_FILE).finished == "2027-03-04T05:17:27+00:00"


def test_published_files_of_two_runs_are_told(output: Path, folder: Path) -> None:
    """What a killed publish leaves must not be rendered as one run."""
    publish.publish(folder, output, quiet)
    other = replace(journal.read_run(folder / journal.RUN_FILE), id="20270304-050607-ffffff")
    journal.write_run(output / LATEST_RUN, other)
    with pytest.raises(BadInputError, match="publishing was interrupted"):
        publish.render(output, None, None, quiet)


def test_without_a_published_run_it_says_how_to_get_one(output: Path) -> None:
    """File and remedy."""
    with pytest.raises(BadInputError) as caught:
        publish.render(output, None, None, quiet)
    assert str(caught.value) == (
        f"{output / LATEST_RUN}: there is no published run; `nox -s matrix` makes one,"
        " `--run ID` names another"
    )


def test_an_unknown_run_lists_the_newest(output: Path, folder: Path, tmp_path: Path) -> None:
    """Or says that there is none."""
    with pytest.raises(BadInputError) as caught:
        publish.render(output, "nowhere", None, quiet)
    assert str(caught.value) == (
        f"--run: found nowhere, allowed: a run's id or folder; the newest: {folder.name}"
    )
    with pytest.raises(BadInputError, match="the newest: none"):
        publish.render(tmp_path, "nowhere", None, quiet)


@pytest.mark.parametrize("lacks", ["host", "profile"])
def test_a_run_record_without_what_a_report_needs_is_bad_input(
    output: Path, folder: Path, lacks: str
) -> None:
    """Recorded JSON is outside data: no traceback reaches a person."""
    path = folder / journal.RUN_FILE
    whole = json.loads(b"{" + path.read_bytes().partition(b",")[2]) | {lacks: {}}
    path.write_bytes(checksum.seal(json.dumps(whole, indent=1).encode(), checksum.PAGE))
    with pytest.raises(BadInputError, match=rf"run\.json: it is no record .*: {lacks}\."):
        publish.publish(folder, output, quiet)
