"""Applications that nobody here wrote, as targets: measured as they are, or a row with its reason.

In the servers' environments, which have FastAPI, Starlette and httpx: what is installed for a
project of one's own is another test's matter.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bench.analysis.reconcile import disagreements
from bench.analysis.rows import rows_of
from bench.config import load_config
from bench.paths import ROOT, default_python
from bench.plan import Cell
from bench.records.model import Outcome
from bench.report.whys import sentence
from bench.run.lab import Patience
from bench.run.own.environ import Own
from tests.test_real_generators import several

if TYPE_CHECKING:
    from pathlib import Path

    from bench.selfcheck.trials import Trials

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

SERVERS = ("uvicorn", "gunicorn", "hypercorn")
FASTAPI = """
import asyncio
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def root():
    await asyncio.sleep(0.02)
    return {"ok": True}
"""
BARE = """
import asyncio
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await asyncio.sleep(0.02)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
"""
NO_BROKER = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
@asynccontextmanager
async def span(_):
    raise RuntimeError("no broker")
    yield
app = FastAPI(lifespan=span)
"""
ROOT_REQUEST: dict[str, Any] = {"root": {"path": "/"}}


def own(
    bench: Trials, folder: Path, source: str, requests: dict[str, Any] = ROOT_REQUEST, /,
    secrets: dict[str, str] | None = None, ready_s: float = 30.0, **target: Any,
) -> Trials:  # fmt: skip
    """Trials of an application of this source."""
    (folder / "project").mkdir()
    (folder / "project" / "main.py").write_text(source, encoding="utf-8")
    document = {"target": {"app": "main:app", "path": "project", **target}, "requests": requests}
    path = folder / "bench.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return of_file(bench, path, secrets or {}, ready_s)


def of_file(bench: Trials, path: Path, secrets: dict[str, str], ready_s: float = 30.0) -> Trials:
    """The same of a file that there is."""
    config = load_config(path, io_kinds=(), servers=SERVERS, passed=tuple(secrets))
    assert config.target is not None
    lab = replace(
        bench.runner.lab, own=Own(config.target, secrets), patience=Patience(ready_s=ready_s)
    )
    return replace(bench, runner=replace(bench.runner, lab=lab, keep_raw=True))


def cell(name: str = "root", server: str = "uvicorn", workers: int = 1) -> Cell:
    """Of one's own application."""
    return Cell("", name, server, workers, default_python())


def logs(bench: Trials) -> str:
    """All that the trial's processes said, as it is kept."""
    raw = bench.runner.folder / "raw"
    return "".join(gzip.decompress(p.read_bytes()).decode() for p in raw.glob("*/*.log.gz"))


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("source", [FASTAPI, BARE], ids=["fastapi", "bare"])
def test_an_application_as_it_is(bench: Trials, tmp_path: Path, source: str, server: str) -> None:
    """With and without a lifespan, on each server: users where they are, and counters agree."""
    record = own(bench, tmp_path, source).run(cell(server=server))
    assert record.outcome is Outcome.MEASURED, record.reason
    measured = record.measured
    assert measured is not None
    assert measured.requests.failed == 0
    assert measured.counters.app_started is not None
    assert measured.counters.app_started >= measured.requests.succeeded
    assert measured.counters.handlers_begun is None
    assert measured.threads.spawned is not None
    assert measured.threads.spawned >= 1
    places = measured.places
    assert places is not None
    assert places.inside is not None
    assert places.inside > 9  # of 12: nearly all of their time is the wait in the handler
    (row,) = rows_of([record.cell], [record], 0.1, 2)
    assert "application" not in "".join(str(reason) for reason in row.verdict.reasons)


THEIR_APP = """
from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse
app = FastAPI()
@app.get("/old")
async def old():
    return RedirectResponse("/new")
@app.get("/new")
async def new():
    return {"ok": True}
@app.get("/teapot")
async def teapot():
    return Response(status_code=418)
"""
THEIR_USERS = """
import os, time
from locust import FastHttpUser, HttpUser, constant, events, task
assert os.environ["SECRET"] == "sesame-2026"
class Classic(HttpUser):
    wait_time = constant(0.05)
    @task
    def old(self):
        self.client.get("/old")
class Quick(FastHttpUser):
    wait_time = constant(0.05)
    @task(3)
    def new(self):
        with self.client.get("/new", name="the new one", catch_response=True) as answer:
            assert answer.json() == {"ok": True}
    @task(1)
    def teapot(self):
        self.client.get("/teapot")
"""
THEIR_CLIENT = """
import time
from locust import User, constant, events, task
from urllib.request import urlopen
class Own(User):
    wait_time = constant(0.02)
    @task
    def new(self):
        began = time.monotonic()
        urlopen(f"{self.host}/new").read()
        took_ms = (time.monotonic() - began) * 1e3
        events.request.fire(request_type="X", name="by hand", response_time=took_ms,
                            response_length=0, exception=None, context={})
"""


