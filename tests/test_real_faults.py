"""What can go wrong in a trial does: the row says what happened, and the next cell is measured."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.analysis.fitness import Fitness, judge
from bench.plan import PlannedTrial
from bench.records.model import Outcome
from bench.report.reasons import of_trial
from bench.run.host import machine
from bench.run.lab import Patience
from bench.run.schedule import Hands, run_plan
from bench.selfcheck.trials import cell
from tests.support.other_app import HEAD, kind, with_kind
from tests.support.unspoilt import usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.records.model import TrialRecord
    from bench.selfcheck.trials import Trials

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]


def hurried(bench: Trials, ready_s: float = 30.0, stall_s: float = 20.0) -> Trials:
    """The same, with less patience."""
    lab = replace(bench.runner.lab, patience=Patience(ready_s, stall_s))
    return replace(bench, runner=replace(bench.runner, lab=lab))


@contextlib.contextmanager
def in_the_load(bench: Trials, act: Callable[[], None], after_s: float = 0.7) -> Iterator[None]:
    """Do something once the next trial's load has run for a while."""
    raw = bench.runner.folder / "raw"

    def wait_and_act() -> None:
        deadline = time.monotonic() + 20
        while not any(raw.glob("*/samples.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(after_s)
        act()

    assert not any(raw.glob("*/samples.jsonl"))
    thread = threading.Thread(target=wait_and_act)
    thread.start()
    yield
    thread.join()


def generator() -> psutil.Process:
    """The load generator's process."""
    (found,) = (
        process
        for process in psutil.Process().children()
        if "locustfiles/users.py" in process.cmdline()
    )
    return found


def trial_of(bench: Trials) -> TrialRecord:
    """One trial of a cell that asks the delay server."""
    return bench.run(cell("async", "http_pooled"))


def test_server_that_is_never_ready(bench: Trials, tmp_path: Path) -> None:
    """It is given up at the deadline."""
    source = "import time\ntime.sleep(60)\n" + HEAD
    stuck = hurried(with_kind(bench, tmp_path, "stuck", source), ready_s=1.0)
    record = stuck.run(cell("async", "stuck"))
    assert record.outcome is Outcome.FAILED
    assert str(record.reason).startswith("uvicorn was not ready after 1 s")
    assert record.phases_s["start"] < 5


def test_delay_server_that_dies(bench: Trials) -> None:
    """That trial is invalid; the next has a delay server again."""
    delay = bench.runner.lab.delay
    with in_the_load(bench, lambda: os.kill(delay.child.pid, signal.SIGKILL)):
        record = trial_of(bench)
    verdict = judge(record, 2)
    assert verdict.fitness is Fitness.INVALID
    assert any(r.startswith("the delay server ended during the trial") for r in of_trial(verdict))
    usable(bench, cell("async", "http_pooled"))


def test_generator_that_crashes(bench: Trials) -> None:
    """Its trial has failed, with the reason."""
    with in_the_load(bench, lambda: generator().kill()):
        record = trial_of(bench)
    assert record.outcome is Outcome.FAILED
    assert str(record.reason).startswith("the load generator ended early")


def test_generator_that_hangs(bench: Trials) -> None:
    """Its deadline ends it."""
    with in_the_load(bench, lambda: generator().suspend()):
        record = trial_of(hurried(bench, stall_s=0.5))
    assert record.outcome is Outcome.FAILED
    assert str(record.reason).startswith("the load generator hangs: not done 0.5 s after its time")
    assert record.wall_s < 10


def test_app_that_closes_connections(bench: Trials, tmp_path: Path) -> None:
    """Answers that break off are failures, and counted as what they are."""
    body = (
        "async def parts():\n"
        "    yield b'{'\n"
        "    raise RuntimeError('broken off')\n"
        "if next(_calls) % 10 == 0:\n"
        "    return StreamingResponse(parts(), headers={'Content-Length': '11'})"
    )
    head = "import itertools\nfrom fastapi.responses import StreamingResponse\n"
    source = kind(body, f"{head}_calls = itertools.count(1)\n")
    record = usable(with_kind(bench, tmp_path, "rude", source), cell("async", "rude"))
    assert record.measured is not None
    requests = record.measured.requests
    assert requests.failed == pytest.approx(requests.started / 10, rel=0.2, abs=3)
    assert requests.succeeded > 0


def test_app_that_listens_to_the_world(bench: Trials, tmp_path: Path) -> None:
    """Nothing here is for other machines: such a server is refused."""
    source = "import socket\n_open = socket.create_server(('0.0.0.0', 0))\n" + kind("pass")
    record = with_kind(bench, tmp_path, "open", source).run(cell("async", "open"))
    assert record.outcome is Outcome.FAILED
    assert str(record.reason).startswith("uvicorn listens on 0.0.0.0:")


def test_only_loopback_is_bound_while_a_trial_runs(bench: Trials) -> None:
    """By the server, the generator, the delay server and the harness, with all their children."""
    listening: list[str] = []

    def look() -> None:
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                listening.extend(
                    found.laddr.ip
                    for found in process.net_connections("inet")
                    if found.status == psutil.CONN_LISTEN or not found.raddr
                )

    with in_the_load(bench, look):
        trial_of(bench)
    assert len(listening) >= 2
    assert all(ip_address(ip).is_loopback for ip in listening), listening


def test_the_run_goes_on_with_the_next_cell(bench: Trials, tmp_path: Path) -> None:
    """A cell that can't start costs its own row only."""
    app = with_kind(bench, tmp_path, "wrong", kind("return {'ok': False}"))
    cells = tuple(cell("async", io) for io in ("wrong", "noop"))
    plan = replace(
        app.runner.plan, cells=cells, trials=tuple(PlannedTrial(0, 1, one) for one in cells)
    )
    kept: list[TrialRecord] = []

    def keep(record: TrialRecord) -> None:
        kept.append(record)
        app.runner.put_away(record)

    run_plan(plan, [], machine.describe().cores, Hands(app.runner, keep, lambda *_: None))
    first, then, *again = kept
    assert (first.outcome, then.outcome) == (Outcome.FAILED, Outcome.MEASURED)
    # It gets one more chance, as does a trial that something disturbed.
    assert {record.round for record in again} == {2}
    assert Outcome.FAILED in {record.outcome for record in again}
    assert "expected" in str(kept[0].reason)
