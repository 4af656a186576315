"""Where reports are written: reports/latest.* and README.md, from a run's records alone.

``latest.run.json``, ``latest.trials.jsonl`` and ``latest.controls.jsonl`` are
copies of the published run's records; everything else is made from them, so
whoever has the checkout can make it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench import record
from bench.analysis.findings import Findings, findings
from bench.config.findings import shown
from bench.problem import BadInput
from bench.report import document, markdown
from bench.run import runs
from bench.run.paths import ROOT

if TYPE_CHECKING:
    from bench.analysis.rows import Row

README = ROOT / "README.md"
LATEST = "latest."
FILES = (runs.RUN_FILE, runs.TRIALS_FILE, runs.CONTROLS_FILE)


def reports(found: Findings) -> dict[str, str]:
    """The reports by name."""
    return {"latest.json": document.document(found), "latest.md": markdown.report(found)}


def publish(folder: Path, output: Path) -> tuple[Row, ...]:
    """Make a run the published one; gives its rows."""
    found = _read(folder, "")
    reports(found)  # if they can't be rendered, nothing is replaced
    for name in FILES:
        source, target = folder / name, output / f"{LATEST}{name}"
        if source.is_file():
            record.write_whole(target, source.read_text(encoding="utf-8"))
        else:
            target.unlink(missing_ok=True)
    _write(found, output)
    return found.rows


def render(output: Path, run: str | None, summary: Path | None) -> list[Path]:
    """All reports of the published run, or of the one named; gives the files written."""
    found = recorded(output, run)
    target = output if run is None else _folder(output, run)
    written = _write(found, target)
    if summary is not None:
        with summary.open("a", encoding="utf-8") as file:
            file.write(markdown.report(found))
        written.append(summary)
    return written


def update_readme(output: Path, run: str | None) -> bool:
    """Put a run's tables into README.md (publishing it first, if named); gives if it changed."""
    if run is not None:
        publish(_folder(output, run), output)
    found = recorded(output, None)
    before = _readme()
    after = markdown.into_readme(before, found)
    if after != before:
        record.write_whole(README, after)
    return after != before


def check_readme(output: Path) -> str | None:
    """What is stale, or None."""
    found = recorded(output, None)
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


def _write(found: Findings, target: Path) -> list[Path]:
    for name, text in reports(found).items():
        record.write_whole(target / name, text)
    return [target / name for name in reports(found)]


def recorded(output: Path, run: str | None) -> Findings:
    """The findings of the published run, or of the one named.

    Raises:
        BadInput: there is no such run, or its records can't be read.
    """
    if run is None:
        published = output / f"{LATEST}{runs.RUN_FILE}"
        if not published.is_file():
            raise BadInput(
                f"{published}: there is no published run; `nox -s matrix`"
                " makes one, `--run ID` names another"
            )
        return _read(output, LATEST)
    return _read(_folder(output, run), "")


def _folder(output: Path, run: str) -> Path:
    for folder in (output / "runs" / run, Path(run)):
        if (folder / runs.RUN_FILE).is_file():
            return folder
    known = sorted(path.name for path in (output / "runs").glob("*") if path.is_dir())
    listed = ", ".join(known[-5:]) or "none"
    raise BadInput(
        f"--run: found {shown(run)}, allowed: a run's id or folder; the newest: {shown(listed)}"
    )


def _read(folder: Path, prefix: str) -> Findings:
    """The records in a folder, each file's name with a prefix."""
    run, trials, controls = (folder / f"{prefix}{name}" for name in FILES)
    return findings(
        record.read_run(run), record.read_trials(trials), record.read_controls(controls)
    )
