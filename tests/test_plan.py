"""Cells, their order, and what names mean."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import Axes, Config, Entry, Known, Overrides, Profile, apply
from bench.errors import BadInputError
from bench.plan import Cell, expand, make_plan, resolve_single, select

QUICK = Profile(
    "quick", users=100, delay_s=1.0, spawn_rate=100.0, warmup_s=3.0, duration_s=6.0, rounds=3
)
KNOWN = Known(("http", "http_pooled", "json"), ("gunicorn", "hypercorn", "uvicorn"))
AXES = Axes(
    endpoint=("sync", "async", "async_sync"),
    io=("http", "json"),
    workers=(1, 2),
    server=("uvicorn", "gunicorn"),
    python=(),
    order=("endpoint", "io", "workers", "server"),
    line=4,
)


Levels = dict[str, str | int]


def config(
    include: tuple[Levels, ...] = (),
    exclude: tuple[Levels, ...] = (),
    axes: Axes = AXES,
) -> Config:
    """A configuration of these axes and entries."""
    return Config(
        path=Path("experiments.yaml"),
        matrix=axes,
        include=tuple(Entry(f"include[{at}]", 20 + at, one) for at, one in enumerate(include)),
        exclude=tuple(Entry(f"exclude[{at}]", 30 + at, one) for at, one in enumerate(exclude)),
        default_profile="quick",
        profiles={"quick": QUICK},
        known=KNOWN,
    )


def ids(cells: tuple[Cell, ...]) -> list[str]:
    """What a person reads of cells."""
    return [cell.id for cell in cells]


@pytest.mark.parametrize(
    ("endpoint", "experiment", "route"),
    [
        ("sync", "sync_http", "/sync/http"),
        ("async", "async_http", "/async/http"),
        ("async_sync", "async_http_sync", "/async/http/sync"),
    ],
)
def test_a_cell_is_named_as_people_say_it(endpoint: str, experiment: str, route: str) -> None:
    """Experiment, route, id and environment follow from the levels."""
    cell = Cell(endpoint, "http", "uvicorn", 2, "3.12")
    assert (cell.experiment, cell.route) == (experiment, route)
    assert cell.id == f"{experiment}-uvicorn-w2"
    assert cell.environment == ("3.12", "uvicorn")


def test_the_first_axis_varies_slowest() -> None:
    """Cells come in declared order."""
    cells = expand(config(), "3.12")
    assert len(cells) == 24
    assert ids(cells)[:4] == [
        "sync_http-uvicorn-w1",
        "sync_http-gunicorn-w1",
        "sync_http-uvicorn-w2",
        "sync_http-gunicorn-w2",
    ]
    assert ids(cells)[-1] == "async_json_sync-gunicorn-w2"


def test_exclude_takes_out_what_has_all_its_values() -> None:
    """An entry needn't name each axis; entries may overlap."""
    cells = expand(config(exclude=({"workers": 2}, {"server": "gunicorn", "workers": 2})), "3.12")
    assert {cell.workers for cell in cells} == {1}
    assert len(cells) == 12


def test_include_extends_the_combinations_it_does_not_change() -> None:
    """A python goes to each matching combination, and later ones may change it."""
    cells = expand(
        config(include=({"python": "3.13"}, {"server": "gunicorn", "python": "3.12"})), "3.11"
    )
    assert len(cells) == 24
    assert {cell.environment for cell in cells} == {("3.13", "uvicorn"), ("3.12", "gunicorn")}
    assert ids(cells)[:2] == ["sync_http-uvicorn-w1-py3.13", "sync_http-gunicorn-w1-py3.12"]


def test_include_adds_what_fits_no_combination() -> None:
    """A new cell comes last; an excluded one may come back."""
    new: Levels = {"endpoint": "sync", "io": "json", "workers": 8, "server": "hypercorn"}
    back = new | {"workers": 2, "server": "uvicorn"}
    cells = expand(config(include=(new, back), exclude=({"workers": 2},)), "3.12")
    assert ids(cells)[12:] == ["sync_json-hypercorn-w8", "sync_json-uvicorn-w2"]


