"""Real servers, real load, the real delay server: a second or so each."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.analysis.reconcile import disagreements
from bench.records import journal
from bench.records.model import Outcome
from bench.run.host.environments import describe
from bench.run.host.machine import describe as describe_host
from bench.selfcheck.trials import cell
from tests.conftest import SERVERS
from tests.support.other_app import with_kind

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths
    from bench.records.model import TrialRecord
    from bench.selfcheck.trials import Trials

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

FOREVER = '''
"""Answers the first request, then blocks for good."""
import threading
WAITS, UPSTREAM_CALLS = False, 0
_first = iter([True])
def blocking():
    if not next(_first, False):
        threading.Event().wait()
    return expected()
async def awaiting():
    return blocking()
def expected():
    return {"ok": True}
'''


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("server", SERVERS)
def test_each_server_is_measured_and_its_books_balance(
    bench: Trials, server: str, workers: int
) -> None:
    """A waiting endpoint on each server: all parties agree on the number of requests."""
    record, measured = bench.measured(cell("async", "http_pooled", server, workers))
    assert disagreements(measured) == ()
    assert measured.requests.failed == 0
    assert measured.requests.succeeded > 12
    assert len(measured.process.workers) == workers
    assert measured.process.workers == measured.process.workers_after
    assert sum(measured.signals.worker_shares.values()) == pytest.approx(1)
    # 12 users, 100 ms: never more than 120 requests/s.
    assert 0 < measured.throughput_rps <= 120 * 1.05
    assert measured.load.t1_ns - measured.load.t0_ns == 10**9
    assert record.wall_s > 1.3
    # All that runs below the harness is not counted as its own, too.
    signals = measured.signals
    audit = measured.process.audit
    assert audit is not None
    assert audit.nodelay == audit.connections >= workers
    # Its worker listens anew, with asyncio's default, whatever it was told.
    assert audit.backlog == (100 if server == "gunicorn_asgi" else 2048)
    assert (audit.log_bytes_per_request or 0.0) < 1.0 or server == "fastapi_run"
    assert server != "fastapi_run" or (audit.log_bytes_per_request or 0.0) > 30
    assert signals.harness_cores is not None
    assert signals.server_cores is not None
    assert 0 < signals.harness_cores < 0.5
    assert signals.server_cores > 0


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("server", SERVERS)
def test_a_loop_that_is_asked_for_is_what_runs(bench: Trials, server: str, workers: int) -> None:
    """And of uvicorn's workers on asyncio it is seen that they lose TCP_NODELAY."""
    asked = replace(
        cell("async", "noop", server, workers), settings=(("loop", "asyncio"),), named=("loop",)
    )
    record = bench.run(asked)
    if server == "fastapi_run":
        assert record.reason == "fastapi_run can't be told to run on asyncio"
        return
    assert record.measured is not None, record.reason
    process = record.measured.process
    assert process.loop == "asyncio._UnixSelectorEventLoop"
    assert process.audit is not None
    lost = server in {"uvicorn", "uvicorn_h11"} and workers > 1
    assert process.audit.nodelay == (0 if lost else process.audit.connections)


def test_threads_users_and_delay_are_a_cells_own(bench: Trials) -> None:
    """Whatever the profile says: two threads of the pool, five users, 50 ms."""
    asked = (("threads", "2"), ("delay", "50ms"), ("users", "5"))
    named = tuple(axis for axis, _ in asked)
    asked_of = replace(cell("sync", "sleep"), settings=asked, named=named)
    record, measured = bench.measured(asked_of)
    assert record.settings == dict(asked)
    assert (measured.signals.pool_size, measured.load.users) == (2, 5)
    assert measured.load.delay_s == pytest.approx(0.05)
    assert measured.throughput_rps == pytest.approx(40, rel=0.1)  # two at a time
    assert measured.signals.pool_waiting_avg == pytest.approx(3, abs=0.5)


def test_a_server_keeps_to_its_cores(bench: Trials) -> None:
    """The first of those that are there; more than that fail the cell."""
    cores = sorted(os.sched_getaffinity(0))
    one = replace(cell("sync", "noop"), settings=(("cores", "1"),), named=("cores",))
    _, measured = bench.measured(one)
    assert measured.process.cpus == tuple(cores[:1])
    assert (measured.signals.server_cores or 0.0) <= 1.02
    many = replace(one, settings=(("cores", str(len(cores) + 1)),))
    assert f"{len(cores) + 1} cores are asked for" in str(bench.run(many).reason)