@pytest.mark.parametrize("processes", [1, 3])
def test_users_of_a_locustfile_of_their_own(bench: Trials, tmp_path: Path, processes: int) -> None:
    """Who wait, follow redirects and judge answers themselves; all is counted, who waits too."""
    (tmp_path / "users.py").write_text(THEIR_USERS, encoding="utf-8")
    requests = {"theirs": {"locustfile": "users.py"}}
    trials = own(bench, tmp_path, THEIR_APP, requests, secrets={"SECRET": "sesame-2026"})
    trials = several(trials, processes)
    record = trials.run(cell("theirs"))
    measured = record.measured
    assert measured is not None, record.reason
    assert disagreements(measured) == ()
    assert measured.load.generators == processes
    assert measured.requests.failure_kinds.keys() == {"HTTP 418"}
    assert measured.requests.unseen == 0
    kinds = {one.name: one for one in measured.kinds}
    assert kinds.keys() == {"/old", "the new one", "/teapot"}
    assert kinds["/teapot"].completed == kinds["/teapot"].failed > 0
    new, teapot = kinds["the new one"].completed, kinds["/teapot"].completed
    # Locust draws each task by lot, 3 to 1: a binomial, of some hundred draws here.
    assert abs(new - 0.75 * (new + teapot)) < 5.0 * (0.75 * 0.25 * (new + teapot)) ** 0.5
    # Of a redirect the application sees both requests, the user one.
    assert measured.counters.app_started is not None
    assert measured.counters.app_started > measured.requests.started
    # They wait between two requests: Little's law would take that for latency.
    assert measured.latency.mean_by_little_ms is None
    p50 = measured.latency.p50  # a bound, where it hangs on how the teapots are counted
    assert (p50.value_ms or p50.over_ms or 0.0) > 0.1
    (row,) = rows_of([record.cell], [record], 0.1, 2)
    assert row.verdict.usable
    assert row.unfinished is not None


def test_what_a_client_of_their_own_tells_late_is_not_taken_for_all(
    bench: Trials, tmp_path: Path
) -> None:
    """Who still waited isn't known, so there is a rate and no percentile."""
    (tmp_path / "users.py").write_text(THEIR_CLIENT, encoding="utf-8")
    requests = {"theirs": {"locustfile": "users.py"}}
    record = own(bench, tmp_path, THEIR_APP, requests).run(cell("theirs"))
    measured = record.measured
    assert measured is not None, record.reason
    assert measured.requests.unseen == measured.requests.started > 0
    assert measured.throughput_rps > 0
    assert measured.latency.p50.value_ms is None
    assert "only once they have ended" in str(measured.latency.p50.reason)
    (row,) = rows_of([record.cell], [record], 0.1, 2)
    assert row.unfinished is None


def test_a_locustfile_that_cannot_be_loaded_says_why(bench: Trials, tmp_path: Path) -> None:
    """In a message with the name of what is missing."""
    (tmp_path / "users.py").write_text("import no_such_module\n", encoding="utf-8")
    requests = {"theirs": {"locustfile": "users.py"}}
    record = own(bench, tmp_path, THEIR_APP, requests).run(cell("theirs"))
    assert record.outcome is Outcome.FAILED
    assert "no_such_module" in str(record.reason)


