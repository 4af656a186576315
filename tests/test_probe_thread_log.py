"""The thread log, read back by the digest: threads at once, growth, a kill, a full disk."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.io import Kind
from app.probe import layout
from app.probe.thread_log import ThreadLog
from app.routes import Route, handler
from bench.digest.read import HandlerLog, handler_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
PER_CHUNK = layout.CHUNK_RECORDS
NAME = "threads-1.bin"


def read(folder: Path) -> HandlerLog:
    """The one log there is."""
    (log,) = handler_logs(folder)
    return log


def on_threads(count: int, work: Callable[[int], object]) -> list[int]:
    """Do work on so many threads, all alive at once; their native ids."""
    together = threading.Barrier(count)
    native: list[int] = []

    def run(number: int) -> None:
        native.append(threading.get_native_id())
        together.wait()
        work(number)
        together.wait()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return native


def test_a_call_is_recorded_from_begin_to_end(tmp_path: Path) -> None:
    """Start and end by the monotonic clock, the thread, the route."""
    log = ThreadLog(tmp_path / NAME)
    before = time.monotonic_ns()
    log.end(log.begin(0))
    log.end(log.begin(0xFFFF))
    after = time.monotonic_ns()
    found = read(tmp_path)
    instants = np.column_stack([found.start_ns, found.end_ns]).ravel().tolist()
    assert [before, *instants, after] == sorted([before, *instants, after])
    assert set(found.thread.tolist()) == {threading.get_native_id()}
    assert found.route.tolist() == [0, 0xFFFF]


def test_a_call_without_an_end_has_end_0(tmp_path: Path) -> None:
    """Calls may end in any order; only the one that didn't is open."""
    log = ThreadLog(tmp_path / NAME)
    first, _, third = (log.begin(route) for route in range(3))
    log.end(third)
    log.end(first)
    found = read(tmp_path)
    assert found.route.tolist() == [0, 1, 2]
    assert [end > 0 for end in found.end_ns.tolist()] == [True, False, True]


def test_threads_alive_are_counted_at_the_start(tmp_path: Path) -> None:
    """All of them, whether they ever run a handler or not: from the next heartbeat on."""
    log = ThreadLog(tmp_path / NAME)
    idle = threading.active_count()
    log.begin(0)
    go = threading.Event()
    parked = [threading.Thread(target=go.wait) for _ in range(5)]
    for thread in parked:
        thread.start()
    log.begin(0)
    log.scan_threads()  # as the heartbeat does
    log.begin(0)
    go.set()
    for thread in parked:
        thread.join()
    assert read(tmp_path).alive.tolist() == [idle, idle, idle + 5]


def test_threads_at_once_each_get_records_of_their_own(tmp_path: Path) -> None:
    """None is lost, none is written twice, none is another thread's."""
    log = ThreadLog(tmp_path / NAME)

    def work(number: int) -> None:
        for _ in range(500):
            log.end(log.begin(number))

    native = on_threads(8, work)
    found = read(tmp_path)
    assert np.unique(found.route, return_counts=True)[1].tolist() == [500] * 8
    pairs = set(zip(found.route.tolist(), found.thread.tolist(), strict=True))
    assert sorted(thread for _, thread in pairs) == sorted(native)
    assert len(pairs) == 8
    assert (found.end_ns >= found.start_ns).all()
    assert log.threads_seen >= 8


def test_threads_seen_are_all_that_were_alive(tmp_path: Path) -> None:
    """Those too that ran no handler, and those that have ended since."""
    log = ThreadLog(tmp_path / NAME)
    native = on_threads(3, lambda number: log.scan_threads() if number == 0 else None)
    assert len(native) == 3
    assert log.threads_seen == 3 + 1  # and this one


