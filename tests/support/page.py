"""Documents and trials over time for the page's tests, and the Chromium they are looked at in."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.results import results
from bench.report.document import content
from page.reading import read
from tests.support.records import example

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from page.reading import Report

REQUIRED = "MATRIX_REQUIRE_BROWSER"  # set where a missing Chromium must be a failure
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
EVIL = "</script><b>bold</b>"


def document(rounds: int = 3) -> dict[str, Any]:
    """A run in which everything occurs that a page has to show, hostile names, too."""
    made, trials = example(rounds)
    found: dict[str, Any] = json.loads(json.dumps(content(results(made, trials))))
    found["rows"][0]["remarks"].append(f"a name: {EVIL}")
    return found


def line(cell: str, index: int, round_: int = 1, **changes: Any) -> dict[str, Any]:
    """One trial over its time, as latest.series.jsonl has it."""
    times = [round(0.25 * step, 2) for step in range(40)]
    return {
        "cell": cell,
        "round": round_,
        "index": index,
        "twin": False,
        "t0_s": 3.0,
        "t1_s": 9.0,
        "t_s": times,
        "throughput_rps": [None, *(40.0 + step % 3 for step in range(39))],
        "in_flight": [min(100, 20 * step) for step in range(40)],
        "loop_delay_ms": [0.5] * 40,
        "pool_busy": [40.0] * 40,
        "pool_waiting": [None] * 40,
        "server_cores": [0.21] * 40,
        "latency": {
            "ms": [1000.0, 2000.0, 2500.0, 3000.0],
            "below": [0.1, 0.5, 0.8, 0.9],
            "known_to_ms": 2500.0,
        },
        "disturbances": [EVIL],
        "argv": [".nox/env/bin/python", "-m", "uvicorn", "app.main:app"],
        **changes,
    }


def written(folder: Path, found: dict[str, Any], lines: Iterable[dict[str, Any]] = ()) -> Report:
    """The document and its trials as files, read as the page reads them."""
    path, series = folder / "latest.json", folder / "latest.series.jsonl"
    path.write_text(json.dumps(found), encoding="utf-8")
    series.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return read(path, series)


def chromium() -> str:
    """The browser; without one the test is skipped, or fails where it is required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        why = "there is no chromium on PATH; `apt-get install chromium` gives one"
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, but {why}")
        pytest.skip(why)
    return found
