"""The gauge page, read as the harness reads it: from outside, while the loop turns or doesn't."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread
import pytest

from app.probe import layout
from app.probe.asgi import watched
from app.probe.gauges import HEARTBEAT_S, Gauges
from app.probe.thread_log import ThreadLog
from bench.paths import ROOT
from bench.run.host.sampler import Gauge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from app.probe.asgi import Message, Receive, Scope, Send

T = TypeVar("T")
DEADLINE_S = 10.0


class Worker:
    """A page with its log, and the harness's view of it."""

    def __init__(self, folder: Path) -> None:
        self.log = ThreadLog(folder / "threads-1.bin")
        self.gauges = Gauges(folder / "gauges-1.bin")
        self._outside = Gauge(folder / "gauges-1.bin")

    def word(self, index: int) -> int:
        """One word of the page."""
        return self._outside.read()[index]

    def age_s(self) -> float:
        """How long ago the heart last beat."""
        return (time.monotonic_ns() - self.word(layout.G_HEARTBEAT_NS)) / 1e9

    def run(self, scenario: Callable[[], Awaitable[T]]) -> T:
        """Run a scenario on a loop with the heart beating."""

        async def main() -> T:
            self.gauges.start(self.log)
            return await scenario()

        return asyncio.run(main())

    async def until(self, **wanted: int) -> None:
        """Wait until words of the page, by their names in the layout, have these values."""
        indices = {getattr(layout, f"G_{name}"): value for name, value in wanted.items()}
        deadline = time.monotonic() + DEADLINE_S
        while (found := {index: self.word(index) for index in indices}) != indices:
            assert time.monotonic() < deadline, (wanted, found)
            await asyncio.sleep(0.005)


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    """A worker that hasn't started."""
    return Worker(tmp_path)


def test_a_page_has_its_mark_only_once_it_holds_figures(worker: Worker) -> None:
    """Before that it tells who it is and how often the heart will beat, no more."""
    assert worker.word(layout.G_MAGIC) == 0
    assert worker.word(layout.G_PID) == os.getpid()
    assert worker.word(layout.G_INTERVAL_NS) == int(HEARTBEAT_S * 1e9)

    async def scenario() -> list[int]:
        words = (layout.G_MAGIC, layout.G_POOL_SIZE, layout.G_THREADS_ALIVE)
        return [worker.word(word) for word in words]

    found = worker.run(scenario)
    assert found == [layout.GAUGE_MAGIC, 40, threading.active_count()]


def test_a_page_is_never_written_over(worker: Worker, tmp_path: Path) -> None:
    """A second worker with the same name is an error."""
    assert worker.word(layout.G_PID)
    with pytest.raises(FileExistsError):
        Gauges(tmp_path / "gauges-1.bin")


def test_the_heart_beats_while_the_loop_turns(worker: Worker) -> None:
    """Again and again, and no more often than the page says."""

    async def scenario() -> tuple[int, float]:
        began = time.monotonic()
        beats = set()
        for _ in range(100):
            await asyncio.sleep(HEARTBEAT_S / 10)
            beats.add(worker.word(layout.G_HEARTBEAT_NS))
        return len(beats), time.monotonic() - began

    beats, took_s = worker.run(scenario)
    assert 4 <= beats <= took_s / HEARTBEAT_S + 2


def test_a_blocked_loop_has_an_old_heartbeat(worker: Worker) -> None:
    """Seen from another thread while it is blocked; it beats again when the loop turns."""
    seen: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            seen.append(worker.age_s())

    async def scenario() -> float:
        await asyncio.sleep(2 * HEARTBEAT_S)
        beaten = worker.word(layout.G_HEARTBEAT_NS)
        watching = threading.Thread(target=watch)
        watching.start()
        time.sleep(0.5)  # noqa: ASYNC251 - a blocked loop is what is looked at
        done.set()
        watching.join()
        assert worker.word(layout.G_HEARTBEAT_NS) == beaten
        await asyncio.sleep(4 * HEARTBEAT_S)
        return (worker.word(layout.G_HEARTBEAT_NS) - beaten) / 1e9

    missed_s = worker.run(scenario)
    assert 0.4 < max(seen) < missed_s
    assert seen == sorted(seen)


