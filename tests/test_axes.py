"""Axes that a file may vary beside the basic ones, from the file to what people read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bench import axes
from bench.ab.pairs import pairs
from bench.analysis.effects import effects
from bench.analysis.packages import apart
from bench.analysis.results import results
from bench.analysis.rows import rows
from bench.config import Profile, apply, load_config, parse_overrides
from bench.errors import BadInputError
from bench.estimate import declared_s
from bench.export import benchfmt, csv, openmetrics
from bench.plan import Cell, expand, make_plan
from bench.report import design, document
from bench.report.answers import sentence
from bench.turns.model import A, B
from tests.support.records import measured, run, trial

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.model import TrialRecord

MATRIX = {"endpoint": ["sync"], "io": ["json"], "workers": [1], "server": ["uvicorn"]}
PROFILES = {"quick": {"users": 50, "delay": "200ms", "rounds": 1}}
PROFILE = Profile("quick", users=50, delay_s=0.2, rounds=1)
VARIED = {
    "loop": ["uvloop", "asyncio"],
    "threads": [2, 40],
    "cores": [1],
    "delay": ["50ms", "1s"],
    "users": [10, 100],
}


def cells(folder: Path, options: dict[str, Any] | None = None, **matrix: Any) -> tuple[Cell, ...]:
    """Of a file with these axes, and what else is in `include`."""
    include = matrix.pop("include", [])
    path = folder / "experiments.yaml"
    content = {"matrix": MATRIX | matrix, "include": include, "default_profile": "quick"}
    path.write_text(yaml.safe_dump(content | {"profiles": PROFILES}, sort_keys=False), "utf-8")
    config = load_config(path, io_kinds=("json",), servers=("gunicorn", "uvicorn"))
    config, _ = apply(config, parse_overrides(**(options or {})))
    return expand(config, "3.12")


def test_all_at_once(tmp_path: Path) -> None:
    """Every combination is a cell, and its id tells what varies."""
    found = cells(tmp_path, None, **VARIED)
    assert len(found) == 16
    assert found[0].id == "sync_json-uvicorn-w1-uvloop-t2-d50ms-u10"
    assert found[-1].id == "sync_json-uvicorn-w1-asyncio-t40-d1s-u100"
    assert len({cell.id for cell in found}) == 16
    assert axes.levels(found[0]) == {
        "endpoint": "sync", "io": "json", "server": "uvicorn", "workers": "1", "python": "3.12",
        "loop": "uvloop", "threads": "2", "cores": "1", "delay": "50ms", "users": "10",
    }  # fmt: skip


def test_one_level_sets_it_and_stays_out_of_the_id(tmp_path: Path) -> None:
    """As what does not vary tells cells apart no better."""
    (found,) = cells(tmp_path, threads=[400], loop=["asyncio"])
    assert found.id == "sync_json-uvicorn-w1"
    assert dict(found.settings) == {"loop": "asyncio", "threads": "400"}


def test_what_no_id_tells_the_run_does(tmp_path: Path) -> None:
    """So that trials with 8 threads are never resumed with 40, or compared to them unsaid."""
    plan = make_plan(cells(tmp_path, threads=[8], users=[5, 50]), PROFILE, seed=1)
    assert plan.settings == {"threads": "8"}
    assert make_plan(cells(tmp_path), PROFILE, seed=1).settings == {}
    hashes = {make_plan(cells(tmp_path, threads=[n]), PROFILE, seed=1).hash for n in (8, 40)}
    assert len(hashes) == 2


def test_include_gives_a_level_to_some(tmp_path: Path) -> None:
    """Those without keep the server's own."""
    found = cells(tmp_path, workers=[1, 2], include=[{"workers": 2, "threads": 400}])
    assert [cell.id for cell in found] == ["sync_json-uvicorn-w1", "sync_json-uvicorn-w2-t400"]


def test_options_take_the_place_of_the_files(tmp_path: Path) -> None:
    """Also of what the profile would say."""
    options = {"loop": ["asyncio"], "threads": ["7"], "users": "9", "delay": "80ms"}
    (found,) = cells(tmp_path, options, **VARIED)
    assert axes.variant(found.settings) == "asyncio, 7 threads, 1 core"
    (plain,) = cells(tmp_path, {"users": "9"})
    assert plain.settings == ()  # the profile has it


