"""Cells that differ in their users alone, from the command line to what people read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bench.analysis.ladder import ladders
from bench.analysis.results import results
from bench.analysis.rows import Row, rows
from bench.config import Profile, apply, load_config, parse_overrides
from bench.plan import Cell, expand, make_plan, resolve_single
from bench.report import document, ending, ladder, markdown
from tests.support.records import measured, run, trial

if TYPE_CHECKING:
    from pathlib import Path

NOISE = (0.99, 1.01, 1.0, 1.0)
MATRIX = {"endpoint": ["sync"], "io": ["json"], "workers": [1, 2], "server": ["uvicorn"]}
PROFILES = {"quick": {"users": 50, "delay": "200ms", "rounds": 1}}


def records(curve: dict[int, float], **facts: Any) -> list[Any]:
    """Four trials of each step."""
    return [
        trial(
            cell=f"sync_json-uvicorn-w1-u{users}", experiment="sync_json", io="json",
            settings={"users": str(users)}, round=number,
            measured=measured(throughput_rps=rate * factor, users=users), **facts,
        )
        for users, rate in curve.items()
        for number, factor in enumerate(NOISE, 1)
    ]  # fmt: skip


def found(curve: dict[int, float]) -> tuple[Row, ...]:
    """Its rows."""
    every = records(curve)
    return rows(run(cells=tuple(dict.fromkeys(one.cell for one in every))), every)


POOL = {1: 5.0, 10: 50.0, 20: 100.0, 40: 200.0, 80: 200.0, 160: 200.0}


def test_a_curve_with_its_knee() -> None:
    """The last step before more users bring less than half."""
    (one,) = ladders(found(POOL))
    assert one.name == "sync_json-uvicorn-w1"
    assert [step.users for step in one.steps] == [*POOL]
    assert one.knee is not None
    assert one.knee.users == 40
    assert one.law is not None
    assert not one.law.fits
    assert "does not fit" in ladder.law(one)
    assert "Beyond 40 users" in ladder.told(one)[0]


def test_a_straight_line_has_none() -> None:
    """And follows the law, without loss."""
    (one,) = ladders(found({1: 5.0, 10: 50.0, 100: 500.0, 200: 1000.0}))
    assert one.knee is None
    assert one.law is not None
    assert one.law.fits
    assert one.law.contention.value < 0.01
    assert "Throughput rises with the users up to the last step" in ladder.told(one)


def test_few_steps_have_no_law() -> None:
    """Which is said."""
    (one,) = ladders(found({1: 5.0, 10: 50.0}))
    assert one.law is None
    assert "takes four steps" in ladder.law(one)


def test_without_users_of_their_own_there_is_none() -> None:
    """As of all other runs."""
    assert ladders(rows(run(), [trial()])) == ()


def test_reports_have_it() -> None:
    """latest.json, latest.md and the terminal."""
    every = records(POOL)
    told = results(run(cells=tuple(dict.fromkeys(one.cell for one in every))), every)
    (content,) = json.loads(document.document(told))["ladders"]
    assert content["users"] == [*POOL]
    assert content["knee_users"] == 40
    assert content["law"]["fits"] is False
    assert "### Throughput against users" in markdown.report(told)
    cells = [
        Cell("sync", "json", "uvicorn", 1, settings=(("users", str(n)),), named=("users",))
        for n in POOL
    ]
    plan = make_plan(cells, Profile("quick", 50, 0.2, budget_s=60.0), seed=1)
    end = ending.of_single(told.rows, plan, told.run)
    assert "Beyond 40 users" in end


@pytest.mark.parametrize(("every", "count"), [(False, 3), (True, 6)])
def test_the_option_makes_a_cell_of_each(tmp_path: Path, every: bool, count: int) -> None:  # noqa: FBT001
    """Of the first server and worker count, unless more are asked for."""
    path = tmp_path / "experiments.yaml"
    content = {"matrix": MATRIX, "default_profile": "quick", "profiles": PROFILES}
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    config = load_config(path, io_kinds=("json",), servers=("uvicorn",))
    config, _ = apply(config, parse_overrides(ladder=["1,10", "100"]))
    cells = resolve_single(expand(config, "3.12"), ["sync_json"], every=every)
    assert len(cells) == count
    assert [cell.id for cell in cells][:3:2] == [
        "sync_json-uvicorn-w1-u1", "sync_json-uvicorn-w1-u100",
    ]  # fmt: skip
