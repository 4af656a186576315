"""`nox -s compare -- A B --effects`: two runs, each within itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.effect_changes import KnownEffect, KnownPart, changes
from bench.paths import ROOT
from bench.report import effect_changes as report
from tests.support.fuzz import command
from tests.support.goldens import as_golden
from tests.support.records import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

LATEST = ROOT / "reports" / "latest.json"


def saved(path: Path, **changed: Any) -> str:
    """The published run with some of its parts changed."""
    content = json.loads(LATEST.read_text(encoding="utf-8")) | changed
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def effects(by: float) -> list[dict[str, Any]]:
    """Those of the published run, the first so many times as large."""
    found: list[dict[str, Any]] = json.loads(LATEST.read_text(encoding="utf-8"))["effects"]
    for part in found[0]["parts"]:
        part |= {name: part[name] * by for name in ("ratio", "low", "high")}
    return found


def test_a_machine_of_another_speed_is_no_change(tmp_path: Path) -> None:
    """Nor is another machine a reason to refuse: that is what this comparison is for."""
    other = json.loads(LATEST.read_text(encoding="utf-8"))["host"] | {"cpu": "another", "cores": 64}
    done = command("compare", str(LATEST), saved(tmp_path / "b.json", host=other), "--effects")
    assert done.status == 0, done.err
    assert done.out.splitlines()[-1].startswith("0 changed, ")


def test_a_change_is_told_first(tmp_path: Path) -> None:
    """In the table, as JSON, and in a summary that is added to."""
    b = saved(tmp_path / "b.json", effects=effects(3.0))
    summary, document = tmp_path / "summary.md", tmp_path / "changes.json"
    summary.write_text("before\n", encoding="utf-8")
    done = command("compare", str(LATEST), b, "--effects", "--json", str(document),
                   "--summary", str(summary))  # fmt: skip
    assert done.status == 0, done.err
    first = done.out.splitlines()[4]
    assert first.startswith("blocking async def / async def, http")
    assert first.endswith("changed")
    told = json.loads(document.read_text(encoding="utf-8"))
    parts = len(effects(1.0)[0]["parts"])
    assert [one["word"] for one in told["effects"]].count("changed") == parts
    assert summary.read_text(encoding="utf-8").startswith("before\n\n### Against ")
    assert "- **blocking async def / async def, http" in summary.read_text(encoding="utf-8")


def test_another_load_is_refused(tmp_path: Path) -> None:
    """An effect at 500 users is another one; `--anyway` compares all the same."""
    profile = json.loads(LATEST.read_text(encoding="utf-8"))["run"]
    profile["profile"]["users"] = 500
    b = saved(tmp_path / "b.json", run=profile)
    done = command("compare", str(LATEST), b, "--effects")
    assert done.status == 2
    assert "users: 50 against 500" in done.err
    assert command("compare", str(LATEST), b, "--effects", "--anyway").status == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["latest", "latest:server=uvicorn", "--effects"], "a part of a run has no effects"),
        (["latest", "latest", "--effects", "--fail-on", "regression"], "judges cells"),
        (["latest", "latest", "--summary", "x"], "with --effects only"),
        (["latest", "none", "--effects"], "allowed: a run's id or folder"),
    ],
)
def test_a_mistake_is_told(arguments: list[str], told: str) -> None:
    """With exit status 2."""
    done = command("compare", *arguments)
    assert done.status == 2
    assert told in done.err


@pytest.mark.parametrize("wrong", [0, -1, None, "x"])
def test_an_effect_that_is_none_is_bad_input(wrong: object, tmp_path: Path) -> None:
    """Of a file that something else has written."""
    found = effects(1.0)
    found[0]["parts"][0]["low"] = wrong
    done = command("compare", "latest", saved(tmp_path / "b.json", effects=found), "--effects")
    assert done.status == 2
    assert "effects.0.parts.0.low" in done.err


def test_runs_without_effects_have_nothing_to_compare(tmp_path: Path) -> None:
    """And are told what it takes."""
    done = command("compare", "latest", saved(tmp_path / "b.json", effects=[]), "--effects")
    assert done.status == 2
    assert "no effect in common" in done.err


def part(ratio: float, **where: str) -> KnownPart:
    """Known to 2 %."""
    return KnownPart(tuple(where.items()), ratio, ratio / 1.02, ratio * 1.02)


def test_what_a_person_reads() -> None:
    """Each word, what only one of the runs has, and names that would break out of a table."""
    same = KnownEffect("endpoint", "async", "sync", HOSTILE, (part(1.0),))
    a = [
        same,
        KnownEffect("endpoint", "async_sync", "async", "http", (part(0.1),)),
        KnownEffect("workers", "2", "1", None, (part(1.0, io="json"), part(2.0, io="http"))),
        KnownEffect("server", "gunicorn", "uvicorn", None, (part(1.0),)),
    ]
    b = [
        same,
        KnownEffect("endpoint", "async_sync", "async", "http", (part(0.2),)),
        KnownEffect("workers", "2", "1", None, (part(1.03, io="json"), part(2.0, io="http"))),
        KnownEffect("python", "3.12", "3.11", None, (part(1.1),)),
    ]
    found, runs = changes(a, b), ("20260304-050607-1a2b3c", f"b {HOSTILE}")
    as_golden("report/effect-changes.txt", report.table(found, runs) + "\n")
    as_golden("report/effect-changes.md", report.markdown(found, runs))
    as_golden("report/effect-changes.json", report.document(found, runs))