@pytest.mark.parametrize(
    ("options", "matrix"),
    [
        ({"users": "9", "delay": "0ms"}, {"users": [10, 100], "delay": ["50ms", "1s"]}),
        ({}, {"users": [9], "delay": ["0ms"]}),
    ],
)
def test_one_level_of_the_load_is_the_profiles(
    tmp_path: Path, options: dict[str, str], matrix: dict[str, Any]
) -> None:
    """All cells have it, and all that tells the load tells it."""
    path = _written(tmp_path, **matrix)
    config = load_config(path, io_kinds=("json",), servers=("uvicorn",))
    config, profile = apply(config, parse_overrides(**options))
    (found,) = expand(config, "3.12")
    assert (found.settings, profile.users, profile.delay_s) == ((), 9, 0.0)


def test_of_a_load_that_varies_reports_say_so(tmp_path: Path) -> None:
    """In place of the profile's, which no cell has."""
    plan = make_plan(cells(tmp_path, users=[5, 50]), PROFILE, seed=1)
    assert plan.varied == ("users",)
    assert design.load(PROFILE, plan.varied).startswith("users as each cell's name says, delay 20")
    assert design.load(PROFILE).startswith("50 users, delay 200ms")


def test_users_and_delay_are_the_cells_own(tmp_path: Path) -> None:
    """Its trial has them in place of the profile's, and takes as long as they need."""
    config = load_config(
        _written(tmp_path, users=[10, 1000]), io_kinds=("json",), servers=("uvicorn",)
    )
    config, profile = apply(config, parse_overrides())
    few, many = expand(config, "3.12")
    assert (few.load(profile).users, many.load(profile).users) == (10, 1000)
    assert few.load(profile).delay_s == profile.delay_s
    times = [declared_s(make_plan([one], profile, seed=1), 2) for one in (few, many)]
    assert times[1] > times[0]


@pytest.mark.parametrize(
    ("axis", "levels", "told"),
    [
        ("loop", ["trio"], "matrix.loop[0]: found trio, allowed: "),
        ("threads", [0], "matrix.threads[0]: found 0, allowed: a whole number from 1 to 10000"),
        ("users", [1, 1], "matrix.users[1]: found 1 again"),
        ("delay", ["6s"], "matrix.delay[0]: found 6s, allowed: from 0s to 4s"),
        ("delay", [], "matrix.delay: found an empty list, allowed: "),
    ],
)
def test_mistakes(tmp_path: Path, axis: str, levels: list[Any], told: str) -> None:
    """Told where they stand."""
    with pytest.raises(BadInputError) as caught:
        cells(tmp_path, None, **{axis: levels})
    assert told in str(caught.value)


def test_a_delay_must_fit_into_the_window(tmp_path: Path) -> None:
    """Of the profile that is chosen."""
    told = "delay: found 4s with the profile's longest of 10s, allowed: this with `--longest` at"
    with pytest.raises(BadInputError, match=re.escape(told)):
        cells(tmp_path, {"longest": "10s"}, delay=["50ms", "4s"])


def _written(folder: Path, **matrix: Any) -> Path:
    path = folder / "experiments.yaml"
    content = {"matrix": MATRIX | matrix, "default_profile": "quick", "profiles": PROFILES}
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return path


NOISE = (0.99, 1.01, 1.0, 1.0, 0.99, 1.01)


def trials(rate: float, endpoint: str = "sync", **settings: str) -> list[TrialRecord]:
    """Of a cell with these settings, around this throughput."""
    name = f"{endpoint}_json-uvicorn-w1{axes.tags(settings.items())}"
    return [
        trial(
            cell=name, experiment=f"{endpoint}_json", endpoint=endpoint, io="json", round=number,
            settings=settings, measured=measured(throughput_rps=rate * factor),
        )
        for number, factor in enumerate(NOISE, 1)
    ]  # fmt: skip


def found(*records: list[TrialRecord]) -> Any:
    """The results of a run of these cells."""
    every = [one for each in records for one in each]
    names = tuple(dict.fromkeys(one.cell for one in every))
    return results(run(cells=names, trials=len(every)), every)


