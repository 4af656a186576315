"""The commands as a person types them: exit status, messages, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.paths import ROOT
from bench.publish import publish
from bench.records import journal
from bench.run.history import run_folders
from bench.run.process import lock
from tests.support.fuzz import command
from tests.support.records import example

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths

MATRIX = """
matrix:
  endpoint: [async, async_sync]
  io: [sleep]
  workers: [1]
  server: [uvicorn]
default_profile: p
profiles:
  p: {users: 8, delay: 100ms, spawn_rate: 100, warmup: 200ms, duration: 1s, rounds: 1}
"""


def run(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """``python -m bench …`` as nox calls it."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A small matrix of two cells."""
    path = tmp_path / "experiments.yaml"
    path.write_text(MATRIX, encoding="utf-8")
    return path


def test_plan_lists_the_default_matrix() -> None:
    """The checked-in file plans 54 cells, and nothing runs."""
    done = run("plan")
    assert done.returncode == 0, done.stderr
    assert "54 cells, a budget of 12 min" in done.stdout
    assert "sync_json-uvicorn-w2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["single", "sync_jsn"], "sync_json"),
        (["plan", "--profile", "quik"], "did you mean quick?"),
        (["plan", "--duration", "6"], "500ms, 6s, 1m"),
        (["plan", "--select", "nothing*"], "--select"),
        (["plan", "--confg", "x"], "--confg"),
        (["plan", "--config", "no/such.yaml"], "no/such.yaml"),
        (["matrix", "--server", "apache"], "apache"),
        (["report", "--run", "never", "--output", "."], "never"),
        (["matrix", "--resume", "--fresh"], "not allowed with argument --resume"),
        (["nonsense"], "nonsense"),
        ([], "command"),
    ],
)
def test_bad_input_is_one_message(arguments: list[str], message: str) -> None:
    """What a person gets wrong is told in one message, with exit status 2 and no traceback."""
    done = command(*arguments)
    assert done.status == 2, (done.out, done.err)
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_bug_is_shown_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its traceback and a status of its own: nobody's file or machine is blamed."""

    def broken(_: object) -> int:
        return len(None)  # type: ignore[arg-type]

    monkeypatch.setitem(cli.COMMANDS, "plan", broken)
    assert cli.main(["plan"]) == 70
    told = capsys.readouterr().err
    assert "TypeError" in told
    assert "a bug of the harness" in told


def test_doctor_looks_at_everything() -> None:
    """A table of findings and a closing word; exit status 0, or 3 if something is missing."""
    done = run("doctor")
    assert done.returncode in {0, 3}, done.stderr
    assert "Traceback" not in done.stderr
    for what in (
        "cores",
        "other programs",
        "other runs",
        "local ports",
        "listen backlog",
        "Go toolchain",
    ):
        assert what in done.stdout


def test_broken_yaml_breaks_nothing_else(tmp_path: Path) -> None:
    """A file that is no YAML: exit status 2, with file and line."""
    path = tmp_path / "broken.yaml"
    path.write_text("matrix: [", encoding="utf-8")
    done = command("plan", "--config", str(path))
    assert done.status == 2
    assert f"{path}:1" in done.err


def test_missing_environments_are_told(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the load generator's environment nothing can run: exit status 3 says what to do."""
    monkeypatch.setenv("MATRIX_NOTES", str(tmp_path / "none"))
    done = run("matrix", "--config", config, "--output", tmp_path / "reports")
    assert done.returncode == 3
    assert "nox -s load" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["matrix"], ["single", "async_sleep"], ["bench", "plan"]])
