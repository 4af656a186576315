"""Each cause, made to happen in a real trial, and told as what it is."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from bench.analysis.evidence import Evidence
from bench.analysis.resources import Resource
from bench.analysis.why import why
from bench.config import fixed
from bench.report.whys import sentence as sentence_of
from bench.run.host.machine import describe
from bench.selfcheck.trials import cell, trials
from tests.support.other_app import with_kind

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths
    from bench.plan import Cell
from bench.selfcheck.trials import Trials

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]


FOREIGN = 0.3  # cores
TO_THREAD = """
import asyncio, time
WAITS, UPSTREAM_CALLS = False, 0
def expected():
    return {"ok": True}
def blocking():
    time.sleep(0.2)
    return expected()
async def awaiting():
    return await asyncio.to_thread(blocking)
"""


def told(bench: Trials, which: Cell, cause: str) -> str:
    """The sentence of a trial; of up to three, as other programs may become the cause in one.

    Skipped where they take the machine in all three: then no cause of ours can be shown.
    """
    for _ in range(3):
        record, measured = bench.measured(which)
        sentence = sentence_of(why(Evidence(record, measured, describe().cores)))
        if sentence.startswith(f"{cause}: "):
            return sentence
    if (others := measured.signals.foreign_cores or 0.0) > FOREIGN:
        pytest.skip(f"other programs use {others:.1f} cores: {sentence}")
    return sentence


def test_pool_bound(bench: Trials) -> None:
    """100 users of a `def` endpoint that waits a second: 40 threads busy, 60 users waiting."""
    waiting = bench.under(fixed(100, 1.5, 4.0), delay_s=1.0)
    sentence = told(waiting, cell("sync", "http_pooled"), "pool-bound")
    assert sentence.startswith("pool-bound: 40 of 40 threads busy, "), sentence
    waiting_now = int(sentence.partition("busy, ")[2].split()[0])
    assert 45 <= waiting_now <= 60


def test_executor_bound(bench: Trials, tmp_path: Path) -> None:
    """40 users of `asyncio.to_thread` for 200 ms: its threads are few, whatever anyio has."""
    app = with_kind(bench, tmp_path, "to_thread", TO_THREAD)
    sentence = told(app.under(fixed(40, 0.5, 2.0), delay_s=0.2), cell("async", "to_thread"),
                    "executor-bound")  # fmt: skip
    threads = min(32, (os.cpu_count() or 1) + 4)
    assert sentence.startswith(f"executor-bound: all {threads} threads of the executor"), sentence
    assert int(sentence.partition("), ")[2].split()[0]) == pytest.approx(40 - threads, abs=3)


def test_loop_blocked(bench: Trials) -> None:
    """A blocking call in `async def`: the heartbeat waits for it, and the CPU doesn't."""
    waiting = bench.under(fixed(20, 0.5, 2.0), delay_s=0.5)
    sentence = told(waiting, cell("async_sync", "http"), "loop blocked")
    assert sentence.startswith("loop blocked: the loop was held up "), sentence
    assert int(sentence.split("%")[0].split()[-1]) >= 90


def test_delay_bound(bench: Trials) -> None:
    """100 users who await half a second each: all wait at once, nothing is to be gained."""
    waiting = bench.under(fixed(100, 0.5, 2.0), delay_s=0.5)
    sentence = told(waiting, cell("async", "sleep"), "delay-bound")
    assert re.match(r"delay-bound: at (9\d|100)%", sentence), sentence


def test_cpu_bound(bench: Trials) -> None:
    """JSON from a file, as fast as it goes: a worker's core is busy."""
    busy = bench.under(fixed(30, 0.5, 1.5), delay_s=0.1)
    sentence = told(busy, cell("async", "json"), "CPU-bound")
    assert sentence.startswith("CPU-bound: "), sentence
    assert "ms of CPU a request" in sentence


def test_generator_bound(bench: Trials) -> None:
    """An empty endpoint under too many users, on all cores: the users can't ask faster."""
    crowd = bench.under(fixed(400, 0.5, 1.5), delay_s=0.1)
    sentence = told(crowd, cell("async", "noop", workers=2), "generator-bound")
    assert sentence.startswith("generator-bound: the load generator used "), sentence


def test_upstream_bound(prepared: Paths) -> None:
    """A delay server that answers 60 ms late is told as the cause."""
    which = cell("async", "http_pooled")
    with trials(prepared, fixed(10, 0.5, 1.5), [which], 0.1, late_ms=60) as late:
        sentence = told(late, which, "upstream-bound")
    assert sentence.startswith("upstream-bound: the delay server answered 6"), sentence


def test_all_causes_are_shown_here() -> None:
    """A cause without a trial that shows it is one on paper.

    Not the full machine: that takes other programs, or workers that wait for cores as often as
    they compute, and then they are the cause.
    """
    shown = {name.removeprefix("test_").replace("_", "-") for name in globals()}
    causes = set(Resource) - {Resource.MACHINE}
    assert {cause.value.replace(" ", "-").lower() for cause in causes} <= shown
