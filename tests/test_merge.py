"""Parts of a matrix made one run: what may be compared, and what is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.analysis.results import results
from bench.config import Profile
from bench.errors import BadInputError
from bench.merge import merge
from bench.plan import Cell, make_plan
from bench.records import journal
from bench.records.model import SCHEMA, ControlRecord
from bench.report import machines
from bench.run.history import run_folders
from bench.shards import Shard, part_of
from tests.support.records import example, measured, trial

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = Profile("p", 100, 1.0, rounds=3)
CELLS = tuple(
    Cell(endpoint, io, "uvicorn", 1, "3.12")
    for io in ("http", "json", "sleep")
    for endpoint in ("sync", "async")
)
COSTS = {cell.id: 10.0 for cell in CELLS} | {
    "sync_json-uvicorn-w1": 5.0,
    "sync_sleep-uvicorn-w1": 6.0,
}
PLAN = make_plan(CELLS, PROFILE, seed=1)
HOME = "sync_json-uvicorn-w1"  # the first reference


def write_part(output: Path, number: int, of: int = 3, *, speed: float = 1.0) -> str:
    """A part's run, as a machine of that speed would have left it."""
    part = part_of(PLAN, Shard(number, of), COSTS)
    about, _ = example(3)
    run = replace(
        about,
        id=f"2026010{number}-000000-{part.hash[:6]}",
        plan_hash=part.hash,
        cells=tuple(cell.id for cell in part.cells),
        profile=PROFILE,
        host=replace(about.host, cpu=f"CPU {number}"),
        shard=part.shard,
    )  # fmt: skip
    folder = output / "runs" / run.id
    run_folders.create(folder, run)
    rates = {"sync": 40.0, "async": 80.0}
    for planned in part.trials:
        cell = planned.cell
        rate = speed * rates[cell.endpoint] * (1 + 0.01 * planned.round)
        record = replace(
            trial(), run=run.id, index=planned.index, round=planned.round, cell=cell.id,
            experiment=cell.experiment, endpoint=cell.endpoint, io=cell.io, twin=planned.twin,
            measured=measured(throughput_rps=rate, delay_s=0.0),
        )  # fmt: skip
        journal.append(folder / journal.TRIALS_FILE, record)
    control = ControlRecord(SCHEMA, run.id, "start", 0, 100, None, 6000.0 * speed, 16.0, 0.9, 0.5)
    journal.append(folder / journal.CONTROLS_FILE, control)
    return run.id


def test_parts_of_three_machines_are_one_run(tmp_path: Path) -> None:
    """Each cell of the plan has its row, of the machine that has what it is compared with."""
    names = [write_part(tmp_path, number, speed=1.0 + number) for number in (3, 1, 2)]
    folder = merge(names, tmp_path)
    run = journal.read_run(folder / journal.RUN_FILE)
    assert run.cells == tuple(cell.id for cell in CELLS)
    assert [one.shard for one in run.hosts] == [1, 2, 3]
    assert [one.host.cpu for one in run.hosts] == ["CPU 1", "CPU 2", "CPU 3"]
    assert run.missing == ()
    trials = run_folders.trials_of(folder)
    assert trials.damage == ()
    found = results(run, trials.records, journal.read_controls(folder / "controls.jsonl").records)
    assert [row.cell for row in found.rows] == [cell.id for cell in CELLS]
    by_io = {row.io: set() for row in found.rows}  # type: ignore[var-annotated]
    for row in found.rows:
        by_io[row.io].add(row.host)
    assert all(len(hosts) == 1 for hosts in by_io.values())
    assert {host for hosts in by_io.values() for host in hosts} == {0, 1, 2}
    # Machines of 2, 3 and 4 times the speed; async is twice as fast as sync on each of them.
    of_endpoints = [one for one in found.effects if one.axis == "endpoint"]
    ratios = [part.ratio for one in of_endpoints for part in one.parts]
    assert ratios == [pytest.approx(2.0, rel=0.01)] * 3
    assert found.drift is not None
    assert found.drift.ceiling_rps == 12_000.0  # of the first machine


