"""Whether large inputs stay quick: the digest, the plan, the reports."""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.probe import layout as probe
from bench import html_page
from bench.analysis.results import results
from bench.config import fixed, load_config
from bench.digest.trial import digest
from bench.errors import RequirementError
from bench.estimate import expected
from bench.paths import default_python
from bench.placement import UNPINNED
from bench.plan import expand, make_plan
from bench.report import document, lines, markdown
from bench.run import lab
from bench.run.history.run_record import describe_run
from bench.selfcheck import trial_folder
from bench.selfcheck.figure import Figure
from bench.selfcheck.trials import cell, trials
from locustfiles import layout as request_layout

if TYPE_CHECKING:
    from bench.paths import Paths
    from bench.records.model import RunRecord, TrialRecord

RECORDS = 30_000_000
CELLS = 10_000
QUICK_RECORDS, QUICK_CELLS = 10_000, 20
SLOPE = 1.25  # of time against size: 1 is linear, and ten times as much never takes less
WINDOW_NS = 60 * 10**9
USERS, ROUNDS = 100, 10_000  # of a made trial, and how many rounds are made at once


def digest_speed(_: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """Thirty million thread-log records and as many request records of one trial."""
    count = QUICK_RECORDS if quick else RECORDS
    tenth = _digest_in_child(count // 10)
    full = _digest_in_child(count)
    return [
        Figure(f"time for {count:,} + {count:,} records", full["s"], 30, " s"),
        Figure("memory at most", full["gb"], 1.5, " GB"),
        Figure("memory / that for a tenth", full["gb"] / tenth["gb"], SLOPE),
        Figure("time / (10 × the time for a tenth)", full["s"] / tenth["s"] / 10, SLOPE),
    ]


def plan_speed(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """A plan of 10,000 cells, from the file to the text; and of a tenth of them."""
    count = QUICK_CELLS if quick else CELLS
    tenth_s, _ = _planned(paths, count // 10)
    took_s, size = _planned(paths, count)
    return [
        Figure(f"plan of {count:,} cells ({size:,} characters)", took_s, 5, " s"),
        Figure("time / (10 × the time for a tenth)", took_s / tenth_s / 10, SLOPE),
    ]


def _planned(paths: Paths, count: int) -> tuple[float, int]:
    """Seconds that it takes, and how many characters it is."""
    with tempfile.TemporaryDirectory(prefix="matrix-bench-") as name:
        path = _wide_config(Path(name) / "experiments.yaml", paths, count)
        began = time.monotonic()
        config = load_config(path, io_kinds=paths.io_kinds, servers=paths.servers)
        cells = expand(config, default_python())[:count]
        plan = make_plan(cells, config.profiles["p"], seed=1)
        text = lines.plan_text(plan, expected(plan, cores=1, controls=True))
        return time.monotonic() - began, len(text)


def report_speed(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """All reports and the page of 10,000 cells, from one real record repeated; and of a tenth."""
    count = QUICK_CELLS if quick else CELLS
    run, trial = _one_real_record(paths)
    with tempfile.TemporaryDirectory(prefix="matrix-bench-") as name:
        folder = Path(name)
        tenth_s, _ = _reported(run, trial, count // 10, folder)
        page_tenth_s = _page_s(folder, paths)
        took_s, size = _reported(run, trial, count, folder)
        page_s = _page_s(folder, paths)
    return [
        Figure(f"reports of {count:,} cells ({size:,} characters)", took_s, 25, " s"),
        Figure("time / (10 × the time for a tenth)", took_s / tenth_s / 10, SLOPE),
        Figure("memory at most", _peak_gb(resource.RUSAGE_SELF), 1.5, " GB"),
        Figure(f"page of {count:,} cells", page_s, 60, " s"),
        Figure("its time / (10 × that for a tenth)", page_s / page_tenth_s / 10, SLOPE),
        # Of all that this has started.
        Figure("memory of any child at most", _peak_gb(resource.RUSAGE_CHILDREN), 1.5, " GB"),
    ]


def _peak_gb(whose: int) -> float:
    peak = resource.getrusage(whose).ru_maxrss
    return peak / 1e9 * (1 if sys.platform == "darwin" else 1024)


def _page_s(folder: Path, paths: Paths) -> float:
    """Seconds that the page of what is there takes.

    Raises:
        RequirementError: it can't be made.
    """
    told: list[str] = []
    began = time.monotonic()
    if html_page.make(folder, paths, told.append) is None:
        raise RequirementError(told[0])
    return time.monotonic() - began


def _reported(run: RunRecord, trial: TrialRecord, count: int, folder: Path) -> tuple[float, int]:
    """Seconds that they take, and how many characters they are; one of them goes there."""
    ids = [f"{trial.cell}-{number}" for number in range(count)]
    many = [replace(trial, cell=name, index=i) for i, name in enumerate(ids, 1)]
    whole = replace(run, cells=tuple(ids), trials=count)
    began = time.monotonic()
    found = results(whole, many)
    text = document.document(found)
    size = len(text) + len(markdown.report(found))
    took_s = time.monotonic() - began
    (folder / html_page.DOCUMENT).write_text(text, encoding="utf-8")
    return took_s, size


def _wide_config(path: Path, paths: Paths, count: int) -> Path:
    kinds, servers = list(paths.io_kinds), list(paths.servers)
    workers = list(range(1, 1 + -(-count // (3 * len(kinds) * len(servers)))))
    matrix = {
        "endpoint": ["sync", "async", "async_sync"],
        "io": kinds,
        "workers": workers,
        "server": servers,
    }
    profile = {"users": 10, "delay": "1s", "warmup": "1s", "duration": "6s", "rounds": 1}
    whole = {"matrix": matrix, "default_profile": "p", "profiles": {"p": profile}}
    path.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML
    return path


def _one_real_record(paths: Paths) -> tuple[RunRecord, TrialRecord]:
    which = cell("async", "noop")
    profile = fixed(users=4, warmup_s=0.2, duration_s=1.0)
    with trials(paths, profile, [which], delay_s=0.1) as bench:
        record, _ = bench.measured(which)
        plan = bench.runner.plan
    found = lab.find_environments(paths, plan.cells)
    run = describe_run(plan, paths, found, command="matrix", probe=True, placed=UNPINNED)
    return run, record


def _digest_in_child(count: int) -> dict[str, float]:
    """In a process of its own, whose peak memory is the digest's alone."""
    with tempfile.TemporaryDirectory(prefix="matrix-bench-") as name:
        folder = Path(name)
        _write_trial(folder, count)
        context = multiprocessing.get_context("spawn")
        with context.Pool(1) as pool:
            return pool.apply(_timed_digest, (folder,))


def _timed_digest(folder: Path) -> dict[str, float]:
    began = time.monotonic()
    digest(folder)
    took_s = time.monotonic() - began
    return {"s": took_s, "gb": _peak_gb(resource.RUSAGE_SELF)}


def _write_trial(folder: Path, count: int) -> None:
    """A trial's folder with so many records: 100 users who ask without a pause.

    A part at a time: what a child's peak memory begins with is what its parent has.
    """
    t0, t1 = trial_folder.T0, trial_folder.T0 + WINDOW_NS
    page = trial_folder.page(pid=7)
    looks = [trial_folder.look(at, gauges={7: page}) for at in range(t0, t1 + 1, 10**8)]
    gauges = {"7": page}
    trial_folder.write_trial(
        folder,
        looks=looks,
        load_facts={"started": count},
        facts={"t1_ns": t1, "gauges_before": gauges, "gauges_after": gauges, "workers": [7]},
    )
    step, draw = WINDOW_NS // (count // USERS), np.random.default_rng(1)
    first = np.zeros((1, probe.RECORD_WORDS), dtype=np.uint64)
    first[0, :2] = probe.LOG_MAGIC, 7
    with (
        (folder / "requests.bin").open("wb") as generator,
        (folder / "threads-7.bin").open("wb") as application,
    ):
        first.tofile(application)
        for begin in range(0, count // USERS, ROUNDS):
            rounds = np.arange(begin, min(begin + ROUNDS, count // USERS), dtype=np.uint64)
            start = t0 + np.repeat(rounds * np.uint64(step), USERS)
            noise = draw.integers(0, step, start.size, dtype=np.uint64)
            end = start + np.uint64(step) // np.uint64(2) + noise // np.uint64(2)
            requests = np.zeros((start.size, request_layout.RECORD_WORDS), dtype=np.uint64)
            requests[:, request_layout.R_START_NS] = start
            requests[:, request_layout.R_END_NS] = end
            requests.tofile(generator)
            handlers = np.zeros((start.size, probe.RECORD_WORDS), dtype=np.uint64)
            handlers[:, probe.R_START_NS], handlers[:, probe.R_END_NS] = start, end
            handlers[:, probe.R_THREAD] = 7
            handlers[:, probe.R_PACKED] = 1
            handlers.tofile(application)
