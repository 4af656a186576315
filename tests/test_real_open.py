"""Open loads: requests come when they are due, whatever became of the ones before."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.fitness import Fitness, judge
from bench.analysis.reconcile import disagreements
from bench.paths import ROOT
from bench.records.model import Outcome
from bench.report.reasons import of_trial
from bench.selfcheck.trials import cell
from tests.support.other_app import kind, with_kind
from tests.test_real_faults import in_the_load
from tests.test_real_generators import part, several

if TYPE_CHECKING:
    from pathlib import Path

    from bench.selfcheck.trials import Trials

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

ALARM = """
import time, gevent
from locustfiles.alarm import Alarm
alarm, ran = Alarm(), []
other = gevent.spawn(lambda: [(ran.append(1), gevent.sleep(0)) for _ in range(3)])
for pause_ns in (5_000_000, 100_000, 0, -10**9):
    due_ns = time.monotonic_ns() + pause_ns
    alarm.sleep_until(due_ns)
    assert time.monotonic_ns() >= due_ns
other.join()
assert len(ran) == 3
"""


def opened(bench: Trials, rate: float, processes: int = 1, **load: Any) -> Trials:
    """The same with requests that come so often."""
    profile = replace(
        bench.runner.plan.profile, spawn_rate=None, rate=rate, **{"in_flight": 200} | load
    )
    return several(bench.under(profile, bench.runner.plan.profile.delay_s), processes)


def test_an_alarm_lets_others_run_and_never_goes_early(bench: Trials) -> None:
    """Also when it is due at once, or was so long ago."""
    python = bench.runner.lab.load_python
    subprocess.run([python, "-c", ALARM], cwd=ROOT, check=True, timeout=30)


@pytest.mark.parametrize(
    ("processes", "arrivals"), [(1, "poisson"), (3, "poisson"), (2, "constant")]
)
def test_its_books_balance(bench: Trials, processes: int, arrivals: str) -> None:
    """As many were due as asked for, and whoever is in the system is somewhere."""
    trials = opened(bench, 150.0, processes, arrivals=arrivals)
    _, measured = trials.measured(cell("async", "http_pooled"))
    assert disagreements(measured) == ()
    found = measured.open
    assert found is not None
    # Of 150 Poisson arrivals the standard deviation is 12; constant ones are 150.
    assert found.due == pytest.approx(150, abs=60 if arrivals == "poisson" else 1)
    assert found.behind <= 1
    assert measured.load.generators == processes
    # Each waits for 100 ms, whoever else does.
    assert found.in_system_avg == pytest.approx(0.1 * found.due, rel=0.4)
    assert measured.requests.failed == 0
    p50 = measured.latency.p50
    assert (p50.value_ms or p50.over_ms or 0.0) >= 99.0


@pytest.mark.parametrize("server", ["gunicorn", "hypercorn"])
def test_connections_that_the_server_closes_meanwhile_are_made_anew(
    bench: Trials, server: str
) -> None:
    """Gunicorn keeps an idle one for two seconds."""
    trials = opened(bench, 0.8, warmup_s=8.0, duration_s=4.0)
    _, measured = trials.measured(cell("async", "noop", server))
    assert measured.requests.failed == 0
    assert measured.requests.succeeded > 3
    assert disagreements(measured) == ()


@pytest.mark.parametrize("processes", [1, 2])
def test_one_that_can_not_keep_up_ends_early(bench: Trials, processes: int) -> None:
    """A blocking handler of 100 ms completes ten a second."""
    trials = opened(bench, 100.0, processes, in_flight=60, duration_s=60.0)
    record = trials.run(cell("async_sync", "http_pooled"))
    assert record.outcome is Outcome.FAILED
    assert str(record.reason).startswith("overloaded: arrivals 100/s")
    assert record.wall_s < 15


def test_a_generator_that_was_held_up_makes_its_trial_invalid(bench: Trials) -> None:
    """What was due meanwhile is sent late: none is left out, and the latencies say so."""

    def hold_up() -> None:
        held = part(2)
        held.suspend()
        time.sleep(0.3)
        held.resume()

    trials = opened(bench, 200.0, 2)
    with in_the_load(trials, hold_up, after_s=0.8):
        record = trials.run(cell("async", "http_pooled"))
    measured = record.measured
    assert measured is not None, record.reason
    assert disagreements(measured) == ()
    assert measured.open is not None
    assert (measured.open.late_p99_ms or 0.0) > 100
    verdict = judge(record, 2)
    assert verdict.fitness is Fitness.INVALID
    assert any("sent requests late" in reason for reason in of_trial(verdict))


def test_a_stall_of_the_application_is_in_the_latencies_of_all_who_came_meanwhile(
    bench: Trials, tmp_path: Path
) -> None:
    """Users who wait for their answers would have seen it once each (coordinated omission)."""
    head = "import itertools, time\n_calls = itertools.count(1)\n"
    source = kind("if next(_calls) == 130:\n    time.sleep(0.4)", head)
    trials = opened(with_kind(bench, tmp_path, "stalls", source), 200.0)
    _, measured = trials.measured(cell("async", "stalls"))
    assert disagreements(measured) == ()
    mean_ms = measured.latency.mean_measured_ms
    # 80 of 200 requests a second came in 0.4 s of standing still, and waited for 0.2 s on average.
    assert mean_ms is not None
    assert mean_ms > 40