@pytest.mark.parametrize("endpoint", ["sync", "async", "async_sync"])
@pytest.mark.parametrize("io", ["http_aiohttp", "http_httpx2", "file", "cpu", "sqlite"])
def test_every_io_kind_is_measured(bench: Trials, io: str, endpoint: str) -> None:
    """With two workers, which share the file of sqlite."""
    _, measured = bench.measured(cell(endpoint, io, workers=2))
    assert disagreements(measured) == ()
    assert measured.requests.failed == 0
    assert measured.requests.succeeded > 5


@pytest.mark.parametrize("endpoint", ["sync", "async", "async_sync"])
@pytest.mark.parametrize("io", ["postgres", "postgres_asyncpg", "redis"])
def test_every_database_is_asked(bench: Trials, io: str, endpoint: str) -> None:
    """Its CPU is neither the server's nor other programs'."""
    asked = cell(endpoint, io, workers=2)
    lacking = bench.runner.lab.lacking(asked)
    required = "MATRIX_REQUIRE_REDIS" if io == "redis" else "CI"
    if lacking is not None and required not in os.environ:
        assert bench.run(asked).reason == lacking
        pytest.skip(lacking)
    _, measured = bench.measured(asked)
    assert disagreements(measured) == ()
    assert measured.requests.failed == 0
    assert measured.requests.succeeded > 50
    signals = measured.signals
    assert signals.database_cores is not None
    assert signals.server_cores is not None
    assert 0 < signals.database_cores < signals.server_cores
    assert bench.measured(cell("sync", "noop"))[1].signals.database_cores is None


def test_a_series_is_kept_of_each_trial(bench: Trials) -> None:
    """No signal is unknown for long, and its bins add up to what was counted."""
    record, measured = bench.measured(cell("sync", "sleep"))
    path = bench.runner.folder / journal.SERIES_FILE
    found = journal.read_series(path).records[-1]
    assert (found.cell, found.argv) == (record.cell, measured.process.argv)
    assert len(path.read_bytes().splitlines()[-1]) <= 3000
    assert 0 < found.t0_s < found.t1_s <= found.stop_s < found.t1_s + 0.5
    width_s = found.stop_s / len(found.t_s)
    counted = sum(found.throughput_rps) * width_s
    assert counted == pytest.approx(measured.requests.succeeded, abs=2)
    within = [
        rate for t_s, rate in zip(found.t_s, found.throughput_rps, strict=True)
        if found.t0_s <= t_s < found.t1_s
    ]  # fmt: skip
    assert sum(within) / len(within) == pytest.approx(measured.throughput_rps, rel=0.25)
    assert found.in_flight[-2] == pytest.approx(12, abs=1)
    for values in (found.pool_busy, found.pool_waiting, found.server_cores, found.loop_delay_ms):
        assert len(values) == len(found.t_s)
        # Between two looks there may be bins without one: how many hangs on the machine.
        known = [value is not None for value in values]
        unknown = [len([*run]) for one, run in groupby(known) if not one]
        assert max(unknown, default=0) <= len(values) / 4
    assert max(value or 0 for value in found.pool_busy) == pytest.approx(12, abs=0.5)
    assert found.latency.known_to_ms > 100


def test_def_endpoint_runs_in_the_pool(bench: Trials) -> None:
    """12 users of a `def` endpoint: 12 threads beside the loop's, all busy, none waiting."""
    _, measured = bench.measured(cell("sync", "sleep"))
    assert measured.threads.spawned == 13
    assert measured.signals.pool_size == 40
    assert measured.signals.pool_busy_avg == pytest.approx(12, abs=2.5)
    assert measured.signals.pool_waiting_avg == 0


@pytest.mark.parametrize("server", SERVERS)
def test_async_endpoint_has_one_thread(bench: Trials, server: str) -> None:
    """An `async def` endpoint that awaits runs on the loop's thread alone, forked or not."""
    _, measured = bench.measured(cell("async", "sleep", server))
    assert measured.threads.spawned == 1
    assert measured.threads.active_avg == 1


def test_blocking_call_blocks_the_loop(bench: Trials) -> None:
    """An `async def` endpoint that blocks serves one at a time, and its heartbeat shows it."""
    _, measured = bench.measured(cell("async_sync", "sleep"))
    assert measured.throughput_rps <= 11
    assert measured.signals.loop_delay_max_ms is not None
    assert measured.signals.loop_delay_max_ms > 100
    assert measured.requests.window_unfinished >= 11


def test_without_probe(bench: Trials) -> None:
    """The probe can be switched off: rates and CPU remain, what explains them is unknown."""
    _, measured = bench.measured(cell("async", "noop"), probe=False)
    assert measured.throughput_rps > 0
    assert measured.signals.server_ms_per_request is not None
    assert measured.threads.spawned is None
    assert measured.signals.pool_size is None
    assert measured.counters.app_started is None