def test_later_entries_add_nothing_to_a_cell_of_include() -> None:
    """As in GitHub Actions: only the matrix's own combinations are extended."""
    new: Levels = {
        "endpoint": "sync",
        "io": "json",
        "workers": 8,
        "server": "uvicorn",
    }
    cells = expand(config(include=(new, {"server": "uvicorn", "python": "3.13"})), "3.12")
    assert cells[-1].python == "3.12"


def test_a_repeated_cell_of_include_is_named() -> None:
    """Whether the matrix or another entry has it."""
    new: Levels = {
        "endpoint": "sync",
        "io": "json",
        "workers": 8,
        "server": "uvicorn",
    }
    with pytest.raises(BadInputError) as refused:
        expand(config(include=(new, new)), "3.12")
    assert str(refused.value) == (
        "experiments.yaml:21: include[1]: found the cell sync_json-uvicorn-w8 again, "
        "allowed: cells that are not there yet"
    )


def test_options_may_leave_entries_without_effect() -> None:
    """`--workers 1` is no error just since an entry is about two workers."""
    whole: Levels = {
        "endpoint": "sync",
        "io": "json",
        "workers": 8,
        "server": "uvicorn",
    }
    entries: tuple[Levels, ...] = ({"workers": 2, "python": "3.13"}, whole)
    written = config(include=entries, exclude=({"workers": 2, "io": "http"},))
    assert len(expand(written, "3.12")) == 19
    assert ids(expand(apply(written, Overrides(workers=(1,)))[0], "3.12"))[-1].endswith("w8")
    assert len(expand(apply(written, Overrides(workers=(8,)))[0], "3.12")) == 12


def test_python_is_named_only_where_it_varies() -> None:
    """One version adds nothing to the ids; two do."""
    order = (*AXES.order, "python")
    one = dataclasses.replace(AXES, python=("3.12",), order=order)
    two = dataclasses.replace(AXES, python=("3.12", "3.13"), order=order)
    assert expand(config(axes=one), "3.11")[0].environment == ("3.12", "uvicorn")
    assert ids(expand(config(axes=one), "3.11"))[0] == "sync_http-uvicorn-w1"
    assert ids(expand(config(axes=two), "3.11"))[1] == "sync_http-uvicorn-w1-py3.13"


def test_kinds_whose_names_collide_are_refused() -> None:
    """async_http_sync must not mean two things."""
    axes = dataclasses.replace(AXES, io=("http", "http_sync"))
    with pytest.raises(
        BadInputError, match=r"yaml:4: matrix: found two cells named async_http_sync-"
    ):
        expand(config(axes=axes), "3.12")


def test_too_many_cells_are_refused_at_once() -> None:
    """The size is known without building them."""
    axes = dataclasses.replace(AXES, workers=tuple(range(10**5)))
    with pytest.raises(BadInputError, match=r"found 1200000 combinations, allowed: at most 100000"):
        expand(config(axes=axes), "3.12")


def test_select_takes_globs_and_experiments() -> None:
    """In the cells' order, each once; nothing asked means all."""
    cells = expand(config(), "3.12")
    assert select(cells, []) == cells
    assert ids(select(cells, ["*_json-uvicorn-w1", "sync_json"])) == [
        "sync_json-uvicorn-w1",
        "sync_json-gunicorn-w1",
        "sync_json-uvicorn-w2",
        "sync_json-gunicorn-w2",
        "async_json-uvicorn-w1",
    ]


def test_single_takes_the_first_listed_unless_told() -> None:
    """An experiment is one cell; with axes asked for, all of its cells."""
    cells = expand(config(), "3.12")
    assert ids(resolve_single(cells, ["async_http_sync"])) == ["async_http_sync-uvicorn-w1"]
    assert len(resolve_single(cells, ["async_http_sync"], every=True)) == 4
    assert ids(resolve_single(cells, ["sync_json-gunicorn-w2"])) == ["sync_json-gunicorn-w2"]
    assert len(resolve_single(cells, ["sync_*-w2"])) == 4


