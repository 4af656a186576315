"""The harness's looks: what they take of a worker's loop and of the delay server's page."""

from __future__ import annotations

import array
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from app.probe import layout
from app.probe.gauges import Gauges
from bench.digest.read import looks
from bench.run.host.sampler import Gauge, Sampler
from bench.run.server import delay_page
from bench.run.server.delay_page import DelayPage

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.trial_files import Look

CHANGED_NS = 10**12


def write_page(
    path: Path, *, changed_ns: int = CHANGED_NS, magic: int = delay_page.PAGE_MAGIC
) -> None:
    """A delay server's page: 7 started, 4 served, 1 cancelled, 2 in flight; 5 s·requests so far."""
    words = array.array("Q", [magic, 7, 4, 1, 2, 5 * 10**9, changed_ns])
    path.write_bytes(words.tobytes().ljust(delay_page.PAGE_BYTES, b"\0"))


def sample(
    folder: Path, gauges: dict[int, Gauge], delay: DelayPage | None, times: int = 1
) -> list[Look]:
    """Look so many times at this very process."""
    sampler = Sampler(
        folder / "samples.jsonl",
        {"harness": [os.getpid()]},
        gauges,
        cpus={},
        quota_cores=None,
        delay=delay,
    )
    for _ in range(times):
        sampler.look()
    sampler.close()
    return looks(folder)


def test_the_integral_goes_on_since_the_last_change(tmp_path: Path) -> None:
    """Two in flight, for as long as nothing changes."""
    write_page(tmp_path / "page.bin")
    page = DelayPage(tmp_path / "page.bin")
    assert page.in_flight_ns(CHANGED_NS) == 5 * 10**9
    assert page.in_flight_ns(CHANGED_NS + 10**9) == 7 * 10**9
    (seen,) = sample(tmp_path, {}, page)
    assert seen.upstream_ns == 5 * 10**9 + 2 * (seen.ns - CHANGED_NS)


def test_a_page_that_is_being_changed_tells_nothing(tmp_path: Path) -> None:
    """Its words may be of two states."""
    write_page(tmp_path / "page.bin", changed_ns=0)
    page = DelayPage(tmp_path / "page.bin")
    assert page.in_flight_ns(CHANGED_NS) is None
    assert sample(tmp_path, {}, page)[0].upstream_ns is None


def test_what_is_no_page_is_refused(tmp_path: Path) -> None:
    """Missing, cut short, or something else."""
    with pytest.raises(OSError, match="No such file"):
        DelayPage(tmp_path / "page.bin")
    (tmp_path / "page.bin").write_bytes(b"")
    with pytest.raises(ValueError, match="greater than file size"):
        DelayPage(tmp_path / "page.bin")
    write_page(tmp_path / "page.bin", magic=1)
    with pytest.raises(ValueError, match="no page of a delay server"):
        DelayPage(tmp_path / "page.bin")


@pytest.mark.skipif(sys.platform != "linux", reason="the system doesn't tell of threads")
def test_the_loops_thread_is_told_from_the_others(tmp_path: Path) -> None:
    """This one works for a while, another thread twice as long."""
    gauges = Gauges(tmp_path / "gauges-1.bin")
    pages = {os.getpid(): Gauge(tmp_path / "gauges-1.bin")}
    assert sample(tmp_path, pages, None)[0].loops == {}
    gauges.words[layout.G_LOOP_TID] = threading.get_native_id()

    def spin(seconds: float) -> float:
        began = time.thread_time()
        while time.thread_time() < began + seconds:
            pass
        return began

    (first,) = sample(tmp_path, pages, None)
    spin(0.1)
    other = threading.Thread(target=spin, args=(0.3,))
    other.start()
    other.join()
    (last,) = sample(tmp_path, pages, None)
    (before,), (after,) = first.loops.values(), last.loops.values()
    assert list(last.loops) == [str(os.getpid())]
    assert 0.09 < after.cpu_s - before.cpu_s < 0.29
    assert after.waited_s >= before.waited_s


def test_a_worker_whose_thread_is_gone_has_no_time(tmp_path: Path) -> None:
    """Unknown; the look is taken all the same."""
    gauges = Gauges(tmp_path / "gauges-1.bin")
    gauges.words[layout.G_LOOP_TID] = 2**30
    (seen,) = sample(tmp_path, {os.getpid(): Gauge(tmp_path / "gauges-1.bin")}, None)
    assert seen.loops == {}
    assert len(seen.gauges) == 1
    assert seen.upstream_ns is None
