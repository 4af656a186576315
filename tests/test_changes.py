"""What has changed since a run was interrupted: each kind is named, with what was and what is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.config import Machine
from bench.records import journal
from bench.run.history.changes import Change, changes
from tests.support.records import run

if TYPE_CHECKING:
    from pathlib import Path

RUN = run(finished=None, cells=("a-uvicorn-w1", "b-uvicorn-w1"))
SERVER = "server-uvicorn-3.12"


def profile(**settings: Any) -> Any:
    """The profile with other settings."""
    return replace(RUN.profile, **settings)


def host(**facts: Any) -> Any:
    """The machine with other facts."""
    return replace(RUN.host, **facts)


def environment(name: str = SERVER, **facts: Any) -> Any:
    """All environments, one of them with other facts."""
    return {**RUN.environments, name: {**RUN.environments[name], **facts}}


def other_python() -> Any:
    """The same server on another Python."""
    found = dict(RUN.environments)
    return {"server-uvicorn-3.13": found.pop(SERVER), **found}


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("profile", profile(users=7), "the profile's number of users was 100 and is 7"),
        ("profile", profile(spawn_rate=0.5), "the profile's spawn rate was 100 and is 0.5"),
        ("profile", profile(warmup_s=0.5), "the profile's warm-up was 3s and is 500ms"),
        ("profile", profile(duration_s=10.0), "the profile's duration was 6s and is 10s"),
        ("profile", profile(rounds=6), "the profile's number of rounds was 1 and is 6"),
        ("profile", profile(delay_s=0.1), "the profile's delay was 1s and is 100ms"),
        ("profile", profile(duration_s=None), "the profile's duration was 6s and is not fixed"),
        (
            "profile",
            profile(machines=(Machine(1), Machine(4))),
            "the profile's number of load machines was 0 and is 2 (1 and 4 processes)",
        ),
        (
            "profile",
            profile(arrivals="constant"),
            "the profile's kind of arrivals was poisson and is constant",
        ),
        ("seed", 2, "the seed was 1 and is 2"),
        ("probe", False, "the probe was on and is off"),
        ("environments", other_python(), "the Python of the cells was 3.12 and is 3.13"),
        ("settings", {"threads": "8"}, "the cells' threads was the usual and is 8"),
        ("settings", {"loop": "asyncio"}, "the cells' loop was the usual and is asyncio"),
    ],
)
def test_trials_of_another_load_or_order_are_apart(field: str, value: Any, text: str) -> None:
    """They can't be in one run."""
    assert changes(RUN, replace(RUN, **{field: value})) == (Change(text, apart=True),)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("cells", (*RUN.cells, "c-x-w1"), "1 cell is new (c-x-w1)"),
        (
            "cells",
            (*RUN.cells, *"cdefg"),
            "5 cells are new (c, d, e and 2 more)",
        ),
        ("cells", RUN.cells[1:], "1 cell is no longer in the plan (a-uvicorn-w1)"),
        ("cells", RUN.cells[::-1], "the cells are listed in another order"),
        (
            "sources",
            {**RUN.sources, "application (app/)": "other"},
            "the application (app/) has changed",
        ),
        (
            "environments",
            environment(packages={"fastapi": "0.116.0", "uvicorn": "0.30.1", "uvloop": "0.20"}),
            (
                f"the environment {SERVER} has changed (fastapi was 0.115.0 and is 0.116.0,"
                " anyio was 4.4.0 and is none, uvloop was none and is 0.20)"
            ),
        ),
        (
            "environments",
            environment(python="3.12.5"),
            f"the environment {SERVER} has changed (python was 3.12.4 and is 3.12.5)",
        ),
        (
            "environments",
            environment("load", lock_sha256="other"),
            "the environment load has changed (its lock file)",
        ),
        (
            "environments",
            environment(unusable="no network"),
            f"the environment {SERVER} can't be used any more",
        ),
        ("environments", environment("go", version="go1.24"), "Go was go1.23.1 and is go1.24"),
        ("host", host(kernel="6.2.0"), "the machine's kernel was 6.1.0 and is 6.2.0"),
        ("host", host(memory_gb=4.0), "the machine's memory gb was 8.2 and is 4.0"),
        (
            "placement",
            {"asked": "auto", "server": (0, 1), "generator": (2,), "delay": (3,)},
            "the placement on the machine's cores has changed",
        ),
    ],
)
def test_what_is_measured_and_on_what_is_named(field: str, value: Any, text: str) -> None:
    """A person may go on all the same."""
    assert changes(RUN, replace(RUN, **{field: value})) == (Change(text),)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("profile", profile(name="another")),
        ("profile", profile(listen="10.0.0.1")),
        ("host", host(load_before=(1.0, 1.0, 1.0), open_files=20_000)),
        ("placement", {"asked": "off", "server": (), "generator": (), "delay": ()}),
        ("git", {}),
        ("plan_hash", "other"),
    ],
)
def test_what_changes_no_figure_is_no_change(field: str, value: Any) -> None:
    """A profile's name, what the machine did before, a commit to the documentation."""
    assert changes(RUN, replace(RUN, **{field: value})) == ()


def test_all_is_named_at_once() -> None:
    """Whoever repairs one thing is not told of the next only then."""
    now = replace(RUN, seed=2, cells=RUN.cells[:1], sources={**RUN.sources, "x": "new"})
    assert [change.apart for change in changes(RUN, now)] == [True, False, False]


def test_environments_come_and_go_with_their_cells() -> None:
    """Only the cells are named."""
    more = {**RUN.environments, "server-gunicorn-3.12": RUN.environments[SERVER]}
    now = replace(RUN, cells=(*RUN.cells, "c-gunicorn-w1"), environments=more)
    assert changes(RUN, now) == (Change("1 cell is new (c-gunicorn-w1)"),)


def test_a_run_compared_with_what_was_written_of_it(tmp_path: Path) -> None:
    """Lists that were tuples make no difference."""
    placed = {"asked": "auto", "server": (0, 1), "generator": (2,), "delay": (3,)}
    now = replace(RUN, placement=placed)
    journal.write_run(tmp_path / "run.json", now)
    assert changes(journal.read_run(tmp_path / "run.json"), now) == ()


def test_a_run_recorded_without_its_sources_says_so() -> None:
    """An earlier version wrote it."""
    (change,) = changes(replace(RUN, sources={}), RUN)
    assert change == Change("it doesn't say from which sources it was measured")
