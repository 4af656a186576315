"""Trials spoilt on purpose: each is caught, with the right reason, none published as sound."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.analysis.fitness import Fitness, Judged, judge
from bench.analysis.results import results
from bench.analysis.rows import Row, rows
from bench.config import fixed
from bench.digest.read import Unreadable
from bench.digest.trial import digest
from bench.placement import Placement
from bench.plan import PlannedTrial
from bench.report import lines, markdown
from bench.report.reasons import of_trial
from bench.run.host.machine import describe
from bench.selfcheck.trials import cell, trials
from tests.support.other_app import kind, with_kind
from tests.support.records import run as run_of
from tests.support.unspoilt import usable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.paths import Paths
    from bench.records.model import TrialRecord
from bench.selfcheck.trials import Trials

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

BURN = "import time\nend = time.monotonic() + 30\nwhile time.monotonic() < end: pass"
# Every hundredth answer is another one; the first, which is verified, is right.
ONE_IN = "import itertools\nfrom fastapi import Response\n_calls = itertools.count(1)\n"
LEAK = "import threading\n_ever = threading.Event()\n"


def verdict_on(record: TrialRecord) -> Judged:
    """What the trial is fit for, on this machine's cores."""
    return judge(record, describe().cores)


def published(record: TrialRecord) -> tuple[Row, str]:
    """The trial's row, and the whole report of a run that is this trial."""
    run = run_of(cells=(record.cell,), host=replace(run_of().host, cores=describe().cores))
    (row,) = rows(run, [record])
    sys.stdout.write(f"{lines.row_text(row)}\n")  # `pytest -rP` shows what a person would see
    return row, markdown.report(results(run, [record]))


def assert_no_figures(record: TrialRecord, reason: str) -> None:
    """The row has its reason in place of numbers, and so has the report."""
    row, report = published(record)
    assert row.throughput_rps is None
    assert row.why is None
    assert row.requests is None
    assert reason in report


@contextlib.contextmanager
def burning(cpu: int | None = None) -> Iterator[None]:
    """Somebody else's program takes a core; it ends by itself after 30 s at the latest."""
    burner = subprocess.Popen([sys.executable, "-c", BURN])
    try:
        if cpu is not None:
            os.sched_setaffinity(burner.pid, {cpu})
        yield
    finally:
        burner.kill()
        burner.wait()


def kill_a_worker(bench: Trials, planned: PlannedTrial, after_s: float) -> threading.Thread:
    """End one worker with SIGKILL, once the load has run for a while."""
    folder = bench.runner.folder / "raw" / f"r{planned.round:02d}-{planned.cell.id}"

    def kill() -> None:
        deadline = time.monotonic() + 20
        while not (folder / "samples.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(after_s)
        pid = min(int(path.stem.partition("-")[2]) for path in folder.glob("worker-*.json"))
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("server", "workers"), [("uvicorn", 1), ("uvicorn", 2), ("gunicorn", 2), ("hypercorn", 2)]
)
def test_worker_killed_in_the_window(bench: Trials, server: str, workers: int) -> None:
    """Whether its server replaces it, ends, or goes on with fewer."""
    planned = PlannedTrial(1, 1, cell("async", "sleep", server, workers))
    killer = kill_a_worker(bench, planned, after_s=0.8)
    record = bench.runner(planned)
    bench.runner.put_away(record)
    killer.join()
    found = verdict_on(record)
    assert found.fitness is Fitness.INVALID
    assert of_trial(found)[0].startswith("the workers changed during the load: ")
    assert_no_figures(record, "the workers changed during the load")


def test_delay_server_late(prepared: Paths) -> None:
    """100 ms that it answers 60 ms late are not what was asked for."""
    which = cell("async", "http_pooled")
    with trials(prepared, fixed(10, 0.3, 1.0), [which], 0.1, late_ms=60) as late:
        record = late.run(which)
    found = verdict_on(record)
    assert found.fitness is Fitness.INVALID
    (told,) = (
        r for r in of_trial(found) if r.startswith("the delay server was late: p99 overshoot")
    )
    assert 60 <= float(told.split()[-2]) < 200
    assert_no_figures(record, "the delay server was late")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_generator_starved(prepared: Paths) -> None:
    """Kept to one core beside a busy loop, it uses half of that core, and yet it is the limit."""
    which, cpu = cell("async", "noop"), max(os.sched_getaffinity(0))
    place = Placement("test", generator=(cpu,))
    with (
        trials(prepared, fixed(200, 0.5, 1.5), [which], 0.1, placement=place) as bench,
        burning(cpu),
    ):
        # Up to three: others may slow the server down so far that the generator has time again.
        for _ in range(3):
            record = bench.run(which)
            found = verdict_on(record)
            if found.fitness is Fitness.INVALID:
                break
    assert record.measured is not None
    assert (record.measured.signals.generator_cores or 0) < 0.8
    assert found.fitness is Fitness.INVALID
    assert of_trial(found)[0].startswith("the load generator used 0.")
    assert "and waited for it" in of_trial(found)[0]
    assert_no_figures(record, "and waited for it")


