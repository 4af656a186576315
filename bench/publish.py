"""Where reports are written: reports/latest.* and README.md, from a run's records alone.

``latest.run.json``, ``latest.trials.jsonl`` and ``latest.controls.jsonl`` are
copies of the published run's records; everything else is made from them, so
whoever has the checkout can make it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench import ledger, whole
from bench.analysis.findings import Findings, findings
from bench.config.findings import shown
from bench.problem import BadInput
from bench.report import document, markdown
from bench.report.text import line
from bench.run.paths import ROOT

if TYPE_CHECKING:
    from bench.analysis.rows import Row

README = ROOT / "README.md"
LATEST = "latest."
Warn = Callable[[str], None]  # is told of each damaged record
Contents = dict[Path, bytes | None]  # new contents; None takes the file away
FILES = (ledger.RUN_FILE, ledger.TRIALS_FILE, ledger.CONTROLS_FILE)


def reports(found: Findings) -> dict[str, str]:
    """The reports by name."""
    return {"latest.json": document.document(found), "latest.md": markdown.report(found)}


def publish(folder: Path, output: Path, warn: Warn, *, ended: str | None = None) -> tuple[Row, ...]:
    """Make a run the published one, all its files or none; gives its rows.

    One that has just ended is called finished in the same breath: until its
    reports are written, the same command goes on with it.
    """
    found, files = _published(folder, output, warn, ended)
    whole.replace(files)
    return found.rows


def render(output: Path, run: str | None, summary: Path | None, warn: Warn) -> list[Path]:
    """All reports of the published run, or of the one named; gives the files written."""
    found = recorded(output, run, warn)
    files = _rendered(found, output if run is None else _folder(output, run))
    whole.replace(files)
    written = list(files)
    if summary is not None:
        with summary.open("a", encoding="utf-8") as file:
            file.write(markdown.report(found))
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
    after = markdown.into_readme(before, found)
    if after != before:
        files[README] = after.encode()
    whole.replace(files)
    return after != before


def check_readme(output: Path, warn: Warn) -> str | None:
    """What is stale, or None."""
    found = recorded(output, None, warn)
    readme = _readme()
    if markdown.into_readme(readme, found) != readme:
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
        raise BadInput(f"{README}: can't be read: {error}") from error


def _published(
    folder: Path, output: Path, warn: Warn, ended: str | None = None
) -> tuple[Findings, Contents]:
    """A run's findings, and what the published files become with it."""
    found = _read(folder, "", warn)
    files: Contents = {}
    if ended is not None:
        found = replace(found, run=replace(found.run, finished=ended))
        files[folder / ledger.RUN_FILE] = ledger.run_bytes(found.run)
    for name in FILES:
        path = folder / name
        # As they are, damage and all: the reports name its lines.
        content = files.get(path) or (path.read_bytes() if path.is_file() else None)
        files[output / f"{LATEST}{name}"] = content
    return found, files | _rendered(found, output)


def _rendered(found: Findings, target: Path) -> Contents:
    return {target / name: text.encode() for name, text in reports(found).items()}


def recorded(output: Path, run: str | None, warn: Warn) -> Findings:
    """The findings of the published run, or of the one named.

    Raises:
        BadInput: there is no such run, or its records can't be read.
    """
    if run is None:
        published = output / f"{LATEST}{ledger.RUN_FILE}"
        if not published.is_file():
            raise BadInput(
                f"{published}: there is no published run; `nox -s matrix`"
                " makes one, `--run ID` names another"
            )
        return _read(output, LATEST, warn)
    return _read(_folder(output, run), "", warn)


def _folder(output: Path, run: str) -> Path:
    for folder in (output / "runs" / run, Path(run)):
        if (folder / ledger.RUN_FILE).is_file():
            return folder
    known = sorted(path.name for path in (output / "runs").glob("*") if path.is_dir())
    listed = ", ".join(known[-5:]) or "none"
    raise BadInput(
        f"--run: found {shown(run)}, allowed: a run's id or folder; the newest: {shown(listed)}"
    )


def _read(folder: Path, prefix: str, warn: Warn) -> Findings:
    """What is whole of the records in a folder, each file's name with a prefix."""
    run, trials, controls = (folder / f"{prefix}{name}" for name in FILES)
    about = ledger.read_run(run)
    measured, asked = ledger.read_trials(trials), ledger.read_controls(controls)
    damage = (*measured.damage, *asked.damage)
    for one in damage:
        warn(line(f"{folder}/{prefix}{one}: left out of what follows"))
    if measured.damage and not measured.records:
        raise BadInput(f"{trials}: no record in it is whole, so nothing was made from it")
    return findings(about, measured.records, asked.records, damage)
