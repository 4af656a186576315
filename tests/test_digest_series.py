"""A trial over time: by an example that was worked out by hand, and as sums that must come out."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.digest.raw import read_all
from bench.digest.read import Unreadable
from bench.digest.requests import watched
from bench.digest.series import BINS, loop_delays_ms, series_of
from bench.digest.trial import figures
from bench.records import journal
from bench.selfcheck.trial_folder import MS, T0, T1, Request, S, look, page, write_trial
from locustfiles import layout
from tests.support.records import trial

if TYPE_CHECKING:
    from bench.records.model import SeriesRecord

FIRST = T0 - 6 * S  # when the first user starts
STOP = FIRST + 8 * S  # bins of 200 ms
LISTS = ("t_s", "throughput_rps", "in_flight", "loop_delay_ms", "pool_busy", "pool_waiting",
         "server_cores")  # fmt: skip
ARGV = [
    *(".nox/env-3-11-server-uvicorn/bin/python", "-m", "uvicorn", "app.main:app"),
    *("--host", "127.0.0.1", "--port", "45123", "--workers", "2"),
    *("--loop", "uvloop", "--http", "httptools", "--lifespan", "on"),
    *("--no-access-log", "--log-level", "warning", "--backlog", "2048"),
    *("--timeout-keep-alive", "75", "--timeout-worker-healthcheck", "86400"),
]


def series(folder: Path, told: tuple[str, ...] = (), **parts: Any) -> SeriesRecord:
    """Of a trial folder made of these parts."""
    raw = read_all(write_trial(folder, **parts))
    seen = watched(raw)
    return series_of(raw, seen, replace(trial(), measured=figures(raw, seen)), told)


def stopped() -> Request:
    """A request that is cut off at the stop, from the window's start on."""
    return Request(T0, STOP, layout.UNFINISHED)


def test_a_trial_is_told_from_its_first_user_to_the_stop(tmp_path: Path) -> None:
    """Window and bins in seconds since that user started, with what is needed to place it."""
    found = series(
        tmp_path, ("other programs",), requests=[stopped()], facts={"argv": ["python", "-m", "x"]}
    )
    assert (found.t0_s, found.t1_s, found.stop_s) == (6.0, 7.0, 8.0)
    assert found.t_s == tuple(round(0.1 + 0.2 * number, 1) for number in range(BINS))
    assert (found.cell, found.round, found.index, found.twin) == (
        "sync_http-uvicorn-w1", 1, 1, False,
    )  # fmt: skip
    assert found.argv == ("python", "-m", "x")
    assert found.disturbances == ("other programs",)
    assert {len(getattr(found, name)) for name in LISTS} == {BINS}


def test_what_ended_in_a_bin_by_its_width(tmp_path: Path) -> None:
    """Good answers alone; and those that were on the way, on average."""
    requests = [
        stopped(),
        Request(FIRST, FIRST + 100 * MS),
        Request(FIRST + 100 * MS, FIRST + 250 * MS),
        Request(FIRST + 100 * MS, FIRST + 300 * MS, layout.FIRST_FAILURE),
        Request(FIRST + 400 * MS, FIRST + 500 * MS),
        Request(STOP - 50 * MS, STOP + 5 * MS, layout.UNFINISHED),
        Request(STOP - 50 * MS, STOP + MS),  # answered after the stop
    ]
    found = series(tmp_path, requests=requests)
    assert found.throughput_rps[:4] == (5.0, 5.0, 5.0, 0.0)
    assert sum(found.throughput_rps) == 15.0
    assert found.in_flight[:4] == (1.5, 0.75, 0.5, 0.0)
    assert found.in_flight[-1] == 1.5


