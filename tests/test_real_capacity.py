"""A capacity of a real server: a pool of 40 threads that each wait 100 ms can't take 400/s."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths

pytestmark = [pytest.mark.real, pytest.mark.timeout(200)]


def capacity(*words: str) -> subprocess.CompletedProcess[str]:
    """As nox calls it."""
    return subprocess.run(
        [sys.executable, "-m", "bench", "capacity", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=190, check=False,
    )  # fmt: skip


def test_of_a_pool_that_waits(prepared: Paths, tmp_path: Path) -> None:
    """Above half of what it can give, below all of it."""
    assert prepared.notes.is_dir()
    output = tmp_path / "found.json"
    done = capacity(
        *("sync_http_pooled-uvicorn-w1", "--slo", "p90<180ms", "--slo", "errors<0.1%"),
        *("--delay", "100ms", "--budget", "35s", "--precision", "25%", "--json", str(output)),
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    (found,) = json.loads(output.read_text("utf-8"))["cells"]
    low, high = found["capacity_rps"]["low"], found["capacity_rps"]["high"]
    assert low is not None, done.stdout
    assert 100 < low < 410, done.stdout
    assert high is None or low < high < 480
    assert max(step["throughput_rps"] for step in found["closed_loop"]) == pytest.approx(
        390, rel=0.15
    )
    assert all(one["failed"] == 0 for one in found["curve"])
    assert "keep p90<180ms, errors<0.1%" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("async_noop",), "--slo: found none"),
        (("async_noop", "--slo", "p99<1s", "--rate", "5"), "--rate: found a rate, allowed: none"),
        (("nothing", "--slo", "p99<1s"), "nothing"),
    ],
)
def test_what_can_not_be_asked(prepared: Paths, words: tuple[str, ...], told: str) -> None:
    """A line, and the status of bad input."""
    assert prepared.notes.is_dir()
    done = capacity(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