def test_a_plan_is_the_same_everywhere() -> None:
    """Order and hash as recorded once, whatever Python and machine."""
    plan = make_plan(expand(config(), "3.12")[:4], QUICK, seed=7)
    order = " ".join(trial.cell.id[10:] + "+" * trial.twin for trial in plan.trials[:10])
    assert order == (
        "uvicorn-w2 uvicorn-w1+ gunicorn-w1 gunicorn-w2 uvicorn-w1 "
        "gunicorn-w2 uvicorn-w2 uvicorn-w1+ uvicorn-w1 gunicorn-w1"
    )
    assert plan.hash == "80dfaed4a5a5"
    assert [(trial.index, trial.round) for trial in plan.trials[4:6]] == [(5, 1), (6, 2)]


def test_one_round_has_no_twin() -> None:
    """A/A takes two rounds: one pair says nothing."""
    one = dataclasses.replace(QUICK, rounds=1)
    plan = make_plan(expand(config(), "3.12"), one, seed=1)
    assert not any(trial.twin for trial in plan.trials)


def test_whatever_defines_a_plan_changes_its_hash() -> None:
    """Cells, settings, seed and delay."""
    cells = expand(config(), "3.12")
    changed = dataclasses.replace(QUICK, users=99)
    quicker = dataclasses.replace(QUICK, delay_s=0.5)
    hashes = {
        make_plan(cells, QUICK, seed=1).hash,
        make_plan(cells[1:], QUICK, seed=1).hash,
        make_plan(expand(config(), "3.13"), QUICK, seed=1).hash,
        make_plan(cells, changed, seed=1).hash,
        make_plan(cells, QUICK, seed=2).hash,
        make_plan(cells, quicker, seed=1).hash,
    }
    assert len(hashes) == 6


def test_two_thousand_cells_take_no_time() -> None:
    """Well under a second, six rounds included."""
    axes = dataclasses.replace(AXES, io=tuple(f"io{n}" for n in range(166)), workers=(1, 2))
    start = time.perf_counter()
    plan = make_plan(expand(config(axes=axes), "3.12"), QUICK, seed=1)
    assert len(plan.trials) == 3 * (1992 + 1)
    assert time.perf_counter() - start < 1


def test_too_many_trials_are_refused() -> None:
    """100,000 are twelve days of work."""
    axes = dataclasses.replace(AXES, io=tuple(f"io{n}" for n in range(200)))
    many = dataclasses.replace(QUICK, rounds=1000)
    with pytest.raises(BadInputError, match="found 2400 cells in 1000 rounds"):
        make_plan(expand(config(axes=axes), "3.12"), many, seed=1)


LEVELS: dict[str, st.SearchStrategy[str | int]] = {
    "endpoint": st.sampled_from(("sync", "async", "async_sync")),
    "io": st.sampled_from(KNOWN.io_kinds),
    "workers": st.integers(1, 3),
    "server": st.sampled_from(KNOWN.servers),
    "python": st.sampled_from(("3.12", "3.13")),
}
ENTRIES = st.lists(st.fixed_dictionaries({}, optional=LEVELS).filter(bool), max_size=3)


@settings(max_examples=300, deadline=None)
@given(include=ENTRIES, exclude=ENTRIES, seed=st.integers(0, 2**32 - 1))
def test_any_plan(include: list[Levels], exclude: list[Levels], seed: int) -> None:
    """No cell twice; each round holds all; the same seed gives the same order."""
    message, cells = "", expand(config(), "3.12")
    try:
        cells = expand(config(tuple(include), tuple(exclude)), "3.12")
    except BadInputError as refusal:
        message = str(refusal)
    assert message.startswith("experiments.yaml:") or not message
    assert len({cell.id for cell in cells}) == len(cells) > 0
    plan = make_plan(cells, QUICK, seed=seed)
    for number in (1, 2, 3):
        inside = [trial for trial in plan.trials if trial.round == number]
        once = tuple(trial.cell for trial in inside if not trial.twin)
        assert sorted(ids(once)) == sorted(ids(cells))
        assert [trial.cell for trial in inside if trial.twin] == [cells[0]]
    assert plan == make_plan(cells, QUICK, seed=seed)