@pytest.mark.parametrize(
    ("axis", "low", "high", "said"),
    [
        ("threads", "2", "40", "40 threads has 2.00× (1.98 to 2.02) the throughput of 2 threads"),
        ("loop", "uvloop", "asyncio", "Asyncio has 2.00× (1.98 to 2.02) the throughput of uvloop"),
        (
            "delay",
            "1s",
            "50ms",
            "A delay of 50ms has 2.00× (1.98 to 2.02) the throughput of a delay",
        ),
        ("users", "1", "50", "50 users has 2.00× (1.98 to 2.02) the throughput of 1 user"),
    ],
)
def test_each_is_an_answer(axis: str, low: str, high: str, said: str) -> None:
    """Without code of its own."""
    told = found(trials(100.0, **{axis: low}), trials(200.0, **{axis: high}))
    (effect,) = told.effects
    assert sentence(effect).startswith(said)
    assert (effect.axis, effect.level, effect.base) == (axis, high, low)
    assert effect.parts[0].ratio == pytest.approx(2.0)


def test_where_users_vary_no_answer_is_at_so_many() -> None:
    """A part that holds for one number of them alone says so."""
    told = found(
        trials(100.0, users="10"), trials(100.0, "async", users="10"),
        trials(100.0, users="500"), trials(300.0, "async", users="500"),
    )  # fmt: skip
    (effect,) = [one for one in told.effects if one.axis == "endpoint"]
    assert "at 50 users" not in sentence(effect)
    assert "with 500 users" in sentence(effect)


def test_rows_tell_them() -> None:
    """latest.json, tables for other programs, and names of benchmarks."""
    told = found(trials(100.0, threads="2"), trials(200.0, threads="40"))
    content = json.loads(document.document(told))
    assert [row["settings"] for row in content["rows"]] == [{"threads": "2"}, {"threads": "40"}]
    assert "/python=3.12/threads=40 1 " in benchfmt.text(content)
    assert 'threads="40"' in openmetrics.text(content)
    header, first, second = csv.text(content).splitlines()
    at = header.split(",").index("threads")
    assert (first.split(",")[at], second.split(",")[at]) == ("2", "40")


def test_cells_of_one_are_held_against_cells_of_another(tmp_path: Path) -> None:
    """`versus -- threads=2 threads=40`."""
    every = cells(tmp_path, threads=[2, 40], users=[10, 100])
    contests = pairs(every, "threads=2", "threads=40", every=True)
    assert [one.name for one in contests] == [
        "sync_json-uvicorn-w1-u10", "sync_json-uvicorn-w1-u100",
    ]  # fmt: skip
    assert [dict(contests[0].cells[side].settings)["threads"] for side in (A, B)] == ["2", "40"]
    with pytest.raises(BadInputError, match="there are: threads: 2, 40"):
        pairs(every, "threads=3", "threads=40", every=True)


def test_effects_of_rows_without_settings_are_as_they_were() -> None:
    """Nothing is compared that isn't there."""
    told = rows(run(), [trial()])
    assert effects(told, 50) == ()


def test_an_effect_of_python_tells_which_packages_differ() -> None:
    """Else their change would be taken for Python's."""
    packages = {"3.12": {"fastapi": "0.165.0", "anyio": "4.16.0"}, "3.10": {"fastapi": "0.162.5"}}
    environments = {
        f"server-uvicorn-{python}": {"packages": each} for python, each in packages.items()
    }
    records = [
        replace(one, python=python, cell=f"{one.cell}-py{python}")
        for python, rate in (("3.12", 200.0), ("3.10", 100.0))
        for one in trials(rate)
    ]
    names = tuple(dict.fromkeys(one.cell for one in records))
    about = run(cells=names, trials=len(records), environments=environments)
    (effect,) = results(about, records).effects
    assert effect.packages == ("anyio with 3.12 alone", "fastapi 0.162.5 and 0.165.0")
    assert sentence(effect).endswith(
        "; packages differ, too: anyio with 3.12 alone, fastapi 0.162.5 and 0.165.0"
    )
    assert apart({}, ["uvicorn"], "3.12", "3.10") == ()
