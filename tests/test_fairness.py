"""How each server ran, as reports tell it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.results import results
from bench.analysis.rows import rows
from bench.records.model import Audit
from bench.report import document, fairness, tables
from bench.report.reasons import remarks
from tests.support.records import measured, run, trial

if TYPE_CHECKING:
    from bench.analysis.rows import Row
    from bench.records.model import TrialRecord

AUDIT = Audit(connections=50, nodelay=50, backlog=2048, open_files=1024, log_bytes_per_request=0.01)


def one(audit: Audit | None = AUDIT, *, round_: int = 1, **facts: Any) -> TrialRecord:
    """A trial whose workers found this."""
    found = measured()
    process = replace(found.process, audit=audit, loop="uvloop.Loop", http="httptools")
    return trial(round=round_, measured=replace(found, process=process), **facts)


def row(*trials: TrialRecord) -> Row:
    """The row of one cell's trials."""
    (found,) = rows(run(), trials)
    return found


def line(*trials: TrialRecord) -> list[str]:
    """Of the table."""
    table = tables.servers_table([row(*trials)])
    assert table is not None
    return [cell.strip() for cell in table.splitlines()[2].strip("|").split("|")]


def test_a_line_of_the_table() -> None:
    """In the order of its headings."""
    told = dict(zip(fairness.HEADINGS, line(one()), strict=True))
    assert told == {
        "server": "uvicorn, 1 worker",
        "event loop": "uvloop.Loop",
        "parser": "httptools",
        "TCP_NODELAY": "on",
        "access log": "none",
        "backlog": "2,048",
        "open files": "1,024",
        "requests of a worker": "–",
    }


@pytest.mark.parametrize(
    ("nodelay", "told"), [(50, "on"), (0, "off"), (20, "on 20 of 50 connections")]
)
def test_nodelay(nodelay: int, told: str) -> None:
    """All, none, or some."""
    assert line(one(replace(AUDIT, nodelay=nodelay)))[3] == told


def test_trials_together() -> None:
    """Connections add up; the smallest limits count, and the log of the trial that wrote most."""
    other = Audit(50, 0, 100, 512, 83.0)
    assert line(one(), one(other, round_=2))[3:7] == [
        "on 50 of 100 connections", "83 B a request", "100", "512",
    ]  # fmt: skip


def test_what_no_worker_told_is_not_known() -> None:
    """A dash, and no guess."""
    assert line(one(None))[3:7] == ["–", "–", "–", "–"]
    assert tables.servers_table([]) is None


def test_a_row_without_nodelay_says_so() -> None:
    """Once, for all its trials."""
    assert remarks(row(one()).verdict) == []
    told = remarks(row(one(replace(AUDIT, nodelay=0)), one(replace(AUDIT, nodelay=0))).verdict)
    (sentence,) = told
    assert sentence.startswith("50 of 50 connections lack TCP_NODELAY: an answer sent in two parts")


def test_latest_json_has_it_with_the_command() -> None:
    """By its row."""
    found = json.loads(document.document(results(run(), [one()])))["rows"][0]["served"]
    assert found.pop("command").startswith("python ")
    assert found == {
        "loop": "uvloop.Loop", "http": "httptools", "connections": 50, "nodelay": 50,
        "backlog": 2048, "open_files": 1024, "log_bytes_per_request": 0.01,
    }  # fmt: skip
