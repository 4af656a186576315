"""What a trial takes beyond its load."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.config import fixed
from bench.errors import RequirementError
from bench.paths import default_python
from bench.run.process.children import child_environment
from bench.run.server.bringup import free_port
from bench.selfcheck.figure import Figure
from bench.selfcheck.trials import cell, trials

if TYPE_CHECKING:
    from bench.paths import Paths

TIMES = 7
WARMUP_S, WINDOW_S, QUICK_WINDOW_S = 1.0, 3.0, 1.0  # Locust's -t takes whole seconds
USERS = 20

_USERS = """
from locust import FastHttpUser, task


class Asker(FastHttpUser):
    @task
    def ask(self):
        self.client.get("/async/json")
"""
# What a person does by hand: start the server, wait until it answers, load, kill.
_SCRIPT = """
"$1" -m uvicorn app.main:app --port "$3" --loop uvloop --http httptools \\
    --no-access-log --log-level warning &
server=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$3") 2>/dev/null; do sleep 0.05; done
"$2" -m locust -f "$4" --headless --only-summary -u "$5" -r "$5" -t "$6" \\
    --host "http://127.0.0.1:$3" >/dev/null 2>&1
status=$?
kill "$server"
wait "$server"
exit "$status"
"""


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """Wall time less ramp, warm-up and window: a trial's, and a bare shell script's."""
    ours, theirs, harness = [], [], []
    which = cell("async", "json")
    times, window_s = (1, QUICK_WINDOW_S) if quick else (TIMES, WINDOW_S)
    with (
        trials(paths, fixed(USERS, WARMUP_S, window_s), [which], delay_s=0.5) as bench,
        tempfile.TemporaryDirectory(prefix="matrix-bare-") as name,
    ):
        users = Path(name) / "users.py"
        users.write_text(_USERS, encoding="utf-8")
        python = bench.runner.lab.server_pythons["uvicorn", default_python()]
        load = bench.runner.lab.load_python
        for _ in range(times):
            record, measured = bench.measured(which)
            ours.append(record.wall_s - measured.load.ramp_s - WARMUP_S - window_s)
            harness.append(measured.signals.harness_cores or 0.0)
            theirs.append(_bare_s(paths, python, load, users, WARMUP_S + window_s))
    mine, bare = statistics.median(ours), statistics.median(theirs)
    detail = ", ".join(f"{value:.2f}" for value in sorted(ours))
    return [
        Figure("time around the load", mine, 2.5, " s", f"trials: {detail}"),
        Figure(
            "time around the load / a bare script's", mine / bare, 1.0, "", f"script: {bare:.2f} s"
        ),
        Figure(
            "the harness's CPU while a trial runs",
            statistics.median(harness) * 100,
            3,
            " % of a core",
            f"trials: {', '.join(f'{value:.1%}' for value in sorted(harness))}",
        ),
    ]


def _bare_s(paths: Paths, server: Path, load: Path, users: Path, load_s: float) -> float:
    bash = shutil.which("bash")
    if bash is None:
        raise RequirementError(
            "The benchmark `overhead` needs bash for the script it compares with."
        )
    arguments = [server, load, free_port(), users, USERS, f"{load_s:g}s"]
    began = time.monotonic()
    done = subprocess.run(
        [bash, "-c", _SCRIPT, "bare", *map(str, arguments)],
        cwd=paths.root,
        env=child_environment(),
        check=False,
        timeout=60,
    )
    took_s = time.monotonic() - began
    if done.returncode:
        raise RequirementError(
            f"The script that `overhead` compares with failed: exit status {done.returncode}"
        )
    return took_s - load_s
