"""The application's routes: every endpoint style × every io kind, answering what it should."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.io import Kind, kinds
from app.main import create_app
from app.probe.thread_log import ThreadLog
from app.routes import handler, routes
from app.settings import Settings
from bench.digest.read import handler_logs
from tests.support.asgi import ask, drive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parents[1]
DELAY_MS = 40
HTTP_KINDS = ("http", "http_aiohttp", "http_httpx2", "http_pooled")
KINDS = ("cpu", "file", *HTTP_KINDS, "json", "noop", "sleep", "sqlite")
DATABASE_KINDS = ("postgres", "postgres_asyncpg", "redis")  # asked in real trials only


def paths_of(names: Iterable[str]) -> list[str]:
    """The routes of some kinds."""
    return [path for io in names for path in (f"/sync/{io}", f"/async/{io}", f"/async/{io}/sync")]


PATHS = paths_of(KINDS)
EVERY = paths_of(sorted((*KINDS, *DATABASE_KINDS)))


def settings(trial_dir: Path | None = None, *, probe: bool = True) -> Settings:
    """Those of a start by hand, but for where to record."""
    return Settings("http://127.0.0.1:9", DELAY_MS, trial_dir, probe)


# -- all routes, in a worker of its own with a real upstream


@dataclass
class Asked:
    """What an upstream was asked for: path, and the port the call came from."""

    calls: list[tuple[str, int]] = field(default_factory=list)


def upstream_handler(asked: Asked) -> type[BaseHTTPRequestHandler]:
    """Waits as asked and says so, as the delay server does; keeps connections open."""

    class Waiting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.calls.append((self.path, self.client_address[1]))
            waited_ms = int(parse_qs(urlsplit(self.path).query)["waitms"][0])
            time.sleep(waited_ms / 1000)
            body = json.dumps({"waited_ms": waited_ms}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Waiting


@dataclass(frozen=True)
class Worker:
    """A worker that was asked for every route twice, in turn."""

    answers: list[dict[str, Any]]
    report: dict[str, Any]
    calls: list[tuple[str, int]]

    def of(self, path: str) -> list[dict[str, Any]]:
        """Both answers of a route."""
        return [answer for answer in self.answers if answer["path"] == path]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Worker:
    """The real application in a process of its own."""
    folder = tmp_path_factory.mktemp("trial")
    asked = Asked()
    server = ThreadingHTTPServer(("127.0.0.1", 0), upstream_handler(asked))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        answers = drive(
            ROOT,
            [path for path in PATHS for _ in range(2)],
            MATRIX_TRIAL_DIR=str(folder),
            MATRIX_UPSTREAM=f"http://127.0.0.1:{server.server_address[1]}",
            MATRIX_DELAY_MS=str(DELAY_MS),
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    (report,) = folder.glob("worker-*.json")
    return Worker(answers, json.loads(report.read_text(encoding="utf-8")), asked.calls)


def route_of(worker: Worker, path: str) -> dict[str, Any]:
    """What the worker reported of a route."""
    (route,) = [route for route in worker.report["routes"] if route["path"] == path]
    return dict(route)


def test_every_kind_has_a_route_for_every_endpoint(worker: Worker) -> None:
    """Numbered in the thread log's order, each path once."""
    assert [route["path"] for route in worker.report["routes"]] == EVERY
    assert [route["index"] for route in worker.report["routes"]] == list(range(len(EVERY)))


@pytest.mark.parametrize("path", PATHS)
def test_every_route_answers_what_is_expected_of_it(worker: Worker, path: str) -> None:
    """Status 200 at once, with no redirect, and the body that the worker's report promises."""
    expected = route_of(worker, path)["expected"]
    assert expected
    for answer in worker.of(path):
        assert (answer["status"], answer["body"]) == (200, expected)


@pytest.mark.parametrize("path", PATHS)
def test_a_kind_that_waits_takes_the_delay(worker: Worker, path: str) -> None:
    """And a kind that reports no waiting is not one of those that must."""
    waits = path.split("/")[2] in {*HTTP_KINDS, "sleep"}
    assert route_of(worker, path)["waits"] is waits
    if waits:
        assert min(answer["took_s"] for answer in worker.of(path)) >= DELAY_MS / 1000 * 0.95


def test_the_upstream_is_asked_as_often_as_reported(worker: Worker) -> None:
    """Once an answer by the http kinds, with the delay; never by the others."""
    reported = {path: route_of(worker, path)["upstream_calls"] for path in PATHS}
    assert reported == {path: int(path.split("/")[2] in HTTP_KINDS) for path in PATHS}
    assert len(worker.calls) == 2 * sum(reported.values())
    assert {path for path, _ in worker.calls} == {f"/?waitms={DELAY_MS}"}