def test_a_forked_workers_main_thread_is_one_thread(tmp_path: Path) -> None:
    """Until Python 3.13 it tells its parent's number in a child, and must not count as two."""
    script = (
        "import os, sys; from pathlib import Path; from app.probe.thread_log import ThreadLog\n"
        "child = os.fork()\n"
        "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        f"log = ThreadLog(Path({str(tmp_path / NAME)!r}))\n"
        "log.end(log.begin(0)); os._exit(log.threads_seen)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=30)
    assert done.returncode == 1


def test_the_log_grows_while_threads_write(tmp_path: Path) -> None:
    """Over two borders of its chunks, with no record lost or torn at either."""
    log = ThreadLog(tmp_path / NAME)
    each = 3 * PER_CHUNK // 5

    def work(number: int) -> None:
        for _ in range(each):
            log.end(log.begin(number))

    on_threads(4, work)
    assert (tmp_path / NAME).stat().st_size == 3 * layout.CHUNK_BYTES
    found = read(tmp_path)
    assert np.bincount(found.route).tolist() == [each] * 4
    assert (found.end_ns >= found.start_ns).all()
    assert log.lost == 0


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system has no such call")
def test_threads_that_meet_at_a_border_grow_the_log_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the system takes for it: no part of the file is mapped twice."""
    log = ThreadLog(tmp_path / NAME)
    for _ in range(PER_CHUNK - 1):
        log.begin(0)
    reserve = os.posix_fallocate

    def slowly(fd: int, offset: int, size: int) -> None:
        time.sleep(0.05)
        reserve(fd, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", slowly)
    on_threads(4, log.begin)
    for _ in range(PER_CHUNK):
        log.begin(0)
    assert len(read(tmp_path).start_ns) == PER_CHUNK - 1 + 4 + PER_CHUNK


def test_a_log_is_never_written_over(tmp_path: Path) -> None:
    """A second worker with the same name is an error, and the first one's records stay."""
    ThreadLog(tmp_path / NAME).begin(3)
    with pytest.raises(FileExistsError):
        ThreadLog(tmp_path / NAME)
    assert read(tmp_path).route.tolist() == [3]


KILLED = """
import sys, threading
from pathlib import Path
from app.probe.thread_log import ThreadLog

log = ThreadLog(Path(sys.argv[1]))
begun = threading.Barrier(6)

def answer(number):
    place = log.begin(number)
    if number % 2:
        log.end(place)
    begun.wait()
    threading.Event().wait()

for number in range(5):
    threading.Thread(target=answer, args=(number,)).start()
begun.wait()
print("begun", flush=True)
threading.Event().wait()
"""


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL with five handlers begun, two of them ended: all five are there, three open."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / NAME)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        child.kill()
    assert (said, child.returncode) == ("begun\n", -9)
    found = read(tmp_path)
    assert found.pid == child.pid
    ended = dict(zip(found.route.tolist(), (found.end_ns > 0).tolist(), strict=True))
    assert ended == {0: False, 1: True, 2: False, 3: True, 4: False}
    assert len(set(found.thread.tolist())) == 5


# -- a full disk, for which a limit on the size of files stands in


@pytest.fixture
def most_bytes() -> Iterator[Callable[[int], None]]:
    """Sets how large this process may make a file; lifted at the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def noop_handler(log: ThreadLog) -> Callable[[], object]:
    """A ``def`` endpoint that answers 42."""

    async def awaiting() -> object:
        raise NotImplementedError

    kind = Kind("answer", lambda: 42, awaiting, lambda: 42, waits=False, upstream_calls=0)
    return handler(Route(9, "/sync/answer", "sync", kind), log)


def test_a_full_disk_loses_records_but_no_request(
    tmp_path: Path, most_bytes: Callable[[int], None]
) -> None:
    """Handlers go on answering, and the log says how many calls it had no room for."""
    log = ThreadLog(tmp_path / NAME)
    endpoint = noop_handler(log)
    most_bytes(layout.CHUNK_BYTES)
    room = PER_CHUNK - 1  # the header takes one
    assert all(endpoint() == 42 for _ in range(room))
    assert log.lost == 0
    assert all(endpoint() == 42 for _ in range(7))
    assert log.lost == 7
    found = read(tmp_path)
    assert len(found.start_ns) == room
    assert (found.end_ns > 0).all()


def test_with_room_again_the_log_goes_on(tmp_path: Path, most_bytes: Callable[[int], None]) -> None:
    """What was lost in between stays lost and counted."""
    log = ThreadLog(tmp_path / NAME)
    endpoint = noop_handler(log)
    most_bytes(layout.CHUNK_BYTES)
    for _ in range(PER_CHUNK - 1 + 4):
        endpoint()
    most_bytes(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    for _ in range(5):
        endpoint()
    assert log.lost == 4
    assert len(read(tmp_path).start_ns) == PER_CHUNK - 1 + 5


def test_a_disk_that_is_full_from_the_start_is_an_error(
    tmp_path: Path, most_bytes: Callable[[int], None]
) -> None:
    """The worker does not start with a log that can hold nothing."""
    most_bytes(layout.CHUNK_BYTES - 1)
    with pytest.raises(OSError, match="File too large"):
        ThreadLog(tmp_path / NAME)
