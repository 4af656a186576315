"""What `ab` finds and what it makes up: A against A, against 3 % and against 10 % more work."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.ab.run import SECONDS, Asked, Side, compare
from bench.config import fixed
from bench.config.target import Request, Target
from bench.errors import RequirementError
from bench.paths import default_python
from bench.plan import Cell
from bench.run.host import environments
from bench.run.host.machine import tree_hash
from bench.selfcheck.figure import Figure
from bench.turns.judge import Outcome, judge
from bench.turns.model import METRICS, TWIN, A, B, same
from bench.turns.schedule import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.paths import Paths

RUNS, QUICK_RUNS = 40, 1
QUICK_SECONDS = 0.3
BUDGET_S = 300.0
THRESHOLD = 0.05
USERS = 8
FALSE, FOUND = 0.05, 0.9
MORE = {"same": 1.0, "three": 1.03, "ten": 1.10}  # times the work of A, by request
SERVER = "uvicorn"
# Some ms of Python, nine tenths of what a request costs: 10 % more work are 9 % more of it. EXTRA
# is what B's environment says.
APPLICATION = """\
import os

MORE = {"/same": 1.0, "/three": 1.03, "/ten": 1.10}
LOOPS = 100_000


def work(loops):
    total = 0
    for number in range(loops):
        total += number & 7
    return total


async def app(scope, receive, send):
    if scope["type"] != "http":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    more = MORE[scope["path"]] if os.environ.get("EXTRA") == "1" else 1.0
    body = str(work(int(LOOPS * more)) > 0).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """Forty comparisons of two revisions that are the same, and that differ by 3 % and by 10 %."""
    wanted = QUICK_RUNS if quick else RUNS
    kept = None if quick else paths.root / ".nox" / "selfcheck" / "sensitivity.jsonl"
    found = [] if kept is None else _before(kept, paths)
    if found:
        print(f"  {len(found)} of {wanted} comparisons are of earlier runs: {kept}", flush=True)
    while len(found) < wanted:
        one = {"sources": _sources(paths), **_compare(paths, len(found) + 1, quick=quick)}
        found.append(one)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
            print(f"  {len(found)} of {wanted}: {_line(one)}", flush=True)
    return figures(found[:wanted])


def figures(found: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """Of comparisons, each with its outcomes by request and metric."""
    runs = len(found)

    def share(request: str, wrong: Sequence[Outcome], *, least: int = 1) -> float:
        values = {one.value for one in wrong}
        hits = sum(
            sum(one["outcomes"][request][metric] in values for metric in METRICS) >= least
            for one in found
        )
        return hits / runs * 100

    longest = max(one["seconds"] for one in found)
    widest = max(one["half_widths"][request] for one in found for request in MORE)
    told = f"{runs} comparisons; three cells in {longest:.0f} s at most; ± {widest:.1%} at most"
    differ = (Outcome.SLOWER, Outcome.FASTER)
    missed = 100.0 - share("ten", [Outcome.SLOWER])
    return [
        Figure("A against A called different", share("same", differ), FALSE * 100, " %", told),
        Figure("10 % more work not called slower", missed, (1 - FOUND) * 100, " %"),
        Figure("3 % more work called slower or faster", share("three", differ), 0.0, " %"),
    ]


def _compare(paths: Paths, number: int, *, quick: bool) -> dict[str, Any]:
    python = default_python()
    environment = environments.find(paths.notes, paths.root, f"server-{SERVER}", python)
    if environment.python is None:
        raise RequirementError(str(environment.reason))
    servers = {(SERVER, python): environment}
    cells = tuple(Cell("", request, SERVER, 1, python) for request in MORE)
    progress = tuple(Progress(cell.id) for cell in cells)
    with tempfile.TemporaryDirectory(prefix="matrix-sensitivity-") as name:
        sides = {side: Side(side, servers, _target(Path(name), side)) for side in (A, TWIN, B)}
        asked = Asked(
            sides=sides,
            contests=tuple(map(same, cells)),
            profile=fixed(USERS, 0.3, 0.5 if quick else 2.0, delay_s=0.0),
            threshold=THRESHOLD,
            budget_s=1.0 if quick else BUDGET_S,
            seed=number,
            users=USERS,
            seconds=QUICK_SECONDS if quick else SECONDS,
        )
        began = time.monotonic()
        compare(asked, paths, {}, _silent, progress)
        took_s = time.monotonic() - began
    failed = [one.failures[-1] for one in progress if one.failures]
    if failed:
        raise RequirementError(f"a comparison failed: {failed[0]}")
    judged = dict(zip(MORE, (judge(one.starts, THRESHOLD) for one in progress), strict=True))
    return {
        "outcomes": {
            request: {metric: one.outcome.value for metric, one in each.items()}
            for request, each in judged.items()
        },
        "ratios": {
            request: {
                metric: None if one.contrast is None else round(one.contrast.ratio, 4)
                for metric, one in each.items()
            }
            for request, each in judged.items()
        },
        "half_widths": {
            request: max(
                0.0 if one.contrast is None else round(one.contrast.half_width, 4)
                for one in each.values()
            )
            for request, each in judged.items()
        },
        "methods": {request: one.method for request, one in zip(MORE, progress, strict=True)},
        "starts": [len(one.starts) for one in progress],
        "seconds": round(took_s, 1),
    }


def _target(folder: Path, side: str) -> Target:
    """Each side's files are its own, as revisions' are."""
    own = folder / side
    own.mkdir()
    (own / "work.py").write_text(APPLICATION, encoding="utf-8")
    requests = {name: Request(name, "GET", f"/{name}") for name in MORE}
    return Target("work:app", own, env={"EXTRA": "1" if side == B else "0"}, requests=requests)


def _before(kept: Path, paths: Paths) -> list[dict[str, Any]]:
    """The comparisons of earlier runs that these sources made."""
    if not kept.is_file():
        return []
    found = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    return [one for one in found if one["sources"] == _sources(paths)]


def _sources(paths: Paths) -> str:
    """Changes when what could move an outcome does, and in no other clone of the same."""
    parts = ("bench/turns", "bench/stats", "bench/ab", "locustfiles", "app/foreign")
    application = hashlib.sha256(APPLICATION.encode()).hexdigest()[:12]
    return f"{tree_hash(paths.root, *parts)}-{application}"


def _line(one: Mapping[str, Any]) -> str:
    told = [f"{request} {one['ratios'][request]['cpu_ms']}×" for request in MORE]
    return f"CPU {', '.join(told)}, in {one['seconds']:.0f} s"


def _silent(_: str) -> None:
    """Forty times three tables would bury what they come to."""
