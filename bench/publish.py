"""Where reports are written: reports/latest.* and README.md, from a run's records alone.

``latest.run.json``, ``latest.trials.jsonl``, ``latest.controls.jsonl`` and
``latest.series.jsonl`` are copies of the published run's records; everything else is
made from them, so whoever has the checkout can make it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.analysis.results import Results, results
from bench.errors import BadInputError
from bench.paths import ROOT
from bench.profile.told import sentences
from bench.records import atomic, journal
from bench.report import document, markdown
from bench.report import readme as readme_report
from bench.report import summary as one_screen
from bench.run.history import run_folders
from bench.text import line, shown

if TYPE_CHECKING:
    from bench.analysis.rows import Row

README = ROOT / "README.md"
LATEST = "latest."
Warn = Callable[[str], None]  # is told of each corrupt record
Contents = dict[Path, bytes | None]  # new contents; None takes the file away
FILES = (journal.RUN_FILE, journal.TRIALS_FILE, journal.CONTROLS_FILE, journal.SERIES_FILE)


def reports(found: Results) -> dict[str, str]:
    """The reports by name."""
    return {"latest.json": document.document(found), "latest.md": markdown.report(found)}


def publish(folder: Path, output: Path, warn: Warn, *, ended: str | None = None) -> tuple[Row, ...]:
    """Make a run the published one, all its files or none; gives its rows.

    One that has just ended is called finished in the same breath: until its
    reports are written, the same command resumes it.
    """
    found, files = _published(folder, output, warn, ended)
    atomic.replace(files)
    return found.rows


def render(output: Path, run: str | None, summary: Path | None, warn: Warn) -> list[Path]:
    """All reports of the published run, or of the one named; gives the files written."""
    found = recorded(output, run, warn)
    files = _rendered(found, output if run is None else _folder(output, run))
    atomic.replace(files)
    written = list(files)
    if summary is not None:
        with summary.open("a", encoding="utf-8") as file:
            file.write(one_screen.summary(found))
        written.append(summary)
    return written


def update_readme(output: Path, run: str | None, warn: Warn) -> bool:
    """Put a run's tables into README.md (publishing it, if named); gives if it changed."""
    files: Contents = {}
    if run is None:
        found = recorded(output, None, warn)
    else:
        found, files = _published(_folder(output, run), output, warn)
    before = _readme()
    after = readme_report.into_readme(before, found)
    if after != before:
        files[README] = after.encode()
    atomic.replace(files)
    return after != before


def check_readme(output: Path, warn: Warn) -> str | None:
    """What is stale, or None."""
    found = recorded(output, None, warn)
    readme = _readme()
    if readme_report.into_readme(readme, found) != readme:
        return "README.md's tables are stale: `nox -s readme` renews them"
    for name, text in reports(found).items():
        path = output / name
        if not path.is_file() or path.read_bytes() != text.encode():
            return f"{path} is stale: `nox -s report` renews it"
    return None


def _readme() -> str:
    try:
        return README.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{README}: can't be read: {error}") from error


def _published(
    folder: Path, output: Path, warn: Warn, ended: str | None = None
) -> tuple[Results, Contents]:
    """A run's results, and what the published files become with it."""
    found = _read(folder, "", warn)
    files: Contents = {}
    marker: Contents = {}
    if ended is not None:
        found = replace(found, run=replace(found.run, finished=ended))
        marker[folder / journal.RUN_FILE] = journal.run_bytes(found.run)
    for name in reversed(FILES):
        path = folder / name
        # As they are, damage and all: the reports name its lines.
        content = marker.get(path) or (path.read_bytes() if path.is_file() else None)
        files[output / f"{LATEST}{name}"] = content
    # The run says "finished" last: until then the same command publishes it again.
    return found, _rendered(found, output) | files | marker


def _rendered(found: Results, target: Path) -> Contents:
    return {target / name: text.encode() for name, text in reports(found).items()}


def recorded(output: Path, run: str | None, warn: Warn) -> Results:
    """The results of the published run, or of the one named.

    Raises:
        BadInputError: there is no such run, or its records can't be read.
    """
    if run is None:
        published = output / f"{LATEST}{journal.RUN_FILE}"
        if not published.is_file():
            raise BadInputError(
                f"{published}: there is no published run; `nox -s matrix`"
                " makes one, `--run ID` names another"
            )
        return _read(output, LATEST, warn)
    return _read(_folder(output, run), "", warn)


def _folder(output: Path, run: str) -> Path:
    try:
        return run_folders.find(run, output)
    except BadInputError as wrong:
        raise BadInputError(f"--run: {wrong}") from None


def _read(folder: Path, prefix: str, warn: Warn) -> Results:
    """What is whole of the records in a folder, each file's name with a prefix."""
    run, trials, controls, _ = (folder / f"{prefix}{name}" for name in FILES)
    about = journal.read_run(run)
    measured, asked = journal.read_trials(trials), journal.read_controls(controls)
    damage = (*measured.damage, *asked.damage)
    for one in damage:
        warn(line(f"{folder}/{prefix}{one}: left out of what follows"))
    if measured.damage and not measured.records:
        raise BadInputError(f"{trials}: no record in it is intact, so nothing was made from it")
    foreign = {trial.run for trial in measured.records} - {about.id}
    if foreign:
        raise BadInputError(
            f"{trials}: has records of run {shown(min(foreign))}, but {run.name} is of run"
            f" {shown(about.id)}: publishing was interrupted. The same `nox -s matrix` completes"
            " it; `nox -s readme -- --run ID` publishes a run that is finished"
        )
    found = results(about, measured.records, asked.records, damage)
    # A run's folder is reports/runs/ID.
    told = sentences(folder if prefix else folder.parent.parent, about)
    rows = tuple(replace(row, profile=told.get(row.cell)) for row in found.rows)
    return replace(found, rows=rows)