def looks() -> list[dict[str, Any]]:
    """Three of them, 300 ms apart, of two processes and one worker."""
    return [
        look(
            FIRST + 100 * MS,
            gauges={100: page(heartbeat_ns=FIRST + 90 * MS, pool=(40, 10, 0))},
            cpu_s={"server": {11: 1.0, 12: 0.2}},
        ),
        look(
            FIRST + 400 * MS,
            gauges={
                100: page(
                    heartbeat_ns=FIRST + 110 * MS,
                    pool=(40, 20, 2),
                    queued=[FIRST + 200 * MS] * 2,
                )
            },
            cpu_s={"server": {11: 1.15, 12: 0.35}},
        ),
        look(
            FIRST + 700 * MS,
            gauges={
                100: page(
                    heartbeat_ns=FIRST + 690 * MS,
                    pool=(40, 0, 0),
                    queued=[FIRST + 200 * MS] * 2,
                    dequeued=[FIRST + 550 * MS] * 2,
                )
            },
            cpu_s={"server": {11: 1.3}},
        ),
        look(
            FIRST + 7500 * MS,
            gauges={
                100: page(
                    heartbeat_ns=FIRST + 7490 * MS,
                    queued=[FIRST + 200 * MS] * 2,
                    dequeued=[FIRST + 550 * MS] * 2,
                )
            },
        ),
    ]


def test_signals_are_averages_between_looks(tmp_path: Path) -> None:
    """A gauge keeps its value; of waiting tasks and CPU time each bin has what was in between."""
    found = series(tmp_path, requests=[stopped()], looks=looks())
    # From 0.1 s: 10 threads until 0.4 s, then 20 until 0.7 s; after that nobody looked for long.
    assert found.pool_busy[:5] == (10.0, 10.0, 20.0, 20.0, None)
    assert found.pool_busy[5:] == (None,) * 35
    # 2 tasks waited for 200 of 300 ms, then for 150 of 300, and then none did.
    assert found.pool_waiting[:5] == (1.33, 1.33, 1.0, 0.5, 0.0)
    assert found.pool_waiting[-3:] == (0.0, None, None)
    # 0.3 s in 0.3 s; then a process went, and took its share along.
    assert found.server_cores[:3] == (1.0, 1.0, None)
    assert found.server_cores[3:] == (None,) * 37


def test_a_loop_is_late_from_when_its_heartbeat_was_due(tmp_path: Path) -> None:
    """It grows until the look that sees it; where no look tells, nothing is known."""
    found = series(tmp_path, requests=[stopped()], looks=looks())
    # Due at 0.16 s, and still owed at 0.4 s, when the third bin began.
    assert found.loop_delay_ms[:5] == (40.0, 240.0, 240.0, 0.0, None)
    assert found.loop_delay_ms[-3:] == (0.0, None, None)


def test_of_several_workers_the_latest_counts(tmp_path: Path) -> None:
    """And one whose heart never beat says nothing."""
    late, early = FIRST, FIRST + 350 * MS
    gauges = {100: page(heartbeat_ns=late), 200: page(heartbeat_ns=early)}
    gauges[300] = page(begun=False)
    raw = read_all(
        write_trial(tmp_path, requests=[stopped()], looks=[look(FIRST + 390 * MS, gauges=gauges)])
    )
    edges = np.array([FIRST, FIRST + 200 * MS, FIRST + 400 * MS, STOP])
    found = loop_delays_ms(raw.samples.looks, edges)
    assert np.array_equal(found, [150.0, 340.0, np.nan], equal_nan=True)


def test_without_probe_and_looks_nothing_is_made_up(tmp_path: Path) -> None:
    """The generator's own lists are there all the same."""
    found = series(tmp_path, requests=[stopped()], looks=[])
    for name in LISTS[3:]:
        assert getattr(found, name) == (None,) * BINS
    assert found.in_flight[-1] == 1.0


def test_where_nothing_was_cut_off_the_last_answer_is_the_end(tmp_path: Path) -> None:
    """It is counted; and a trial of nothing ends with its window."""
    found = series(tmp_path / "one", requests=[Request(T0, T1 + S)])
    assert found.stop_s == 8.0
    assert sum(found.throughput_rps) * found.stop_s / BINS == pytest.approx(1.0, rel=1e-3)
    assert series(tmp_path / "none").stop_s == 7.0