def test_two_workers_and_whose_requests_they_are(bench: Trials, tmp_path: Path) -> None:
    """Each has its page, and its share."""
    record = own(bench, tmp_path, FASTAPI).run(cell(workers=2))
    assert record.measured is not None, record.reason
    shares = record.measured.signals.worker_shares
    assert len(shares) == 2
    assert sum(shares.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("processes", [1, 3])
def test_a_factory_env_commands_and_a_login(bench: Trials, tmp_path: Path, processes: int) -> None:
    """All that a file can ask for; the secret is nowhere in what is kept."""
    source = """
import asyncio, os, pathlib
from fastapi import FastAPI, Header, HTTPException, Request
def app():
    api = FastAPI()
    @api.get("/up")
    def up():
        return {}
    @api.post("/token")
    async def token(request: Request):
        form = (await request.body()).decode()
        print("log in with", form, flush=True)
        if os.environ["KEY"] not in form:
            raise HTTPException(401)
        return {"user": {"token": "t-" + pathlib.Path("made").read_text().strip()}}
    @api.get("/items/{number}")
    async def item(number: int, authorization: str = Header("")):
        await asyncio.sleep(0.02)
        if authorization != "Bearer t-x":
            raise HTTPException(403)
        return {"number": number}
    @api.post("/items", status_code=201)
    async def add(body: dict):
        return {"id": body["n"]}
    return api
"""
    requests = {
        "get": {
            "path": "/items/${n}", "vary": {"n": "1..7"},
            "headers": {"Authorization": "Bearer ${TOKEN}"}, "expect": {"contains": "number"},
        },
        "add": {"method": "POST", "path": "/items", "json": {"n": 5}, "expect": {"status": 201}},
        "both": {"mix": {"get": 3, "add": 1}},
    }  # fmt: skip
    login = {
        "method": "POST", "path": "/token", "form": {"key": "${SECRET}"},
        "take": {"TOKEN": "user.token"},
    }  # fmt: skip
    trials = own(
        bench, tmp_path, source, requests, secrets={"SECRET": "sesame-2026"}, factory=True,
        env={"KEY": "${SECRET}"}, ready="/up", login=login,
        before_trial=["echo x > made"], after_trial=["rm made"],
    )  # fmt: skip
    trials = several(trials, processes)
    record = trials.run(cell("both"))
    measured = record.measured
    assert measured is not None, record.reason
    assert disagreements(measured) == ()
    assert measured.requests.failed == 0
    get, add = measured.kinds
    assert (get.name, add.name) == ("get", "add")
    assert get.completed == pytest.approx(3 * add.completed, rel=0.2)
    assert get.latency.p50.value_ms is None or get.latency.p50.value_ms >= 20
    # Whoever isn't between two requests waits for an answer of one of the kinds.
    assert measured.places is not None
    assert measured.places.generator is not None
    waiting = measured.load.users - measured.places.generator
    assert (get.users_avg or 0) + (add.users_avg or 0) == pytest.approx(waiting)
    assert not (tmp_path / "project" / "made").exists()
    kept = logs(trials)
    assert "log in with key=***" in kept
    for path in trials.runner.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
            assert b"sesame" not in content, path


def test_the_hidden_blocking_call_is_named(bench: Trials) -> None:
    """Of examples/blocked: what holds up the loop is said of the innocent request, too."""
    trials = of_file(bench, ROOT / "examples/blocked/bench.yaml", {})
    for name in ("quote", "both"):
        record = trials.run(cell(name))
        assert record.measured is not None, record.reason
        (row,) = rows_of([record.cell], [record], 0.1, 2)
        assert row.why is not None
        assert sentence(row.why).startswith("loop blocked")


def test_the_starlette_example(bench: Trials) -> None:
    """It has no FastAPI."""
    record = of_file(bench, ROOT / "examples/starlette/bench.yaml", {}).run(cell("hello"))
    assert record.measured is not None, record.reason
    assert record.measured.requests.failed == 0


@pytest.mark.parametrize(
    ("source", "requests", "told"),
    [
        ("import nothing_such", ROOT_REQUEST, "No module named 'nothing_such'"),
        ("x = 1", ROOT_REQUEST, "has no attribute 'app'"),
        ("app = 1", ROOT_REQUEST, "main:app is no ASGI application: int"),
        ("import sys; sys.exit('no database')", ROOT_REQUEST, "no database"),
        (NO_BROKER, ROOT_REQUEST, "no broker"),
        (FASTAPI, {"root": {"path": "/none"}}, "root: GET /none answers HTTP 404, expected 200"),
        (FASTAPI, {"root": {"path": "/", "expect": {"contains": "yes"}}}, "answers without 'yes'"),
        (
            FASTAPI + "@app.get('/a/')\ndef a():\n    return 1\n", {"root": {"path": "/a"}},
            "root: GET /a redirects to",
        ),
        (
            FASTAPI + "@app.get('/broken')\ndef b():\n    raise KeyError('the cause')\n",
            {"root": {"path": "/broken"}}, "KeyError: 'the cause'",
        ),
    ],
    ids=["import", "attribute", "type", "exit", "lifespan", "404", "body", "redirect", "500"],
)  # fmt: skip
def test_what_can_not_be_measured_says_why(
    bench: Trials, tmp_path: Path, source: str, requests: dict[str, Any], told: str
) -> None:
    """In its row; what the server said is in it."""
    record = own(bench, tmp_path, source, requests).run(cell())
    assert record.outcome is Outcome.FAILED
    assert told in str(record.reason)


def test_one_that_starts_slowly_is_given_up_at_the_deadline(bench: Trials, tmp_path: Path) -> None:
    """And says so."""
    source = "import time\ntime.sleep(30)\n" + FASTAPI
    record = own(bench, tmp_path, source, ready_s=1.0).run(cell())
    assert str(record.reason).startswith("uvicorn was not ready after 1 s")


def test_one_that_is_up_before_it_is_ready_is_awaited(bench: Trials, tmp_path: Path) -> None:
    """By the path that the file names."""
    source = FASTAPI + (
        "import time\nfrom fastapi import Response\nbegan = time.monotonic()\n@app.get('/ready')\n"
        "def ready():\n"
        "    return Response(status_code=200 if time.monotonic() > began + 1 else 503)\n"
    )
    record = own(bench, tmp_path, source, ready="/ready").run(cell())
    assert record.outcome is Outcome.MEASURED, record.reason
    assert record.phases_s["verify"] > 0.5


def test_a_command_that_fails_is_told(bench: Trials, tmp_path: Path) -> None:
    """With its status and what it said."""
    record = own(
        bench, tmp_path, FASTAPI, before_trial=["echo no room; exit 3"], after_trial=["touch after"]
    ).run(cell())
    assert (tmp_path / "project" / "after").exists()  # whatever the trial came to
    assert record.outcome is Outcome.FAILED
    assert "before_trial `echo no room; exit 3` ended with exit status 3: no room" in str(
        record.reason
    )


MISCHIEF = {
    "logs": "print('x' * 100_000, flush=True)",
    "directory": "os.chdir('/')",
    "memory": "kept.append(bytearray(1_000_000))",
    "forks": "os.fork() or os._exit(0)",
}


@pytest.mark.parametrize("what", MISCHIEF)
def test_mischief_in_a_handler_costs_no_figure(bench: Trials, tmp_path: Path, what: str) -> None:
    """Logging megabytes, changing directory, eating memory, forking: the row stands."""
    source = (
        "import asyncio, os\nfrom fastapi import FastAPI\napp = FastAPI()\nkept = []\n"
        f"@app.get('/')\nasync def root():\n    await asyncio.sleep(0.05)\n    {MISCHIEF[what]}\n"
        "    return {}\n"
    )
    record = own(bench, tmp_path, source).run(cell())
    assert record.outcome is Outcome.MEASURED, record.reason
    (row,) = rows_of([record.cell], [record], 0.1, 2)
    assert row.requests, row.verdict
    assert row.failures == 0


def test_one_that_exits_in_the_load_is_invalid(bench: Trials, tmp_path: Path) -> None:
    """Its worker is gone, and so are its figures."""
    source = (
        "import asyncio, os\nfrom fastapi import FastAPI\napp = FastAPI()\nasked = 0\n"
        "@app.get('/')\nasync def root():\n    global asked\n    asked += 1\n"
        "    await asyncio.sleep(0.02)\n    if asked > 200:\n        os._exit(1)\n    return {}\n"
    )
    record = own(bench, tmp_path, source).run(cell())
    (row,) = rows_of([record.cell], [record], 0.1, 2)
    assert not row.verdict.usable


def test_users_who_can_not_log_in_end_the_trial(bench: Trials, tmp_path: Path) -> None:
    """The harness's own login passes, the users' don't: the row says it."""
    source = FASTAPI + (
        "from fastapi import HTTPException\nlogins = 0\n@app.post('/token')\ndef token():\n"
        "    global logins\n    logins += 1\n    if logins > 1:\n        raise HTTPException(429)\n"
        "    return {'t': 'x'}\n"
    )
    login = {"method": "POST", "path": "/token", "take": {"T": "t"}}
    record = own(bench, tmp_path, source, login=login).run(cell())
    assert "could not log in: HTTP 429" in str(record.reason)