def test_two_runs_at_a_time_are_refused(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Exit status 3 and who measures; no folder is made."""
    monkeypatch.setenv("MATRIX_LOCK", str(tmp_path / "lock"))
    where = ["--config", str(config), "--output", str(tmp_path / "out")]
    options = [] if words[0] == "bench" else where
    with lock.hold("matrix", tmp_path / "another"):
        done = run(*words, *options)
        assert done.returncode == 3, (done.stdout, done.stderr)
        assert f"`matrix` in {tmp_path}/another, process {os.getpid()}" in done.stderr
        assert not (tmp_path / "out").exists()


def test_commands_that_measure_nothing_mind_no_other_run(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor tells of it."""
    monkeypatch.setenv("MATRIX_LOCK", str(tmp_path / "lock"))
    with lock.hold("matrix", tmp_path):
        assert command("plan", "--config", str(config)).status == 0
        assert f"process {os.getpid()}," in " ".join(run("doctor").stdout.split())


@pytest.mark.real
@pytest.mark.timeout(120)
def test_matrix_reports_and_resumes(prepared: Paths, config: Path, tmp_path: Path) -> None:
    """A small matrix is measured, reported, and after an interruption resumed."""
    assert prepared.notes.is_dir()
    output = tmp_path / "reports"
    output.mkdir()
    done = run("matrix", "--config", config, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((output / "latest.json").read_text(encoding="utf-8"))
    assert [row["cell"] for row in document["rows"]] == [
        "async_sleep-uvicorn-w1",
        "async_sync_sleep-uvicorn-w1".replace("async_sync_sleep", "async_sleep_sync"),
    ]
    blocked = document["rows"][1]
    assert blocked["why"].startswith("loop blocked")
    assert blocked["throughput_rps"]["value"] <= 11
    texts = {name: (output / name).read_bytes() for name in ("latest.json", "latest.md")}

    again = run("report", "--output", output)
    assert again.returncode == 0, again.stderr
    assert {name: (output / name).read_bytes() for name in texts} == texts

    # As if it had been interrupted after the first trial.
    folder = next((output / "runs").iterdir())
    record = journal.read_run(folder / "run.json")
    journal.write_run(folder / "run.json", replace(record, finished=None))
    torn = (folder / "trials.jsonl").read_bytes()[:-100]
    (folder / "trials.jsonl").write_bytes(torn)
    raw = folder / "raw" / "r01-async_sleep_sync-uvicorn-w1"
    assert raw.is_dir()
    (raw / "half-written").touch()
    resumed = run("matrix", "--config", config, "--output", output)
    assert resumed.returncode == 0, resumed.stderr
    assert not (raw / "half-written").exists()
    assert "resumed, " in resumed.stdout
    assert "trials.jsonl:2 is corrupt (it is cut off): a trial that has no" in resumed.stderr
    assert (folder / "trials.jsonl").read_bytes().startswith(torn + b"\n{")
    assert [trial.index for trial in journal.read_trials(folder / "trials.jsonl").records] == [1, 2]
    assert "2 of the plan's 2 trials" in (output / "latest.md").read_text(encoding="utf-8")
    assert journal.read_run(folder / "run.json").finished is not None
    assert len(list((output / "runs").iterdir())) == 1


@pytest.mark.real
def test_missing_interpreter_is_a_skipped_row(prepared: Paths, tmp_path: Path) -> None:
    """A Python that nobody has costs its cells, not the run: a row with the reason, status 1."""
    assert prepared.notes.is_dir()
    path = tmp_path / "experiments.yaml"
    text = MATRIX.replace("[async, async_sync]", "[async]")
    current = f"{sys.version_info.major}.{sys.version_info.minor}"
    path.write_text(text.replace("matrix:", f'matrix:\n  python: ["{current}", "3.99"]'), "utf-8")
    output = tmp_path / "reports"
    output.mkdir()
    done = run("matrix", "--config", path, "--output", output)
    assert done.returncode == 1, done.stdout + done.stderr
    rows = json.loads((output / "latest.json").read_text(encoding="utf-8"))["rows"]
    assert [row["verdict"] for row in rows if row["python"] == "3.99"] == ["skipped"]
    assert "3.99" in rows[1]["reasons"][0]
    assert rows[0]["verdict"] in {"valid", "rough"}


def test_a_folder_that_cannot_be_written_is_told(config: Path, tmp_path: Path) -> None:
    """Not a traceback: the system's own words, and exit status 2 or 3."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = command("report", "--run", str(config), "--output", str(tmp_path / "file"))
    assert done.status == 2
    assert "Traceback" not in done.err
    summary = command("compare", "latest", "latest", "--output", str(tmp_path / "file" / "below"))
    assert summary.status in {2, 3}
    assert "Traceback" not in summary.err


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A reports folder with one run, published."""
    about, trials = example()
    folder = tmp_path / "reports" / "runs" / about.id
    run_folders.create(folder, about)
    for trial in trials:
        journal.append(folder / journal.TRIALS_FILE, trial)
    publish(folder, tmp_path / "reports", pytest.fail)
    return tmp_path / "reports"


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by name; drafts too."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


LIMITED = """
import resource, sys
from bench.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (8000, resource.RLIM_INFINITY))
sys.exit(main(sys.argv[1:]))
"""


def test_a_full_disk_is_one_message_and_no_report_is_touched(published: Path) -> None:
    """What could not be written, what to do, and that all is kept: exit status 3."""
    before = files(published)
    arguments = ("report", "--output", str(published))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr == (
        f"The system refused: {published}/latest.json: File too large.\n"
        "What was measured until now is kept, and no report is half replaced: raise the limit on"
        " file sizes (`ulimit -f`), then give the same command again; it resumes there.\n"
    )
    assert files(published) == before
    assert command(*arguments).status == 0


def test_damage_is_told_and_the_rest_reported(published: Path) -> None:
    """By `report` and `compare`, on stderr; exit status 0."""
    path = published / "latest.trials.jsonl"
    path.write_bytes(path.read_bytes()[:-1000])
    done = command("report", "--output", str(published))
    assert done.status == 0
    assert done.err.splitlines()[0] == (
        f"{published}/latest.trials.jsonl:7 is corrupt (it is cut off): left out of what follows"
    )
    compared = command("compare", "latest", "latest", "--output", str(published))
    assert "latest: trials.jsonl:7 is corrupt (it is cut off): left out" in compared.err


@pytest.mark.parametrize("name", ["latest.run.json", "latest.trials.jsonl"])
def test_records_of_another_schema_are_bad_input(published: Path, name: str) -> None:
    """Both schemas are told, and nothing is written."""
    (published / name).write_text('{"schema": 7}\n', encoding="utf-8")
    before = files(published)
    for words in (["report"], ["readme", "--check"]):
        done = command(*words, "--output", str(published))
        assert done.status == 2
        assert f"{published / name}: it is of schema 7, this version reads 2" in done.err
    assert files(published) == before
