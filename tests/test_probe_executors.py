"""Pools of threads beside anyio's, as the probe sees them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from app.probe.executors import executors
from bench.paths import ROOT
from tests.support.processes import within

if TYPE_CHECKING:
    from collections.abc import Callable

SOON_S = 5.0


def more_than(before: tuple[int, int], threads: int, waiting: int) -> Callable[[], bool]:
    """Whether so many threads and tasks have been added."""
    return lambda: executors() == (before[0] + threads, before[1] + waiting)


def test_threads_and_tasks_that_wait_are_counted() -> None:
    """Two threads, both busy, and three tasks more; then none waits, and the threads are there."""
    before = executors()
    gate = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        waits = [pool.submit(gate.wait, SOON_S) for _ in range(5)]
        assert within(SOON_S, more_than(before, 2, 3))
        gate.set()
        assert all(one.result() for one in waits)
        assert within(SOON_S, more_than(before, 2, 0))


def test_the_loops_own_executor_is_one() -> None:
    """`asyncio.to_thread`, whose pool no application sees."""
    before = executors()

    async def scenario() -> bool:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        tasks = [asyncio.create_task(asyncio.to_thread(time.sleep, 0.2)) for _ in range(3)]
        await asyncio.sleep(0.05)
        seen = executors()
        await asyncio.gather(*tasks)
        return seen == (before[0] + 1, before[1] + 2)

    assert asyncio.run(scenario())


def test_nothing_is_imported_for_it() -> None:
    """A worker without executors has none, and gets none."""
    source = (
        "import sys; from app.probe.executors import executors;"
        "assert executors() == (0, 0);"
        "assert 'concurrent.futures.thread' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kept", [None, {}])
def test_a_python_that_keeps_no_queues_tells_nothing(
    kept: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are none of its public names."""
    monkeypatch.setattr("concurrent.futures.thread._threads_queues", kept)
    assert executors() == (0, 0)
