"""`nox -s export` as a person gives it: where it goes, and what is told where it can't."""

from __future__ import annotations

import csv
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench import export_file
from bench.documents.commands import commands
from bench.paths import ROOT
from bench.records import journal
from bench.run.history import run_folders
from tests.support.fuzz import command
from tests.support.records import example

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
COMMANDS = commands(DOCUMENT)
TEXTS = ("csv", "benchmark-action", "benchfmt", "openmetrics")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recorded run."""
    made, trials = example(3)
    found = tmp_path / "runs" / made.id
    run_folders.create(found, made)
    for trial in trials:
        journal.append(found / journal.TRIALS_FILE, trial)
    return found


@pytest.mark.parametrize("format_", TEXTS)
def test_a_file_has_what_standard_output_has(format_: str, folder: Path, tmp_path: Path) -> None:
    """To the byte, and it takes the place of an older one."""
    target = tmp_path / "target"
    target.write_text("older", encoding="utf-8")
    printed = command("export", format_, "--run", str(folder))
    written = command("export", format_, "--run", str(folder), "--output", str(target))
    assert (printed.status, written.status) == (0, 0)
    assert printed.out
    assert target.read_bytes() == printed.out.encode()
    assert written.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "target"]


def test_parquet_needs_a_file(folder: Path, tmp_path: Path) -> None:
    """Bytes don't belong on a terminal; the message says what to type."""
    done = command("export", "parquet", "--run", str(folder))
    assert done.status == 2
    assert "`nox -s export -- parquet --output cells.parquet`" in done.err
    target = tmp_path / "cells.parquet"
    assert command("export", "parquet", "--run", str(folder), "--output", str(target)).status == 0
    assert target.read_bytes()[:4] == b"PAR1"


def test_parquet_without_pyarrow_says_what_has_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the environment that measures: exit status 3, and nothing is written."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    target = tmp_path / "cells.parquet"
    done = command("export", "parquet", "--run", str(folder), "--output", str(target))
    assert done.status == 3
    assert "`nox -s export -- parquet --output FILE`" in done.err
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["xml"], "invalid choice"),
        ([], "required"),
        (["csv", "--run", "none"], "allowed: a run's id or folder"),
        (["csv", "--metric", "p50_ms"], "only benchmark-action has one"),
        (["benchmark-action", "--metric", "p51_ms"], "invalid choice"),
        (["csv", "--output", "."], "."),
        (["csv", "--output", "no/such/file"], "no/such/file"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str], told: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With exit status 2; nothing is printed, and no traceback."""
    monkeypatch.chdir(folder)
    where = [] if "--run" in arguments or len(arguments) < 2 else ["--run", str(folder)]
    done = command("export", *arguments, *where)
    assert done.status == 2
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert done.out == ""


def test_without_a_published_run_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what makes one."""
    monkeypatch.setattr(export_file, "REPORTS", tmp_path)
    done = command("export", "csv")
    assert done.status == 2
    assert "`nox -s matrix`" in done.err


def test_corrupt_records_are_named(folder: Path) -> None:
    """On standard error, so that the export itself stays whole."""
    path = folder / journal.TRIALS_FILE
    path.write_bytes(path.read_bytes()[:-100])
    done = command("export", "csv", "--run", str(folder))
    assert done.status == 0
    assert "left out" in done.err
    assert "left out" not in done.out


def test_a_reader_may_stop_early(folder: Path) -> None:
    """As `head` does: no complaint."""
    words = [sys.executable, "-m", "bench", "export", "openmetrics", "--run", str(folder)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


# -- docs/export.md


def test_the_document_names_every_format() -> None:
    """With a command for each."""
    assert {one.posargs[0] for one in COMMANDS if "--output" in one.posargs} == {*TEXTS, "parquet"}


def test_the_published_run_reads_as_a_table() -> None:
    """Every cell of reports/latest.json, once."""
    done = command("export", "csv")
    rows = list(csv.DictReader(done.out.splitlines()))
    assert len({row["cell"] for row in rows}) == len(rows) > 1
