"""Whether a server has worked without a break, from looks at it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.probe import layout
from bench.records.trial_files import GroupUsage, Look, LoopTime
from bench.run.busy import never_rests

MS = 1_000_000


def looks(
    *, held: float = 0.0, worked: float | None = 0.0, cpu: float = 0.0, waiting: int = 0,
    workers: tuple[str, ...] = ("1",), count: int = 6,
) -> list[Look]:  # fmt: skip
    """Of a server whose loops were held up, and on a core, for such shares of the time."""
    found = []
    for number in range(count):
        ns = number * 100 * MS
        page = [0] * layout.GAUGE_WORDS
        page[layout.G_HELD_NS] = int(held * ns)
        page[layout.G_HEARTBEAT_NS], page[layout.G_INTERVAL_NS] = ns, 100 * MS
        page[layout.G_POOL_WAITING] = waiting
        loop = None if worked is None else LoopTime(worked * ns / 1e9 / 2, worked * ns / 1e9 / 2)
        found.append(
            Look(
                ns=ns,
                gauges=dict.fromkeys(workers, page),
                groups={"server": GroupUsage(dict.fromkeys(workers, cpu * ns / 1e9), 1)},
                machine={},
                loops={} if loop is None else dict.fromkeys(workers, loop),
            )
        )
    return found


@pytest.mark.parametrize(
    ("shares", "busy"),
    [
        pytest.param({"held": 1.0, "worked": 0.1}, True, id="blocked"),
        pytest.param({"held": 0.8, "worked": 0.1}, False, id="blocked at times"),
        pytest.param({"held": 1.0, "worked": 0.98}, False, id="computes"),
        pytest.param({"held": 1.0, "worked": None, "cpu": 0.1}, True, id="by its process"),
        pytest.param({"held": 1.0, "worked": None, "cpu": 0.98}, False, id="whose process does"),
        pytest.param({"held": 0.1, "waiting": 3}, True, id="a full pool"),
        pytest.param({"held": 1.0, "worked": 0.1, "count": 3}, False, id="too few looks"),
        pytest.param({"held": 1.0, "workers": ()}, False, id="without gauges"),
        pytest.param({"held": 1.0, "workers": ("1", "2")}, True, id="two of two"),
    ],
)
def test_a_server_never_rests_if_its_loop_is_blocked_or_its_pool_full(
    shares: dict[str, object],
    busy: bool,  # noqa: FBT001
) -> None:
    """A loop that computes swings, with requests that come back from their wait in a wave."""
    assert never_rests(looks(**shares)) is busy  # type: ignore[arg-type]


def test_one_worker_that_rests_is_enough() -> None:
    """Each has requests of its own."""
    both = ("1", "2")
    blocked, resting = looks(held=1.0, workers=both), looks(held=0.2, workers=both)
    found = [
        replace(a, gauges={"1": a.gauges["1"], "2": b.gauges["2"]})
        for a, b in zip(blocked, resting, strict=True)
    ]
    assert not never_rests(found)
