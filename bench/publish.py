"""Where reports are written: reports/latest.* and README.md, from a run's records alone.

``latest.run.json`` and ``latest.trials.jsonl`` are copies of the published
run's records; everything else is made from them, so whoever has the checkout
can make it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import record
from bench.analysis.rows import Row, rows
from bench.problem import BadInput
from bench.report import document, markdown
from bench.run import runs
from bench.run.paths import ROOT

if TYPE_CHECKING:
    from bench.record import RunRecord

README = ROOT / "README.md"
LATEST_RUN = "latest.run.json"
LATEST_TRIALS = "latest.trials.jsonl"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run with the rows that follow from its trials."""

    run: RunRecord
    rows: tuple[Row, ...]

    def files(self) -> dict[str, str]:
        """The reports by name."""
        return {
            "latest.json": document.document(self.run, self.rows),
            "latest.md": markdown.report(self.run, self.rows),
        }


def publish(folder: Path, output: Path) -> tuple[Row, ...]:
    """Make a run the published one; gives its rows."""
    recorded = _read(folder / runs.RUN_FILE, folder / runs.TRIALS_FILE)
    recorded.files()  # if they can't be rendered, nothing is replaced
    for source, name in ((runs.TRIALS_FILE, LATEST_TRIALS), (runs.RUN_FILE, LATEST_RUN)):
        record.write_whole(output / name, (folder / source).read_text(encoding="utf-8"))
    _write(recorded, output)
    return recorded.rows


def render(output: Path, run: str | None, summary: Path | None) -> list[Path]:
    """All reports of the published run, or of the one named; gives the files written."""
    recorded = _recorded(output, run)
    target = output if run is None else _folder(output, run)
    written = _write(recorded, target)
    if summary is not None:
        with summary.open("a", encoding="utf-8") as file:
            file.write(markdown.report(recorded.run, recorded.rows))
        written.append(summary)
    return written


def update_readme(output: Path, run: str | None) -> bool:
    """Put a run's tables into README.md (publishing it first, if named); gives if it changed."""
    if run is not None:
        publish(_folder(output, run), output)
    recorded = _recorded(output, None)
    before = README.read_text(encoding="utf-8")
    after = markdown.into_readme(before, recorded.run, recorded.rows)
    if after != before:
        record.write_whole(README, after)
    return after != before


def check_readme(output: Path) -> str | None:
    """What is stale, or None."""
    recorded = _recorded(output, None)
    readme = README.read_text(encoding="utf-8")
    if markdown.into_readme(readme, recorded.run, recorded.rows) != readme:
        return "README.md's tables are stale: `nox -s readme` renews them"
    for name, text in recorded.files().items():
        path = output / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            return f"{path} is stale: `nox -s report` renews it"
    return None


def _write(recorded: Recorded, target: Path) -> list[Path]:
    for name, text in recorded.files().items():
        record.write_whole(target / name, text)
    return [target / name for name in recorded.files()]


def _recorded(output: Path, run: str | None) -> Recorded:
    if run is None:
        if not (output / LATEST_RUN).is_file():
            raise BadInput(
                f"{output / LATEST_RUN}: there is no published run; `nox -s matrix`"
                " makes one, `--run ID` names another"
            )
        return _read(output / LATEST_RUN, output / LATEST_TRIALS)
    folder = _folder(output, run)
    return _read(folder / runs.RUN_FILE, folder / runs.TRIALS_FILE)


def _folder(output: Path, run: str) -> Path:
    for folder in (output / "runs" / run, Path(run)):
        if (folder / runs.RUN_FILE).is_file():
            return folder
    known = sorted(path.name for path in (output / "runs").glob("*") if path.is_dir())
    listed = ", ".join(known[-5:]) or "none"
    raise BadInput(f"--run: found {run!r}, allowed: a run's id or folder; the newest: {listed}")


def _read(run_file: Path, trials_file: Path) -> Recorded:
    run = record.read_run(run_file)
    return Recorded(run, rows(run, record.read_trials(trials_file)))
