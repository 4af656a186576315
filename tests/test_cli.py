"""The commands as a person types them: exit status, messages, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.run import lock
from bench.run.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from bench.run.paths import Paths

MATRIX = """
matrix:
  endpoint: [async, async_sync]
  io: [sleep]
  workers: [1]
  server: [uvicorn]
delay: 100ms
default_profile: p
profiles:
  p: {users: 8, spawn_rate: 8, warmup: 200ms, duration: 1s, rounds: 1}
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
    assert "54 cells, 54 trials, about" in done.stdout
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
    done = run(*arguments)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


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
    done = run("plan", "--config", path)
    assert done.returncode == 2
    assert f"{path}:1" in done.stderr


def test_missing_environments_are_told(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the load generator's environment nothing can run: exit status 3 says what to do."""
    monkeypatch.setenv("MATRIX_NOTES", str(tmp_path / "none"))
    done = run("matrix", "--config", config, "--output", tmp_path / "reports")
    assert done.returncode == 3
    assert "nox -s load" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["matrix"], ["single", "async_sleep"], ["bench", "plan"]])
def test_two_runs_at_a_time_are_refused(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """Exit status 3 and who measures; no folder is made."""
    monkeypatch.setenv("MATRIX_LOCK", str(tmp_path / "lock"))
    where = ["--config", str(config), "--output", str(tmp_path / "out")]
    options = [] if command[0] == "bench" else where
    with lock.hold("matrix", tmp_path / "another"):
        done = run(*command, *options)
        assert done.returncode == 3, (done.stdout, done.stderr)
        assert f"`matrix` in {tmp_path}/another, process {os.getpid()}" in done.stderr
        assert not (tmp_path / "out").exists()


def test_commands_that_measure_nothing_mind_no_other_run(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor tells of it."""
    monkeypatch.setenv("MATRIX_LOCK", str(tmp_path / "lock"))
    with lock.hold("matrix", tmp_path):
        assert run("plan", "--config", config).returncode == 0
        assert f"process {os.getpid()}," in " ".join(run("doctor").stdout.split())


@pytest.mark.real
@pytest.mark.timeout(120)
def test_matrix_reports_and_resumes(prepared: Paths, config: Path, tmp_path: Path) -> None:
    """A small matrix is measured, reported, and after an interruption gone on with."""
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
    assert blocked["throughput_rps"]["median"] <= 11
    texts = {name: (output / name).read_bytes() for name in ("latest.json", "latest.md")}

    again = run("report", "--output", output)
    assert again.returncode == 0, again.stderr
    assert {name: (output / name).read_bytes() for name in texts} == texts

    # As if it had been interrupted after the first trial.
    folder = next((output / "runs").iterdir())
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps({**record, "finished": None}), encoding="utf-8")
    first, _ = (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "trials.jsonl").write_text(first + "\n", encoding="utf-8")
    raw = folder / "raw" / "r01-async_sleep_sync-uvicorn-w1"
    assert raw.is_dir()
    (raw / "half-written").touch()
    resumed = run("matrix", "--config", config, "--output", output)
    assert resumed.returncode == 0, resumed.stderr
    assert not (raw / "half-written").exists()
    assert "going on" in resumed.stdout
    lines = (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines[0] == first
    assert [json.loads(line)["index"] for line in lines] == [1, 2]
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
    assert rows[0]["verdict"] in {"valid", "suspect"}


def test_a_folder_that_cannot_be_written_is_told(config: Path, tmp_path: Path) -> None:
    """Not a traceback: the system's own words, and exit status 2 or 3."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run("report", "--run", config, "--output", tmp_path / "file")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    summary = run("compare", "latest", "latest", "--output", tmp_path / "file" / "below")
    assert summary.returncode in {2, 3}
    assert "Traceback" not in summary.stderr
