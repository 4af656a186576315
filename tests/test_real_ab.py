"""Two small applications side by side, on real servers asked in turn and in whole trials."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.ab import command
from bench.ab.report import Comparison, document
from bench.ab.run import Asked, Side, compare
from bench.config import fixed
from bench.config.target import Expect, Login, Request, Target
from bench.paths import default_python
from bench.plan import Cell
from bench.revisions import Revision, Revisions
from bench.run.host import environments
from bench.turns.model import TRIALS, TURNS, TWIN, A, B, same
from bench.turns.schedule import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

HEAD = """
import asyncio, json
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

LOOPS = {loops}


def work():
    return sum(number & 7 for number in range(LOOPS))


async def cpu(request):
    return PlainTextResponse(f"done {{work() > 0}}")


async def waits(request):
    await asyncio.sleep(0.05)
    return PlainTextResponse("done")


async def token(request):
    user = (await request.body()).decode().removeprefix("user=")
    return JSONResponse({{"token": f"secret-of-{{user}}"}})


async def mine(request):
    right = request.headers.get("authorization") == "Bearer secret-of-ada"
    return PlainTextResponse(f"done {{work() > 0}}", status_code={status} if right else 401)


app = Starlette(routes=[
    Route("/cpu", cpu), Route("/waits", waits), Route("/mine", mine),
    Route("/token", token, methods=["POST"]),
])
"""
DONE = Expect(contains=("done",))
REQUESTS = {
    "cpu": Request("cpu", "GET", "/cpu", expect=DONE),
    "waits": Request("waits", "GET", "/waits", expect=DONE),
    "mine": Request(
        "mine", "GET", "/mine", headers={"Authorization": "Bearer ${TOKEN}"}, expect=DONE
    ),
}
LOGIN = Login(
    Request("login", "POST", "/token", body="user=ada", encoding="form",
            headers={"Content-Type": "application/x-www-form-urlencoded"}),
    {"TOKEN": "token"},
)  # fmt: skip


def sides(
    prepared: Paths, folder: Path, *, loops: tuple[int, int], status: int = 200, login: bool = False
) -> dict[str, Side]:
    """A, its twin, and B, which does so many loops and answers /mine with that status."""
    python = default_python()
    environment = environments.find(prepared.notes, prepared.root, "server-uvicorn", python)
    found = {}
    for name in (A, TWIN, B):
        own = folder / name
        own.mkdir()
        last = name == B
        source = HEAD.format(loops=loops[last], status=status if last else 200)
        (own / "shop.py").write_text(source, encoding="utf-8")
        target = Target(
            "shop:app",
            own,
            requests=REQUESTS,
            mixes={"both": {"cpu": 2, "waits": 1}},
            login=LOGIN if login else None,
        )
        found[name] = Side(name, {("uvicorn", python): environment}, target)
    return found


def compared(
    prepared: Paths,
    found: dict[str, Side],
    request: str,
    *,
    budget_s: float = 60.0,
    workers: int = 1,
) -> Progress:
    """One cell, in starts of a second."""
    cell = Cell("", request, "uvicorn", workers, default_python())
    asked = Asked(
        sides=found,
        contests=(same(cell),),
        profile=fixed(8, 0.3, 1.0, delay_s=0.0),
        threshold=0.3,
        budget_s=budget_s,
        seed=1,
        users=4,
        seconds=1.0,
    )
    progress = Progress(cell.id)
    compare(asked, prepared, {}, lambda _: None, [progress])
    return progress


def revisions(folder: Path) -> Revisions:
    """Of no repository."""
    made = [Revision(name, "0" * 40, folder, folder / name) for name in ("one", "one", "two")]
    return Revisions(*made)


def told(progress: Progress) -> dict[str, object]:
    """As the document has it."""
    comparison = Comparison(
        a="a", b="b", commits=(None, None), started="", finished="", host="", threshold=0.3,
        users=4, cells=(progress,),
    )  # fmt: skip
    return dict(json.loads(document(comparison))["cells"][0])


def test_twice_the_work_is_slower_in_turn(prepared: Paths, tmp_path: Path) -> None:
    """And A against itself is not: the twin's ratio is nearer to one than B's."""
    found = compared(prepared, sides(prepared, tmp_path, loops=(20_000, 40_000)), "cpu")
    assert found.method == (TURNS if (os.cpu_count() or 1) > 1 else TRIALS)
    cell = told(found)
    assert cell["outcome"] == "slower", cell
    latency = cell["latency_ms"]
    assert isinstance(latency, dict)
    assert 1.5 < latency["ratio"] < 2.3
    assert abs(latency["twin"] - 1) < 0.3


def test_what_waits_is_measured_in_whole_trials(prepared: Paths, tmp_path: Path) -> None:
    """A server that uses little of its core shows nothing in turn, and the row says why."""
    found = compared(prepared, sides(prepared, tmp_path, loops=(1, 1)), "waits", budget_s=1.0)
    assert (found.method, len(found.starts)) == (TRIALS, 1)
    assert found.why_trials is not None
    assert "waits" in found.why_trials


def test_more_workers_than_cores_are_measured_in_whole_trials(
    prepared: Paths, tmp_path: Path
) -> None:
    """They can't be kept to cores of their own."""
    cores = len(os.sched_getaffinity(0))
    here = sides(prepared, tmp_path, loops=(1000, 1000))
    found = compared(prepared, here, "cpu", budget_s=1.0, workers=cores)
    assert found.method == TRIALS
    assert found.why_trials == (
        f"{cores} workers and the load generator need {cores + 1} cores, and there are {cores}"
    )


