"""The noise floor and the controls: how far a run can be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from bench.analysis.drift import drift
from bench.analysis.noise import noise
from bench.analysis.results import results
from bench.records.model import SCHEMA, ControlRecord, TrialRecord
from bench.report import trust
from tests.support.records import measured, run, trial


def pair(number: int, first: float, second: float, **figures: object) -> list[TrialRecord]:
    """A round in which the cell was entered twice, with these throughputs."""
    return [
        replace(trial(measured=measured(throughput_rps=first)), round=number),
        replace(
            trial(measured=measured(throughput_rps=second, **figures)), round=number, twin=True
        ),
    ]


def test_the_noise_floor_is_of_one_cell() -> None:
    """A run that was resumed with other cells may have twins of two."""
    old = [replace(one, cell="b") for one in pair(1, 100.0, 300.0)]
    floor = noise([*old, *pair(1, 100.0, 102.0), *pair(2, 100.0, 102.0)], 2)
    assert floor is not None
    assert floor.cell == trial().cell
    assert floor.ratios[0][1].n == 2


def test_the_noise_floor_pairs_the_entries_of_a_round() -> None:
    """The ratio of the second entry to the first, for each metric; an interval from 4 on."""
    trials = [one for n in range(1, 5) for one in pair(n, 40.0, 40.0 * (1 + n / 1000))]
    found = noise(trials, 2)
    assert found is not None
    ratios = {metric.name: ratio for metric, ratio in found.ratios}
    assert ratios["throughput_rps"].ratio == pytest.approx(1.0025, abs=1e-5)
    assert ratios["throughput_rps"].n == 4
    assert ratios["throughput_rps"].low is not None
    assert ratios["cpu_ms_per_request"].ratio == 1
    told = trust.noise_floor(found)
    assert told is not None
    assert "measured twice in each of 4 rounds, differs from itself by: throughput +0.2%" in told


def test_an_invalid_entry_makes_no_pair() -> None:
    """And a run without pairs has no noise floor."""
    assert noise(pair(1, 40.0, 40.0, redirects=1), 2) is None
    assert noise([trial()], 2) is None
    assert trust.noise_floor(None) is None


def test_a_twin_is_no_repeat_of_its_cell() -> None:
    """The row is made of the first entries alone."""
    trials = pair(1, 40.0, 20.0)
    found = results(run(cells=(trial().cell,)), trials)
    assert found.rows[0].throughput_rps is not None
    assert found.rows[0].throughput_rps.value == pytest.approx(40)
    assert found.rows[0].trials == 1


def control(when: Literal["start", "end"], wait_ms: int, rate: float, p50: float) -> ControlRecord:
    """A control that went well."""
    return ControlRecord(SCHEMA, "r", when, wait_ms, 100, None, rate, p50, 0.9, 0.5)


def test_controls_tell_ceiling_added_latency_and_drift() -> None:
    """The first of the start against the last of the end: a run that was resumed has more."""
    found = drift(
        [
            control("start", 0, 6000.0, 16.0),
            control("start", 200, 99.0, 202.5),
            control("start", 0, 9999.0, 9.0),
            control("end", 0, 5400.0, 18.0),
            control("end", 200, 99.0, 203.0),
        ]
    )
    assert found is not None
    assert found.ceiling_rps == 6000
    assert found.ceiling_ratio == pytest.approx(0.9)
    assert (found.added_ms, found.added_end_ms) == (2.5, 3.0)
    assert trust.controls(found) == (
        "Controls, the generator straight at the delay server: it reaches 6,000 requests/s (-10.0%"
        " at the end of the run); it adds 2.50 ms to a latency of 200 ms (median)."
    )


def test_the_ceilings_of_several_processes_are_told() -> None:
    """Beside that of one, which alone tells of drift: its like is at the end, too."""
    found = drift(
        [
            control("start", 0, 6000.0, 16.0),
            replace(control("start", 0, 9500.0, 10.0), generators=4),
            replace(control("start", 0, 9000.0, 11.0), generators=2),
            control("end", 0, 6000.0, 16.0),
        ]
    )
    assert found is not None
    assert found.ceilings == {2: 9000.0, 4: 9500.0}
    assert found.ceiling_ratio == 1.0
    assert "; 2 processes of it 9,000; 4 processes of it 9,500." in str(trust.controls(found))


def test_a_control_that_failed_is_told() -> None:
    """With its reason, as text."""
    found = drift([ControlRecord(SCHEMA, "r", "start", 0, 100, "it | hangs")])
    assert found is not None
    assert found.ceiling_rps is None
    assert r"control at 0 ms, start: it \| hangs" in str(trust.controls(found))
    assert drift([]) is None
    assert trust.controls(None) is None
