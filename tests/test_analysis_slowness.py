"""How much slower than usual the machine was while a trial ran."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.analysis.fitness import Fitness
from bench.analysis.known import knowledge
from bench.analysis.slowness import slowness
from tests.support.records import measured, trial

if TYPE_CHECKING:
    from bench.records.model import TrialRecord


def ran(
    cores: float | None, number: int = 1, *, server: str = "uvicorn",
    experiment: str = "sync_http", server_cores: float = 1.0,
) -> TrialRecord:  # fmt: skip
    """A trial beside which the harness used so much of a core."""
    cell = f"{experiment}-{server}-w1"
    return replace(
        trial(cell=cell, experiment=experiment, server=server, round=number),
        measured=measured(harness_cores=cores, server_cores=server_cores),
    )


def test_a_trial_on_a_slow_machine_stands_out() -> None:
    """By as much as the harness's own work took longer; the others are as usual."""
    found = slowness([ran(0.015, n) for n in range(1, 6)] + [ran(0.0225, 6)])
    assert [found[at] for at in range(5)] == pytest.approx([1.0] * 5)
    assert found[5] == pytest.approx(1.5)


def test_servers_with_more_to_look_at_are_no_slower() -> None:
    """Each is held against its own kind; and so is what costs more beside other work."""
    trials = [
        ran(0.01 * more * beside, n, server=server, experiment=experiment)
        for server, more in (("uvicorn", 1.0), ("hypercorn", 1.4))
        for experiment, beside in (("sync_http", 1.0), ("async_json", 1.3), ("async_http", 0.9))
        for n in range(1, 5)
    ]
    assert [*slowness(trials).values()] == pytest.approx([1.0] * len(trials))


def test_what_is_usual_of_half_a_slow_hour_is_the_faster_half() -> None:
    """A machine is slow at times; it is never faster than it is."""
    found = slowness([ran(0.015 if n % 2 else 0.03, n) for n in range(1, 9)])
    assert sorted(round(value, 1) for value in found.values()) == [1.0] * 4 + [2.0] * 4


def test_another_regime_is_no_slow_machine() -> None:
    """A cell that falls into one that computes more takes the harness's caches with it."""
    usual = [ran(0.0164, n, server_cores=0.55) for n in range(1, 8)]
    fallen = ran(0.0243, 8, server_cores=1.0)
    assert slowness([*usual, fallen]).get(7, 1.0) == 1.0
    assert slowness([*usual, ran(0.0243, 8, server_cores=0.6)])[7] == pytest.approx(1.48, abs=0.01)


def test_of_few_trials_or_without_the_figure_nothing_is_told() -> None:
    """Three trials alike don't tell what is usual."""
    assert slowness([ran(0.015), ran(0.015), ran(0.05)]) == {}
    assert slowness([ran(None)] * 9) == {}
    assert slowness([replace(ran(0.01), measured=None)] * 9) == {}


def test_a_slow_trial_is_set_aside_as_disturbed() -> None:
    """So its cell comes again."""
    trials = [ran(0.015, n) for n in range(1, 5)] + [ran(0.02, 5)]
    (known,) = knowledge(trials, 2).values()
    assert [one.fitness for _, one in known.judged] == [Fitness.CLEAN] * 4 + [Fitness.DISTURBED]
    assert len(known.counted) == 4


def test_a_cell_that_mostly_waits_is_hardly_slower_on_a_slow_machine() -> None:
    """Its rate stands."""
    trials = [ran(0.015 if n < 5 else 0.02, n, server_cores=0.4) for n in range(1, 6)]
    (known,) = knowledge(trials, 2).values()
    assert len(known.counted) == 5
