"""Several generator processes: their books balance to the request, and none goes unmissed."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.analysis.reconcile import disagreements
from bench.records.model import Outcome
from bench.run.trial_runner import Controls
from bench.selfcheck.trials import cell
from tests.test_real_faults import hurried, in_the_load

if TYPE_CHECKING:
    from bench.selfcheck.trials import Trials

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]


def several(bench: Trials, processes: int) -> Trials:
    """The same, with so many processes."""
    profile = replace(bench.runner.plan.profile, generators=processes)
    return bench.under(profile, bench.runner.plan.profile.delay_s)


def part(number: int) -> psutil.Process:
    """One of them; 0 is the master."""
    found = [
        process
        for process in psutil.Process().children()
        if "locustfiles/users.py" in process.cmdline()
    ]
    (master,) = [one for one in found if "--master" in one.cmdline()]
    others = [one for one in found if one.environ().get("MATRIX_PART") == str(number - 1)]
    return others[0] if number else master


@pytest.mark.parametrize("processes", [2, 4])
def test_their_books_balance_to_the_request(bench: Trials, processes: int) -> None:
    """Locust's master, each process's own records, the application and the thread log."""
    _, measured = several(bench, processes).measured(cell("async", "noop"))
    counted = measured.counters
    assert disagreements(measured) == ()
    assert measured.load.generators == processes
    assert measured.load.users == 12
    assert measured.requests.failed == 0
    assert counted.generator_started == counted.generator_recorded == measured.requests.started
    assert counted.generator_counted == measured.requests.succeeded > 100
    assert measured.signals.generator_busiest is not None
    assert measured.signals.generator_cores is not None
    assert 0 < measured.signals.generator_busiest < measured.signals.generator_cores


def test_no_process_is_without_users(bench: Trials) -> None:
    """There are at most as many as users."""
    profile = replace(bench.runner.plan.profile, users=2, generators=5)
    _, measured = bench.under(profile, 0.1).measured(cell("async", "http_pooled"))
    assert measured.load.generators == 2
    assert disagreements(measured) == ()


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "the load generator ended early"),
        (1, "the load generator ended early: load generator process 1 ended"),
        (2, "the load generator ended early: load generator process 2 ended"),
    ],
)
def test_one_that_dies_in_the_load_is_missed_at_once(bench: Trials, number: int, told: str) -> None:
    """The trial has failed, with the reason; the next has all of them."""
    crew = several(bench, 2)
    with in_the_load(crew, lambda: part(number).kill()):
        record = crew.run(cell("async", "http_pooled"))
    assert record.outcome is Outcome.FAILED
    assert str(record.reason).startswith(told)
    assert record.wall_s < 6
    _, measured = crew.measured(cell("async", "http_pooled"))
    assert disagreements(measured) == ()


def test_one_that_hangs_is_given_up(bench: Trials) -> None:
    """By the master, which waits for its records."""
    crew = several(bench, 2)
    with in_the_load(crew, lambda: part(2).send_signal(signal.SIGSTOP)):
        record = crew.run(cell("async", "http_pooled"))
    assert record.outcome is Outcome.FAILED
    assert record.reason == "load generator process 2 did not hand in its records"


def test_one_that_dies_at_its_start_is_not_waited_for(bench: Trials) -> None:
    """Nor is the master's patience exhausted first."""
    runner = bench.runner
    broken = replace(runner.lab, load_python=Path("/bin/false"))
    crew = several(replace(bench, runner=replace(runner, lab=broken)), 2)
    record = hurried(crew, ready_s=20.0).run(cell("async", "noop"))
    assert record.outcome is Outcome.FAILED
    assert "the load generator ended at its start" in str(record.reason)
    assert record.wall_s < 15


def test_the_controls_tell_the_ceiling_of_one_and_of_more(bench: Trials) -> None:
    """Of one at both ends of a run, of more at its start."""
    controls = Controls(several(bench, 3).runner, users=20)
    found = [(one.wait_ms, one.generators, one.reason) for one in controls("start")]
    assert found == [(0, 1, None), (0, 2, None), (0, 3, None), (200, 1, None)]