def test_the_references_tell_how_alike_the_machines_are(tmp_path: Path) -> None:
    """Each machine has them, and they are in no row but their own."""
    names = [write_part(tmp_path, number, speed=1.0 + number) for number in (1, 2, 3)]
    folder = merge(names, tmp_path)
    run, trials = journal.read_run(folder / journal.RUN_FILE), run_folders.trials_of(folder).records
    found = results(run, trials)
    assert found.hosts is not None
    assert [one.cell for one in found.hosts.references] == [HOME, "sync_sleep-uvicorn-w1"]
    for one in found.hosts.references:
        assert one.spread == pytest.approx(2.0, rel=0.01)
        rates = [rate or 0.0 for rate in one.throughput_rps]
        assert [rate / rates[0] for rate in rates] == pytest.approx([1.0, 1.5, 2.0], rel=0.01)
    text = machines.told(found.hosts)
    assert "Measured on 3 machines, which differ: 2.00× at most." in text
    assert "| 2         | 2/3    |" in text
    (row,) = [row for row in found.rows if row.cell == HOME]
    assert row.trials == 3  # of its own machine alone


def test_a_part_that_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And its cells have no rows: exit status 1."""
    names = [write_part(tmp_path, number) for number in (1, 3)]
    assert cli.main(["merge", *names, "--output", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "part 2/3 is missing: it has no rows" in said.err
    document = json.loads((tmp_path / "latest.json").read_text("utf-8"))
    assert document["hosts"]["missing"] == [2]
    assert len(document["rows"]) == 4
    text = (tmp_path / "latest.md").read_text("utf-8")
    assert "**Missing: part 2/3.** Its cells have no rows." in text
    assert "2 machines, named above." in text


def test_what_is_no_part_of_it_is_refused_by_name(tmp_path: Path) -> None:
    """Overlapping, unfinished, of another plan or load, or none at all: a line for each."""
    one, two, three = (write_part(tmp_path, number) for number in (1, 2, 3))
    runs = tmp_path / "runs"
    other = write_part(tmp_path / "other", 1, of=2)
    again = write_part(tmp_path / "again", 2)
    about = journal.read_run(runs / three / journal.RUN_FILE)
    journal.write_run(
        runs / three / journal.RUN_FILE,
        replace(about, profile=replace(about.profile, users=5), seed=2),
    )
    plain = replace(about, id="20260109-000000-000000", shard=None)
    run_folders.create(runs / plain.id, plain)
    going = replace(about, id="20260108-000000-000000", finished=None)
    run_folders.create(runs / going.id, going)
    names = [
        one, two, three, plain.id, going.id,
        str(tmp_path / "other" / "runs" / other), str(tmp_path / "again" / "runs" / again),
    ]  # fmt: skip
    with pytest.raises(BadInputError) as refused:
        merge(names, tmp_path)
    told = str(refused.value)
    assert f"merge: {plain.id} is no part: it was measured without --shard" in told
    assert f"merge: {going.id} isn't finished" in told
    assert (
        f"{three} is none of the parts that {one} is one of: the profile's number of users" in told
    )
    assert "it is 1/2 of another plan" in told
    assert f"{again} are both part 2/3" in told
    assert "the machine" not in told  # that may be another


def test_a_damaged_part_is_refused(tmp_path: Path) -> None:
    """With the line; a part of a part is no part."""
    one, two = (write_part(tmp_path, number) for number in (1, 2))
    path = tmp_path / "runs" / two / journal.TRIALS_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0][:-9] + b"\n", *lines[1:]]))
    with pytest.raises(
        BadInputError, match=rf"merge: {two} is damaged: trials\.jsonl:1 is corrupt"
    ):
        merge([one, two], tmp_path)
    with pytest.raises(BadInputError, match="found nothing, allowed: a run's id or folder"):
        merge(["nothing"], tmp_path)
