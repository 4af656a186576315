"""The signals of each worker for itself."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.digest.trial import digest
from bench.records.model import WorkerSignals
from bench.selfcheck.trial_folder import MS, T0, T1, Call, S, look, page, write_trial

if TYPE_CHECKING:
    from pathlib import Path

BUSY, IDLE = 200, 100


def looks() -> list[dict[str, Any]]:
    """Every tenth of a second: one worker's loop works, waits for its core, is late; one rests."""
    entered, queued = [T0 - S] * 8, [T0 + 500 * MS] * 4
    found = []
    for tenth in range(-1, 12):
        at = T0 + tenth * 100 * MS
        busy = page(
            pid=BUSY,
            heartbeat_ns=at - 20 * MS,
            held_ns=50 * max(0, tenth) * MS,
            pool=(40, 30 if tenth >= 5 else 10, 0),
            started=entered,
            executor=(6, 34 if tenth >= 5 else 14),
            queued=queued if tenth >= 5 else [],
        )
        idle = page(pid=IDLE, heartbeat_ns=at, pool=(20, 0, 0))
        past_s = 1.0 + tenth / 10
        found.append(
            look(
                at,
                gauges={BUSY: busy, IDLE: idle},
                cpu_s={"server": {BUSY: 0.9 * past_s, IDLE: 0.1 * past_s, 300: 5.0}},
                loops={BUSY: (0.7 * past_s, 0.2 * past_s), IDLE: (0.05 * past_s, 0.0)},
            )
        )
    return found


def workers(folder: Path, **changes: Any) -> tuple[WorkerSignals, ...]:
    """Of a trial with two workers, one of which has three quarters of the calls."""
    calls = {
        BUSY: [Call(T0 + at * MS, T0 + (at + 5) * MS) for at in range(3)],
        IDLE: [Call(T0, T1)],
    }
    parts: dict[str, Any] = {"handlers": calls, "looks": looks(), "facts": {"workers": [200, 100]}}
    return digest(write_trial(folder, **(parts | changes))).per_worker


def test_each_worker_has_its_own_figures(tmp_path: Path) -> None:
    """In the order of their process ids."""
    idle, busy = workers(tmp_path)
    assert asdict(busy) == pytest.approx(
        {
            "pid": BUSY,
            "share": 0.75,
            "cores": 0.9,
            "loop_cores": 0.7,
            "loop_waited": 0.2,
            "loop_held_share": 0.5,
            "pool_size": 40,
            "pool_busy_avg": 20.0,
            "queued_avg": 2.0,
            "inside_avg": 8.0,
            "executor_threads": 6,
            "executor_waiting_avg": 24.0,
        }
    )
    assert asdict(idle) == pytest.approx(
        {
            "pid": IDLE,
            "share": 0.25,
            "cores": 0.1,
            "loop_cores": 0.05,
            "loop_waited": 0.0,
            "loop_held_share": 0.0,
            "pool_size": 20,
            "pool_busy_avg": 0.0,
            "queued_avg": 0.0,
            "inside_avg": 0.0,
            "executor_threads": None,  # it has none
            "executor_waiting_avg": 0.0,
        }
    )


def test_the_workers_add_up_to_the_server(tmp_path: Path) -> None:
    """Where all of it is workers; here some process beside them stands still."""
    found = workers(tmp_path)
    signals = digest(tmp_path).signals
    assert sum(one.cores or 0.0 for one in found) == pytest.approx(signals.server_cores)
    assert sum(one.inside_avg or 0.0 for one in found) == pytest.approx(signals.in_flight_avg)
    assert sum(one.queued_avg or 0.0 for one in found) == pytest.approx(signals.pool_waiting_avg)


def test_without_a_probe_a_worker_has_its_cpu(tmp_path: Path) -> None:
    """The rest is unknown."""
    bare = [{**shown, "gauges": {}, "loops": {}} for shown in looks()]
    idle, _ = workers(tmp_path, handlers={}, looks=bare)
    assert idle.cores == pytest.approx(0.1)
    assert replace(idle, cores=None) == WorkerSignals(pid=IDLE)


def test_a_worker_that_went_leaves_what_it_had_unknown(tmp_path: Path) -> None:
    """Its last figures are of a part of the window only."""
    half = looks()
    for shown in half[6:]:
        del shown["groups"]["server"]["cpu_s"][str(BUSY)], shown["loops"][str(BUSY)]
    idle, busy = workers(tmp_path, looks=half)
    assert (busy.cores, busy.loop_cores, busy.loop_waited) == (None, None, None)
    assert idle.cores == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("beaten_ms", "held_ms", "share"),
    [
        pytest.param({0: -10, 1000: 990}, (300, 300), 0.0, id="free"),
        pytest.param({0: -2000, 1000: -2000}, (300, 300), 1.0, id="blocked throughout"),
        pytest.param({0: -40, 1000: 500}, (300, 300), 0.5, id="blocked at the end"),
        # What it owed at the window's start is no part of it.
        pytest.param({0: -500, 1000: 980}, (300, 1050), 0.25, id="blocked at the start"),
    ],
)
def test_a_loop_is_held_up_while_it_owes_a_heartbeat(
    tmp_path: Path, beaten_ms: dict[int, int], held_ms: tuple[int, int], share: float
) -> None:
    """Also where none was made."""
    seen = [
        look(
            T0 + at * MS,
            gauges={BUSY: page(heartbeat_ns=T0 + beat * MS, held_ns=held * MS)},
        )
        for (at, beat), held in zip(beaten_ms.items(), held_ms, strict=True)
    ]
    facts = {"workers": [BUSY]}
    (worker,) = workers(tmp_path, handlers={}, looks=seen, facts=facts)
    assert worker.loop_held_share == pytest.approx(share, abs=0.001)


def test_without_a_heartbeat_there_is_no_share_of_late_ones(tmp_path: Path) -> None:
    """A page that never had its mark."""
    seen = [look(ns, gauges={BUSY: page(heartbeat_ns=T0, begun=False)}) for ns in (T0, T1)]
    (worker,) = workers(tmp_path, handlers={}, looks=seen, facts={"workers": [BUSY]})
    assert worker.loop_held_share is None
