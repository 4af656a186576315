"""Trials as they would have read on a machine of the usual speed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.analysis.known import knowledge
from bench.analysis.rows import rows_of
from bench.report.reasons import remarks
from bench.stats import Percentile
from tests.support.records import measured, trial

if TYPE_CHECKING:
    from bench.records.model import TrialRecord

SLOWER = (1.0, 1.0, 1.0, 1.3)  # of each cell's trials


def ran(
    rate: float, slower: float | None, number: int, *, server: str, computes: bool = True
) -> TrialRecord:
    """A trial on a machine so many times slower."""
    signals = measured(
        harness_cores_tapered=None if slower is None else 0.015 * slower,
        server_cores=1.0 if computes else 0.3,
        server_ms_per_request=1e3 / rate,
    )
    latency = replace(signals.latency, p50=Percentile(50e3 / rate, None, None, 49e3 / rate))
    return replace(
        trial(cell=f"async_json-{server}-w1", experiment="async_json", server=server, round=number),
        measured=replace(signals, throughput_rps=rate, latency=latency),
    )


def cells(*, computes: bool = True, known: bool = True) -> list[TrialRecord]:
    """Five of 100 to 500 requests/s, that fall by as much as their machine is slower."""
    return [
        ran(
            100.0 * at / slower,
            slower if known else None,
            number,
            server=f"s{at}",
            computes=computes,
        )
        for number, slower in enumerate(SLOWER, start=1)
        for at in range(1, 6)
    ]


def test_what_a_slow_machine_took_is_given_back() -> None:
    """All trials of a cell then read alike, whenever they were made."""
    for at, known in enumerate(knowledge(cells(), 2).values(), start=1):
        rates = [one.measured.throughput_rps for one in known.counted]
        assert rates == pytest.approx([100.0 * at] * 4)
        assert [one.corrected for one in known.counted] == pytest.approx([1.0, 1.0, 1.0, 1.3])
        assert known.estimate is not None
        assert known.estimate.value == pytest.approx(100.0 * at)


def test_a_trials_figures_go_on_agreeing_with_one_another() -> None:
    """Rate times CPU per request is the cores used, and rate times latency the users."""
    for known in knowledge(cells(), 2).values():
        for one in known.counted:
            rate, signals = one.measured.throughput_rps, one.measured.signals
            assert rate * (signals.server_ms_per_request or 0.0) == pytest.approx(1e3)
            p50 = one.measured.latency.p50
            assert rate * (p50.value_ms or 0.0) == pytest.approx(50e3)
            assert rate * (p50.low_ms or 0.0) == pytest.approx(49e3)


@pytest.mark.parametrize("how", [{"computes": False}, {"known": False}], ids=str)
def test_a_cell_that_waits_or_whose_clock_is_unknown_is_left_alone(how: dict[str, bool]) -> None:
    """Its rate stands as it was read, and so does its spread."""
    for known in knowledge(cells(**how), 2).values():
        assert [one.corrected for one in known.counted] == [1.0] * 4
        assert known.spread is not None
        assert known.spread.deviation == pytest.approx(math.log(1.3) / 2, rel=1e-6)


def test_what_lies_between_two_regimes_is_not_the_machines_doing() -> None:
    """A cell that falls into a state three times as slow takes the harness's caches with it."""
    fell = [
        ran(rate, 1.3 if rate < 50 else 1.0, number, server="fell")
        for number, rate in enumerate((99.0, 33.0, 100.0, 34.0), start=1)
    ]
    found = knowledge([*cells(), *fell], 2)
    assert found["async_json-fell-w1"].regimes is not None
    told = found["async_json-s1-w1"].counted
    assert [one.corrected for one in told] == pytest.approx([1.0, 1.0, 1.0, 1.3], rel=0.01)


def test_a_row_says_which_of_its_trials_were_corrected() -> None:
    """Each sample has the figure that counts and the factor it was corrected by."""
    order = list(dict.fromkeys(one.cell for one in cells()))
    for row in rows_of(order, cells(), 0.1, 2):
        assert [one.corrected for one in row.samples] == pytest.approx([1.0, 1.0, 1.0, 1.3])
        assert len({round(one.throughput_rps or 0.0, 3) for one in row.samples}) == 1
        told = "what its trials read was corrected to the usual speed, by 1.00 to 1.30 ×"
        assert remarks(row.verdict)[0] == f"the machine's speed went up and down: {told}"