def test_the_curve_has_the_windows_latencies(tmp_path: Path) -> None:
    """Ten of 100 ms and ten of 300 ms; the last five can't tell a percentile."""
    requests = [
        Request(T0 + 10 * number * MS, T0 + (10 * number + took) * MS, user=number)
        for number in range(20)
        for took in (100 if number % 2 else 300,)
    ]
    found = series(tmp_path, requests=[stopped(), *requests]).latency
    assert found.ms == (100.0, 300.0)
    # The one that was cut off is followed for the whole window: a 21st that lasted longer.
    assert found.below == (round(10 / 21, 4), round(20 / 21, 4))
    assert found.known_to_ms == 300.0


@pytest.mark.parametrize("first_ns", [T0, T1 + S])
def test_a_first_user_that_comes_after_the_window_began_is_damage(
    tmp_path: Path, first_ns: int
) -> None:
    """No trial is like that."""
    with pytest.raises(Unreadable, match=r"generator\.json is corrupt"):
        read_all(write_trial(tmp_path, load_facts={"first_spawn_ns": first_ns}))


requests_of = st.lists(
    st.builds(
        lambda start, took, outcome: Request(FIRST + start, FIRST + start + took, outcome),
        st.integers(0, 8 * S),
        st.integers(0, 3 * S),
        st.sampled_from([layout.SUCCEEDED, layout.SUCCEEDED, layout.FIRST_FAILURE]),
    ),
    max_size=200,
)


@settings(max_examples=60, deadline=None)
@given(requests_of, st.integers(T1 + MS, T1 + S))
def test_the_bins_add_up_to_the_whole(made: list[Request], stop_ns: int) -> None:
    """Rates by width are the good answers until the stop, and the averages the time on the way."""
    requests = [*made, Request(T0, stop_ns, layout.UNFINISHED)]
    with tempfile.TemporaryDirectory() as name:
        found = series(Path(name), requests=requests)
    width_s = found.stop_s / BINS
    good = sum(one.outcome == layout.SUCCEEDED and one.end_ns < stop_ns for one in requests)
    # Within the four digits that are kept.
    assert sum(found.throughput_rps) * width_s == pytest.approx(good, rel=1e-3)
    way_s = sum(min(one.end_ns, stop_ns) - min(one.start_ns, stop_ns) for one in requests) / S
    assert sum(found.in_flight) * width_s == pytest.approx(way_s, rel=1e-3)
    assert list(found.latency.below) == sorted(found.latency.below)
    assert all(0 <= share <= 1 for share in found.latency.below)


def test_a_line_is_at_most_three_kilobytes(tmp_path: Path) -> None:
    """Of a trial whose figures all need their digits, with a disturbance and a real command."""
    rng = np.random.default_rng(1)
    starts = np.sort(rng.integers(0, 8 * S, 20_000))
    requests = [
        Request(FIRST + int(start), FIRST + int(start + took))
        for start, took in zip(starts, rng.lognormal(16, 1.5, starts.size), strict=True)
    ]
    seen = [
        look(
            FIRST + at * 100 * MS,
            gauges={
                100: page(
                    heartbeat_ns=FIRST + at * 100 * MS - int(rng.integers(S)),
                    pool=(40, at, 7),
                    queued=[FIRST] * at * at,
                    dequeued=[FIRST + 13] * at,
                )
            },
            cpu_s={"server": {11: at * 0.0917 + at * at / 1e4}},
        )
        for at in range(82)
    ]
    told = ("the load generator's own timer was 26.2 ms late (p99), which its latencies contain",)
    found = series(tmp_path / "trial", told, requests=[*requests, stopped()], looks=seen,
                   facts={"argv": ARGV})  # fmt: skip
    assert None not in found.pool_waiting[:-1]
    assert len(found.latency.ms) > 30
    path = tmp_path / journal.SERIES_FILE
    journal.append(path, found)
    assert len(path.read_bytes()) <= 3000
    assert journal.read_series(path).records == (found,)
