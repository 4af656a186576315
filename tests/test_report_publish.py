"""From a run's folder to reports, and again from the published records alone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from bench import publish, record
from bench.problem import BadInput
from bench.run import runs
from tests.support.records import example

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
    runs.create(folder, run)
    for trial in trials:
        record.append(folder / runs.TRIALS_FILE, trial)
    return tmp_path / "reports"


@pytest.fixture
def folder(output: Path) -> Path:
    """That run's folder."""
    return output / "runs" / example()[0].id


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_publishing_copies_the_records_and_makes_the_reports(output: Path, folder: Path) -> None:
    """Nothing else is left there, no draft either."""
    rows = publish.publish(folder, output)
    made = files(output)
    assert sorted(made) == PUBLISHED
    assert made[LATEST_RUN] == (folder / runs.RUN_FILE).read_bytes()
    assert made[LATEST_TRIALS] == (folder / runs.TRIALS_FILE).read_bytes()
    assert [row.cell for row in rows] == list(example()[0].cells)


def test_the_same_records_give_the_same_bytes(output: Path, folder: Path) -> None:
    """Published twice, and rendered once more."""
    publish.publish(folder, output)
    once = files(output)
    publish.publish(folder, output)
    assert files(output) == once
    assert publish.render(output, None, None) == [output / name for name in REPORTS]
    assert files(output) == once


def test_a_fresh_copy_of_the_published_records_is_enough(
    output: Path, folder: Path, tmp_path: Path
) -> None:
    """Whoever has the checkout can make every report again."""
    publish.publish(folder, output)
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in (LATEST_RUN, LATEST_TRIALS):
        shutil.copy(output / name, copy / name)
    publish.render(copy, None, None)
    assert files(copy) == files(output)


def test_a_run_is_rendered_into_its_own_folder(output: Path, folder: Path) -> None:
    """Named by its id or its folder; the published one is left alone."""
    by_id = publish.render(output, folder.name, None)
    assert by_id == [folder / name for name in REPORTS]
    once = files(folder)
    assert publish.render(output, str(folder), None) == by_id
    assert files(folder) == once
    assert files(output) == {}


def test_a_summary_is_added_to(output: Path, folder: Path, tmp_path: Path) -> None:
    """As GitHub's job summary wants it."""
    publish.publish(folder, output)
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n", encoding="utf-8")
    assert publish.render(output, None, summary)[-1] == summary
    report = (output / "latest.md").read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8") == f"# Before\n{report}"


def test_damaged_records_publish_nothing(output: Path, folder: Path) -> None:
    """What was published before stays whole."""
    publish.publish(folder, output)
    before = files(output)
    with (folder / runs.TRIALS_FILE).open("ab") as file:
        file.write(b'{"torn')
    with pytest.raises(BadInput, match=r"trials\.jsonl:22: "):
        publish.publish(folder, output)
    assert files(output) == before


def test_without_a_published_run_it_says_how_to_get_one(output: Path) -> None:
    """File and remedy."""
    with pytest.raises(BadInput) as caught:
        publish.render(output, None, None)
    assert str(caught.value) == (
        f"{output / LATEST_RUN}: there is no published run; `nox -s matrix` makes one,"
        " `--run ID` names another"
    )


def test_an_unknown_run_lists_the_newest(output: Path, folder: Path, tmp_path: Path) -> None:
    """Or says that there is none."""
    with pytest.raises(BadInput) as caught:
        publish.render(output, "nowhere", None)
    assert str(caught.value) == (
        f"--run: found nowhere, allowed: a run's id or folder; the newest: {folder.name}"
    )
    with pytest.raises(BadInput, match="the newest: none"):
        publish.render(tmp_path, "nowhere", None)


@pytest.mark.parametrize("lacks", ["host", "profile"])
def test_a_run_record_without_what_a_report_needs_is_bad_input(
    output: Path, folder: Path, lacks: str
) -> None:
    """Recorded JSON is outside data: no traceback reaches a person."""
    path = folder / runs.RUN_FILE
    whole = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**whole, lacks: {}}), encoding="utf-8")
    with pytest.raises(BadInput, match=r"run\.json"):
        publish.publish(folder, output)