def test_foreign_program_eats_a_core(bench: Trials) -> None:
    """Its share of the machine is told beside the numbers."""
    with burning():
        record = usable(bench, cell("async", "sleep"))
    found = verdict_on(record)
    assert found.fitness is Fitness.DISTURBED
    assert any(r.startswith("other programs took ") for r in of_trial(found))
    _, report = published(record)
    assert "other programs took " in report


def test_redirects_under_load(bench: Trials, tmp_path: Path) -> None:
    """One answer in ten redirects: a redirect is two requests counted as one."""
    answer = "return Response(status_code=307, headers={'Location': '/'})"
    source = kind(f"if next(_calls) % 10 == 0:\n    {answer}", ONE_IN)
    record = with_kind(bench, tmp_path, "moved", source).run(cell("async", "moved"))
    found = verdict_on(record)
    assert found.fitness is Fitness.INVALID
    assert "redirects among the answers" in of_trial(found)[0]
    assert_no_figures(record, "redirects among the answers")


def test_wrong_body_in_one_of_a_hundred(bench: Trials, tmp_path: Path) -> None:
    """Counted as failures, named, and held against the row."""
    source = kind("if next(_calls) % 100 == 0:\n    return {'ok': 'no'}", ONE_IN)
    record = usable(with_kind(bench, tmp_path, "odd", source), cell("async", "odd"))
    assert record.measured is not None
    wrong = record.measured.requests.failure_kinds["wrong body"]
    assert wrong == pytest.approx(record.measured.requests.started / 100, rel=0.1, abs=3)
    found = verdict_on(record)
    assert any(r.startswith(f"{wrong} of ") and "another body" in r for r in of_trial(found))
    row, report = published(record)
    assert ("wrong body", wrong) in row.failure_kinds
    assert "another body than the verifying request's" in report


def test_five_percent_answer_500(bench: Trials, tmp_path: Path) -> None:
    """A result: the row shows how many failed, and as what; they are no completions."""
    source = kind("if next(_calls) % 20 == 0:\n    return Response(status_code=500)", ONE_IN)
    record = usable(with_kind(bench, tmp_path, "ill", source), cell("async", "ill"))
    measured = record.measured
    assert measured is not None
    failed = measured.requests.failure_kinds["HTTP 500"]
    assert failed == pytest.approx(measured.requests.started / 20, rel=0.1, abs=3)
    assert measured.requests.failed == failed
    row, report = published(record)
    assert row.failures == measured.requests.window_failed > 0
    assert row.throughput_rps is not None
    share = measured.failures_rps / (measured.failures_rps + row.throughput_rps.value)
    assert share == pytest.approx(0.05, abs=0.01)
    assert "HTTP 500" in report


def test_app_that_leaks_threads(bench: Trials, tmp_path: Path) -> None:
    """A thread more with every request that never ends."""
    source = (
        "import asyncio, threading\n_ever = threading.Event()\n"
        "WAITS, UPSTREAM_CALLS = True, 0\n"
        "def expected():\n    return {'ok': True}\n"
        "def blocking():\n    return expected()\n"
        "async def awaiting():\n"
        "    threading.Thread(target=_ever.wait, daemon=True).start()\n"
        "    await asyncio.sleep(0.1)\n    return expected()\n"
    )
    record = usable(with_kind(bench, tmp_path, "leaky", source), cell("async", "leaky"))
    found = verdict_on(record)
    assert any(r.startswith("the application's threads grew from ") for r in of_trial(found))
    _, report = published(record)
    assert "it leaks them" in report


@pytest.mark.parametrize("within_a_record", [False, True])
def test_thread_log_truncated(bench: Trials, within_a_record: bool) -> None:  # noqa: FBT001
    """Between two records the counters don't reconcile; within one the file is damaged."""
    kept = replace(bench, runner=replace(bench.runner, keep_raw=True))
    record = kept.run(cell("async", "sleep"))
    (folder,) = (kept.runner.folder / "raw").glob("*-async_sleep-*")
    (log,) = folder.glob("threads-*.bin.gz")
    whole = gzip.decompress(log.read_bytes())
    calls = sum(any(whole[at : at + 8]) for at in range(32, len(whole), 32))
    half = 32 * (1 + calls // 2)
    log.write_bytes(gzip.compress(whole[: half + 5 * within_a_record]))
    if within_a_record:
        with pytest.raises(Unreadable, match="threads-"):
            digest(folder)
        return
    cut = replace(record, measured=digest(folder))
    found = verdict_on(cut)
    assert found.fitness is Fitness.INVALID
    assert any("in the thread log" in reason for reason in of_trial(found))
    assert_no_figures(cut, "in the thread log")