def test_users_log_in_on_each_side(prepared: Paths, tmp_path: Path) -> None:
    """Each server gives its own tokens; a wrong answer of B names B, and nothing is compared."""
    (tmp_path / "right").mkdir()
    here = sides(prepared, tmp_path / "right", loops=(20_000, 20_000), login=True)
    found = compared(prepared, here, "mine", budget_s=1.0)
    assert len(found.starts) == 1, found.failures
    (tmp_path / "wrong").mkdir()
    here = sides(prepared, tmp_path / "wrong", loops=(20_000, 20_000), login=True, status=500)
    found = compared(prepared, here, "mine", budget_s=1.0)
    assert found.failed
    assert not found.starts
    assert found.failures[0].startswith("b: ")
    assert "500" in found.failures[0]


def test_an_application_that_does_not_start_is_named(prepared: Paths, tmp_path: Path) -> None:
    """With what it said last."""
    here = sides(prepared, tmp_path, loops=(1, 1))
    broken = "raise RuntimeError('no such table')\n"
    (tmp_path / B / "shop.py").write_text(broken, encoding="utf-8")
    found = compared(prepared, here, "cpu", budget_s=1.0)
    assert found.failed
    assert found.failures[0].startswith("b: ")
    assert "no such table" in found.failures[0]


def test_a_gate_that_can_not_see_is_not_open(
    prepared: Paths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One start each tells no interval: then `--fail-on regression` is no success."""
    here = sides(prepared, tmp_path, loops=(20_000, 20_000))
    monkeypatch.setattr(command, "find_revisions", lambda *_: revisions(tmp_path))
    monkeypatch.setattr(command, "sides_of", lambda *_: here)
    plan = "target: {app: 'shop:app'}\nrequests:\n  cpu: {path: /cpu, expect: {contains: done}}\n"
    (tmp_path / "bench.yaml").write_text(plan, encoding="utf-8")
    words = ["ab", "one", "two", "--config", str(tmp_path / "bench.yaml"), "--quiet"]
    words += ["--budget", "1s", "--output", str(tmp_path / "out"), "--fail-on", "regression"]
    assert cli.main(words) == 2
    said = capsys.readouterr()
    assert "no cell could be judged" in said.err
    assert said.out.strip().startswith("### two")
    assert (tmp_path / "out" / "ab" / "latest.json").is_file()