def test_http_connects_anew_and_shared_clients_do_not(worker: Worker) -> None:
    """A new client has a new connection; the shared ones, blocking and awaiting, keep theirs."""
    paths = [path for path in PATHS if path.split("/")[2] in HTTP_KINDS for _ in range(2)]
    ports: dict[str, set[int]] = {kind: set() for kind in HTTP_KINDS}
    for path, (_, port) in zip(paths, worker.calls, strict=True):
        ports[path.split("/")[2]].add(port)
    assert {kind: len(found) for kind, found in ports.items()} == {
        "http": 6,
        **dict.fromkeys(HTTP_KINDS[1:], 2),
    }


def test_the_expected_document_is_a_few_kilobytes() -> None:
    """The json kind reads a real file."""
    document = ROOT / "app" / "io" / "document.json"
    assert 1_000 < document.stat().st_size < 10_000
    (kind,) = [kind for kind in kinds() if kind.name == "json"]
    assert kind.expected() == json.loads(document.read_text(encoding="utf-8"))


def test_the_worker_says_what_it_runs_on(worker: Worker) -> None:
    """Its own Python and loop; no HTTP parser, as no server loaded one."""
    report = worker.report
    assert (report["python"], report["http"]) == (platform.python_version(), None)
    assert report["loop"].startswith("asyncio.")
    assert report["pid"] != os.getpid()


# -- what is no route


@pytest.mark.parametrize(
    "path", ["/", "/sync", "/sync/nothing", "/sync/noop/sync", "/async_sync/noop", "/docs"]
)
def test_a_wrong_path_is_not_found(path: str) -> None:
    """The probe or a page of documentation doesn't change that."""
    (answer,) = asyncio.run(ask(create_app(settings()), [path]))
    assert answer["status"] == 404


# -- with the probe and without


def endpoints(application: object) -> dict[str, object]:
    """The function that each route of a bare FastAPI application calls."""
    assert isinstance(application, FastAPI)
    return {
        route.path: route.endpoint for route in application.routes if isinstance(route, APIRoute)
    }


def test_without_a_trial_handlers_are_the_twins_themselves() -> None:
    """Nothing is wrapped around the application, nor around what waits."""
    found = endpoints(create_app(settings()))
    assert sorted(found) == sorted(EVERY)
    for kind in kinds():
        assert found[f"/sync/{kind.name}"] is kind.blocking
        assert found[f"/async/{kind.name}"] is kind.awaiting


def test_with_the_probe_off_only_the_report_is_written(tmp_path: Path) -> None:
    """Neither log nor gauges; requests are answered as ever."""
    application = create_app(settings(tmp_path, probe=False))
    (answer,) = asyncio.run(ask(application, ["/sync/noop"]))
    assert answer["body"] == {"ok": True}
    assert [path.name for path in tmp_path.iterdir()] == [f"worker-{os.getpid()}.json"]


def test_the_report_comes_with_the_start_not_before(tmp_path: Path) -> None:
    """A worker that has not started up is not ready; its draft is no report."""
    application = create_app(settings(tmp_path))
    assert not list(tmp_path.glob("worker-*"))
    asyncio.run(ask(application, []))
    assert [path.name for path in tmp_path.glob("worker-*")] == [f"worker-{os.getpid()}.json"]


def test_each_call_is_recorded_on_the_thread_that_ran_it(tmp_path: Path) -> None:
    """``def`` on a thread of the pool, both kinds of ``async def`` on the loop's."""
    paths = ["/sync/noop", "/async/noop", "/async/noop/sync"]
    asyncio.run(ask(create_app(settings(tmp_path)), paths))
    (log,) = handler_logs(tmp_path)
    assert log.pid == os.getpid()
    assert [PATHS[index] for index in log.route.tolist()] == paths
    assert (log.end_ns >= log.start_ns).all()
    loop = threading.get_native_id()
    assert [thread == loop for thread in log.thread.tolist()] == [False, True, True]


def test_a_handler_that_fails_has_an_end_too(tmp_path: Path) -> None:
    """Its exception goes on, in each of the three styles."""

    def blocking() -> object:
        raise ZeroDivisionError

    async def awaiting() -> object:
        raise ZeroDivisionError

    kind = Kind("broken", blocking, awaiting, dict, waits=False, upstream_calls=0)
    log = ThreadLog(tmp_path / "threads-1.bin")
    for route in routes(iter([kind])):
        with pytest.raises(ZeroDivisionError):
            run(handler(route, log))
    (found,) = handler_logs(tmp_path)
    assert found.route.tolist() == [0, 1, 2]
    assert (found.end_ns > 0).all()


def run(endpoint: Callable[[], Any]) -> object:
    """Call an endpoint of either style."""

    async def call() -> object:
        answer = endpoint()
        return await answer if hasattr(answer, "__await__") else answer

    return asyncio.run(call())