def test_app_that_blocks_for_good_leaves_nothing(bench: Trials, tmp_path: Path) -> None:
    """Its trial ends in time, as a failed one or one without completions; no process stays."""
    app = with_kind(bench, tmp_path, "forever", FOREVER)
    record = app.run(cell("async_sync", "forever"))
    assert record.measured is not None
    assert record.measured.requests.succeeded == 0
    assert record.measured.requests.unfinished == 12
    assert record.phases_s["stop"] < 2
    assert_nothing_left(bench, record)


def test_app_that_cannot_be_imported(bench: Trials, tmp_path: Path) -> None:
    """The row's reason ends with the traceback's last line."""
    app = with_kind(bench, tmp_path, "broken", "import no_such_module")
    record = app.run(cell("sync", "broken"))
    assert record.outcome is Outcome.FAILED
    assert record.reason is not None
    assert "No module named 'no_such_module'" in record.reason
    # The whole traceback is in a file.
    path = record.reason.rpartition("(all of it: ")[2].removesuffix(")")
    text = gzip.decompress((bench.runner.folder / path).read_bytes()).decode()
    assert text.count("File ") > 3
    assert_nothing_left(bench, record)


def test_secrets_do_not_reach_the_application(
    bench: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So whatever it prints or fails with, no token of ours can be in a reason or a log."""
    monkeypatch.setenv("SOME_API_TOKEN", "hush-4711")
    source = "import os\nraise RuntimeError(str(dict(os.environ)))"
    record = with_kind(bench, tmp_path, "chatty", source).run(cell("sync", "chatty"))
    assert record.outcome is Outcome.FAILED
    assert "MATRIX_TRIAL_DIR" in str(record.reason)
    assert "hush-4711" not in str(record.reason)
    for path in (bench.runner.folder / "raw").rglob("*.gz"):
        assert b"hush-4711" not in gzip.decompress(path.read_bytes())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return {'ok': False}", "expected"),
        ("from fastapi.responses import RedirectResponse as R\n    return R('/x')", "redirects to"),
        ("raise RuntimeError", "HTTP 500"),
    ],
)
def test_wrong_answer_fails_the_cell(bench: Trials, tmp_path: Path, body: str, reason: str) -> None:
    """One wrong answer before the load, and the cell is failed with the reason."""
    kind = (
        "WAITS, UPSTREAM_CALLS = False, 0\n"
        f"def blocking():\n    {body}\n"
        "async def awaiting():\n    return blocking()\n"
        "def expected():\n    return {'ok': True}\n"
    )
    record = with_kind(bench, tmp_path, "wrong", kind).run(cell("sync", "wrong"))
    assert record.outcome is Outcome.FAILED
    assert record.reason is not None
    assert reason in record.reason


def test_taken_port_is_retried(bench: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken between its choice and the server's start costs a try, not the trial."""
    from bench.run.server import bringup  # noqa: PLC0415

    real = bringup.free_port
    with socket.socket() as holder:
        holder.bind((bringup.HOST, 0))
        holder.listen()
        ports = iter([holder.getsockname()[1]])
        monkeypatch.setattr(bringup, "free_port", lambda host: next(ports, None) or real(host))
        record, _ = bench.measured(cell("async", "noop"))
    assert record.outcome is Outcome.MEASURED


@pytest.mark.parametrize("server", SERVERS)
def test_environments_are_isolated(prepared: Paths, bench: Trials, server: str) -> None:
    """A server's environment holds neither the load generator nor another server."""
    assert prepared.root.is_dir()
    python = next(
        path for (name, _), path in bench.runner.lab.server_pythons.items() if name == server
    )
    packages = describe(python)["packages"]
    assert isinstance(packages, dict)
    # gunicorn's worker is uvicorn's, and `fastapi run` starts it.
    own = {
        "gunicorn": {"gunicorn", "uvicorn"},
        "gunicorn_asgi": {"gunicorn"},
        "uvicorn_h11": {"uvicorn"},
        "fastapi_run": {"uvicorn"},
    }.get(server, {server})
    assert not {"gevent", "locust", "flask", "numpy"} & packages.keys()
    assert {"uvicorn", "gunicorn", "hypercorn", "granian"} & packages.keys() == own


def test_host_is_described() -> None:
    """The facts recorded of the machine are there, and name neither person nor host."""
    about = describe_host()
    assert about.cores >= 1
    assert about.memory_gb > 0
    assert socket.gethostname() not in str(about)


def assert_nothing_left(bench: Trials, record: TrialRecord) -> None:
    """No process of the trial lives, and nobody listens on its port."""
    folder = str(bench.runner.folder)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            assert not process.environ().get("MATRIX_TRIAL_DIR", "").startswith(folder), process
    if record.measured is not None:
        argv = list(record.measured.process.argv)
        port = int(argv[argv.index("--port") + 1])
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            pass
