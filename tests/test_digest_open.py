"""An open load's figures count from when a request was due, whenever it was sent."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.digest.trial import digest
from bench.selfcheck.trial_folder import MS, PROFILE, T0, T1, write_trial
from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bench.records.model import Measured

OPEN = replace(PROFILE, rate=20.0, in_flight=100)


def digested(folder: Path, requests: Iterable[tuple[float, float | None, float, int]]) -> Measured:
    """Of requests due, sent and ended so many ms after the window's beginning."""
    words = array("Q")
    records = list(requests)
    for due_ms, sent_ms, end_ms, outcome in records:
        sent_ns = 0 if sent_ms is None else T0 + int(sent_ms * MS)
        words.extend((T0 + int(due_ms * MS), T0 + int(end_ms * MS), outcome, sent_ns))
    load = {"started": len(records), "record_words": layout.OPEN_WORDS}
    write_trial(folder, load_facts=load, facts={"profile": OPEN})
    with (folder / "requests.bin").open("wb") as file:
        words.tofile(file)
    return digest(folder)


def test_latency_counts_from_when_a_request_was_due(tmp_path: Path) -> None:
    """So does the number in the system; in flight are those that were sent."""
    requests = [(10.0 * n, 10.0 * n + 4, 10.0 * n + 24, layout.SUCCEEDED) for n in range(-50, 150)]
    found = digested(tmp_path, requests)
    assert found.latency.p50.value_ms == pytest.approx(24.0, rel=0.05)
    assert found.latency.mean_measured_ms == pytest.approx(24.0, rel=0.01)
    assert found.latency.mean_by_little_ms is None  # who is there isn't known beforehand
    assert found.open is not None
    assert (found.open.due, found.open.behind) == (100, 0)
    assert found.open.late_p50_ms == pytest.approx(4.0)
    assert found.open.late_in_p99_ms == pytest.approx(4.0)
    # Little: 100 a second, 24 ms each.
    assert found.population == found.open.in_system_avg == pytest.approx(2.4)
    assert found.places is not None
    assert found.places.generator == pytest.approx(0.4)
    assert found.load.users == 100
    assert found.throughput_rps == pytest.approx(100.0, rel=0.01)


def test_what_was_due_and_never_sent_is_behind_and_unfinished(tmp_path: Path) -> None:
    """It is as late as the window lets it be, and waits in the generator."""
    sent = [(10.0 * n, 10.0 * n + 1, 10.0 * n + 5, layout.SUCCEEDED) for n in range(95)]
    never = [(950.0 + n, None, 1100.0, layout.UNFINISHED) for n in range(5)]
    found = digested(tmp_path, [*sent, *never])
    assert found.open is not None
    assert (found.open.due, found.open.behind) == (100, 5)
    assert found.open.late_p99_ms == pytest.approx(49.0, abs=1.0)
    assert found.requests.unfinished == found.requests.window_unfinished == 5
    assert found.counters.generator_recorded == found.counters.generator_started == 100


def test_a_window_in_which_nothing_was_due(tmp_path: Path) -> None:
    """Has nobody who could be late."""
    found = digested(tmp_path, [(-500.0, -500.0, -400.0, layout.SUCCEEDED)])
    assert found.open is not None
    assert (found.open.due, found.open.late_p99_ms, found.open.late_in_p99_ms) == (0, None, None)
    assert found.open.in_system_avg == 0.0
    assert T1 > T0