@pytest.mark.parametrize("block_s", [0.5, 0.1])
def test_a_blocked_loop_is_held_up(worker: Worker, block_s: float) -> None:
    """Also by blocks that are just as long as two heartbeats."""

    async def scenario() -> float:
        await asyncio.sleep(2 * HEARTBEAT_S)
        began_ns, held_ns = time.monotonic_ns(), worker.word(layout.G_HELD_NS)
        for _ in range(round(1 / block_s)):
            time.sleep(block_s)  # noqa: ASYNC251 - a blocked loop is what is looked at
            await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        return (worker.word(layout.G_HELD_NS) - held_ns) / (time.monotonic_ns() - began_ns)

    assert 0.85 <= worker.run(scenario) <= 1.1


def test_a_free_loop_is_not_held_up(worker: Worker) -> None:
    """But by others on this machine."""

    async def scenario() -> int:
        await asyncio.sleep(20 * HEARTBEAT_S)
        return worker.word(layout.G_HELD_NS)

    assert worker.run(scenario) < 0.5 * 20 * HEARTBEAT_S * 1e9


def test_the_loops_thread_is_told(worker: Worker) -> None:
    """By the system's number, once there is a loop."""
    assert worker.word(layout.G_LOOP_TID) == 0

    async def scenario() -> int:
        return worker.word(layout.G_LOOP_TID)

    assert worker.run(scenario) == threading.get_native_id()


@pytest.mark.parametrize(
    ("since_ms", "held_ms"), [(0, 0), (50, 0), (55, 0), (56, 56), (1000, 1000)]
)
def test_the_whole_time_to_a_late_heartbeat_counts(since_ms: int, held_ms: int) -> None:
    """5 ms are allowed."""
    assert layout.held_ns(since_ms * 1_000_000, 50_000_000) == held_ms * 1_000_000


def test_tasks_that_wait_for_a_thread_are_counted(worker: Worker) -> None:
    """Fifty calls on forty threads: ten wait, at once and until they have one."""
    go = threading.Event()

    async def scenario() -> tuple[int, int]:
        calls = [asyncio.ensure_future(anyio.to_thread.run_sync(go.wait)) for _ in range(50)]
        try:
            await worker.until(QUEUED=10, DEQUEUED=0)
        finally:
            go.set()
        await asyncio.gather(*calls)
        return worker.word(layout.G_QUEUED), worker.word(layout.G_DEQUEUED)

    assert worker.run(scenario) == (10, 10)


def test_a_page_half_way_through_a_change_is_told(tmp_path: Path) -> None:
    """A worker that lost its core just there: the page is given, and is known for what it is."""
    gauges = Gauges(tmp_path / "gauges-1.bin")
    outside = Gauge(tmp_path / "gauges-1.bin")
    assert layout.settled(outside.read())
    gauges.words[layout.G_FINISHED] = 3
    assert not layout.settled(outside.read())
    gauges.words[layout.G_FINISHED_SUM] = 3 * 10**15
    assert layout.settled(outside.read())


WRITER = """
import asyncio, sys
from pathlib import Path
from app.probe.asgi import watched
from app.probe.gauges import Gauges

gauges = Gauges(Path(sys.argv[1]))

async def application(scope, receive, send):
    pass

async def main():
    wrapped = watched(application, print, gauges)
    print("ready", flush=True)
    while True:
        await wrapped({"type": "http"}, None, None)
        await asyncio.sleep(0)

asyncio.run(main())
"""


def test_a_page_is_read_in_one_piece_while_it_changes(tmp_path: Path) -> None:
    """A process that counts as fast as it can: never a count without its instant."""
    path = tmp_path / "gauges-1.bin"
    began_ns = time.monotonic_ns()
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            outside, sound = Gauge(path), 0
            while time.monotonic_ns() < began_ns + 10**9:
                page = outside.read()
                now_ns = time.monotonic_ns()
                started_ns, finished_ns = (
                    page[counter] * now_ns - page[counter + 1]
                    for counter in (layout.G_STARTED, layout.G_FINISHED)
                )
                # At most one is inside at a time; an instant without its count, or the
                # other way, would be as long as the machine has been up.
                if layout.settled(page):
                    inside_ns = (started_ns - finished_ns) & layout.SUM_MASK
                    assert inside_ns <= now_ns - began_ns
                    sound += 1
            assert sound > 10
        finally:
            child.kill()


