"""However a run is ended: nothing stays behind, and what was measured is kept."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from bench.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bench.paths import Paths

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

MATRIX = """
matrix: {endpoint: [async, async_sync], io: [sleep], server: [uvicorn], workers: [1]}
default_profile: tiny
profiles:
  tiny: {users: 10, delay: 200ms, spawn_rate: 100, warmup: 300ms, duration: 1s, rounds: 3}
"""
# What nox is to the harness: its parent, by that name.
NOX = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"


def listening(connections: Callable[[str], Iterable[Any]]) -> set[int]:
    """Ports that are listened to."""
    return {c.laddr.port for c in connections("tcp") if c.status == psutil.CONN_LISTEN}


class Run:
    """A `single` under way: its first trial is recorded, its second is running."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        harness = psutil.Process(process.pid)
        # Under nox the harness is the child.
        self.harness = next(iter(harness.children()), harness) if _is_nox(process) else harness
        self.family = self.harness.children(recursive=True)
        self.ports = {port for one in self.family for port in listening(one.net_connections)}
        self.output = output

    def records(self) -> int:
        """Lines of trials.jsonl."""
        (folder,) = (self.output / "runs").iterdir()
        return len((folder / "trials.jsonl").read_text(encoding="utf-8").splitlines())

    def assert_nothing_left(self, within_s: float) -> None:
        """No process by its id, nobody who listens on its ports."""
        _, alive = psutil.wait_procs([self.harness, *self.family], timeout=within_s)
        assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]
        assert self.ports
        assert not listening(psutil.net_connections) & self.ports


def _is_nox(process: subprocess.Popen[str]) -> bool:
    return os.path.basename(str(process.args[1])) == "nox"  # type: ignore[index]  # noqa: PTH119


@contextlib.contextmanager
def running(tmp_path: Path, *, under_nox: bool = False) -> Iterator[Run]:
    """Start it, and wait until its second trial is under load."""
    config, output = tmp_path / "experiments.yaml", tmp_path / "reports"
    config.write_text(MATRIX, encoding="utf-8")
    output.mkdir()
    arguments = [sys.executable, "-m", "bench", "single", "async_sleep", "async_sleep_sync"]
    arguments += ["--config", str(config), "--output", str(output)]
    if under_nox:
        (tmp_path / "nox").write_text(NOX, encoding="utf-8")
        arguments = [sys.executable, str(tmp_path / "nox"), *arguments]
    environment = {**os.environ, "MATRIX_LOCK": str(tmp_path / "lock")}
    with subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            while not (line := process.stdout.readline()).startswith("[1/"):
                assert line, "it ended before its first trial did"
            while not [*(output / "runs").glob("*/raw/r*-*/samples.jsonl")]:
                assert process.poll() is None
                time.sleep(0.01)
            yield Run(process, output)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_once_ends_it_cleanly(prepared: Paths, tmp_path: Path, number: signal.Signals) -> None:
    """Within 5 s, with exit status 130, and word of what is kept and how to go on."""
    assert prepared.notes.is_dir()
    with running(tmp_path) as run:
        began = time.monotonic()
        run.process.send_signal(number)
        _, errors = run.process.communicate(timeout=20)
        assert time.monotonic() - began < 5
    assert run.process.returncode == 130
    assert "1 of 9 trials are measured; `nox -s report -- --run 2" in errors
    assert "the same command resumes there" in errors
    assert "Traceback" not in errors
    run.assert_nothing_left(within_s=1)
    assert run.records() == 1


def test_twice_ends_it_at_once(prepared: Paths, tmp_path: Path) -> None:
    """The second Ctrl-C waits for nothing; the keeper cleans up."""
    assert prepared.notes.is_dir()
    with running(tmp_path) as run:
        run.process.send_signal(signal.SIGINT)
        run.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, errors = run.process.communicate(timeout=20)
        assert time.monotonic() - began < 1
    assert run.process.returncode == 130
    assert "Traceback" not in errors
    run.assert_nothing_left(within_s=2)
    assert run.records() == 1


def test_sigkill_leaves_nothing(prepared: Paths, tmp_path: Path) -> None:
    """Nobody could clean up; the keeper does."""
    assert prepared.notes.is_dir()
    with running(tmp_path) as run:
        run.process.kill()
        run.process.wait()
        run.assert_nothing_left(within_s=2)
    assert run.records() == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_death_of_nox_ends_it(prepared: Paths, tmp_path: Path, number: signal.Signals) -> None:
    """A matrix that nobody can see must not go on measuring."""
    assert prepared.notes.is_dir()
    with running(tmp_path, under_nox=True) as run:
        run.process.send_signal(number)
        run.process.wait()
        run.assert_nothing_left(within_s=5)
    assert run.records() == 1


def test_the_watch_on_nox_ends_with_the_command() -> None:
    """Its timer must not outlive its handler: Python forgets that on its way out.

    A watch that looks all the time shows at once what twice a second hits now and then.
    """
    program = (
        "import sys, time\n"
        "from bench.run.process import interrupt\n"
        "interrupt.LOOK_S = 0.001\n"
        "interrupt._is_nox = lambda process: True\n"
        "from bench import cli\n"
        "cli.MEASURING.add('plan')\n"
        "status = cli.main(['plan'])\n"
        "time.sleep(0.05)\n"
        "sys.exit(status)\n"
    )
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.returncode