def test_the_pools_threads_and_queue_are_shown(worker: Worker) -> None:
    """Fifty calls on forty threads: forty busy, ten waiting, and none when all are done."""
    go = threading.Event()
    before = threading.active_count()

    async def scenario() -> None:
        assert anyio.to_thread.current_default_thread_limiter().total_tokens == 40
        await worker.until(POOL_SIZE=40, POOL_BUSY=0, POOL_WAITING=0)
        worker.log.begin(0)
        calls = [asyncio.ensure_future(anyio.to_thread.run_sync(go.wait)) for _ in range(50)]
        try:
            await worker.until(POOL_BUSY=40, POOL_WAITING=10, THREADS_ALIVE=before + 40)
        finally:
            go.set()
        await asyncio.gather(*calls)
        await worker.until(POOL_SIZE=40, POOL_BUSY=0, POOL_WAITING=0)
        # The pool keeps its threads: alive is not busy.
        assert worker.word(layout.G_THREADS_ALIVE) == before + 40
        assert worker.word(layout.G_THREADS_SEEN) == before + 40

    worker.run(scenario)


def test_a_pool_of_another_size_is_shown_as_it_is(worker: Worker) -> None:
    """The limiter's own figure, not a constant."""

    async def scenario() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 3
        await worker.until(POOL_SIZE=3)

    worker.run(scenario)


def test_threads_that_have_ended_stay_seen(worker: Worker) -> None:
    """Seen counts distinct threads over the worker's life, alive those of the moment."""
    before = threading.active_count()

    async def scenario() -> None:
        worker.log.begin(0)
        for round_ in (1, 2):
            go = threading.Event()
            threads = [threading.Thread(target=go.wait) for _ in range(2)]
            for thread in threads:
                thread.start()
            await worker.until(THREADS_ALIVE=before + 2)
            go.set()
            for thread in threads:
                thread.join()
            await worker.until(THREADS_ALIVE=before)
            # The system may give a thread's id to a later one.
            assert before + 2 <= worker.word(layout.G_THREADS_SEEN) <= before + 2 * round_

    worker.run(scenario)


def test_threads_of_the_start_are_not_seen(worker: Worker) -> None:
    """Only from the first handler call on: what helped the server to start is no load's."""
    before = threading.active_count()

    async def scenario() -> None:
        go = threading.Event()
        helper = threading.Thread(target=go.wait)
        helper.start()
        await worker.until(THREADS_ALIVE=before + 1, THREADS_SEEN=0)
        go.set()
        helper.join()
        worker.log.begin(0)
        await worker.until(THREADS_ALIVE=before, THREADS_SEEN=before)

    worker.run(scenario)


def test_lost_calls_are_shown(worker: Worker) -> None:
    """As the log counts them."""

    async def scenario() -> None:
        worker.log.lost = 3
        await worker.until(LOG_LOST=3)

    worker.run(scenario)


def test_requests_in_flight_are_entered_less_left(worker: Worker) -> None:
    """At once, without waiting for a beat of the heart."""

    async def nothing() -> Message:
        raise NotImplementedError

    async def nowhere(_: Message) -> None:
        raise NotImplementedError

    async def scenario() -> list[tuple[int, int]]:
        go = asyncio.Event()

        async def application(_scope: Scope, _receive: Receive, _send: Send) -> None:
            await go.wait()

        def counters() -> tuple[int, int]:
            return worker.word(layout.G_STARTED), worker.word(layout.G_FINISHED)

        wrapped = watched(application, print, worker.gauges)
        found = [counters()]
        calls = [
            asyncio.ensure_future(wrapped({"type": "http"}, nothing, nowhere)) for _ in range(7)
        ]
        await asyncio.sleep(0)
        found.append(counters())
        calls.pop().cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found.append(counters())
        go.set()
        await asyncio.gather(*calls)
        return [*found, counters()]

    assert worker.run(scenario) == [(0, 0), (7, 0), (7, 1), (7, 7)]
