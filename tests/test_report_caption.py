"""What stands under the tables: when, where, with what, and what the brackets are."""

from __future__ import annotations

from dataclasses import replace

from bench.analysis.rows import rows
from bench.config import Profile
from bench.report.caption import caption, spread_note
from tests.support.records import example, run


def test_a_finished_run_tells_from_when_to_when() -> None:
    """In UTC."""
    assert caption(run()).startswith("Measured 2026-03-04 05:06 to 05:17 UTC, commit `24063f2a1b`.")


def test_an_unfinished_run_says_so() -> None:
    """Its table is not the whole."""
    told = caption(run(finished=None))
    assert "unfinished" in told.split(", commit")[0]


def test_uncommitted_changes_are_told_and_no_checkout_is_no_commit() -> None:
    """The commit alone would not say what was measured."""
    git = {"commit": "24063f2a1b2c", "dirty": True}
    assert "commit `24063f2a1b` with changes." in caption(run(git=git))
    assert "commit" not in caption(run(git={}))


def test_versions_are_told_once_each_and_all_where_they_differ() -> None:
    """Of the servers' environments, the generator and Go; one that could not be made has none."""
    server = dict(run().environments["server-uvicorn-3.12"])
    other = server | {"python": "3.13.0", "packages": {"fastapi": "0.115.0", "anyio": "4.5.0"}}
    broken = {"role": "server", "unusable": "no network", "lock_sha256": ""}
    told = caption(run(environments={**run().environments, "other": other, "broken": broken}))
    assert (
        "Versions: Python 3.12.4/3.13.0, fastapi 0.115.0, uvicorn 0.30.1, anyio 4.4.0/4.5.0,"
        " locust 2.31.0, Go 1.23.1." in told
    )


def test_texts_of_the_machine_are_escaped() -> None:
    """A CPU may have any name."""
    host = replace(run().host, cpu="<b>| Fast")
    assert r"Machine: &lt;b&gt;\| Fast, 2 cores" in caption(run(host=host))


def test_one_round_has_no_interval() -> None:
    """And the note says so."""
    made, trials = example(1)
    assert spread_note(rows(made, trials)) == (
        "One trial a cell: how far another one would differ isn't known."
    )


def test_intervals_are_explained_with_how_many_trials_they_are_from() -> None:
    """A run that was interrupted, or refined single cells, has cells of more and of fewer."""
    made, trials = example(3)
    assert "requests/s, from 3 trials a cell; how far trials differ is pooled" in spread_note(
        rows(made, trials)
    )
    more = [replace(one, round=4) for one in trials if one.cell == trials[0].cell]
    assert "from 3 to 6 trials a cell" in spread_note(rows(made, (*trials, *more)))


def test_the_load_says_what_is_fixed_and_what_follows_the_cell() -> None:
    """Of a budget, and of the seed's design."""
    profile = Profile("quick", users=50, delay_s=0.2, budget_s=720.0)
    assert (
        "Load: profile `quick`, 50 users, delay 200ms, trials as long as their cells need (windows"
        " up to 20s); a budget of 12m, each throughput to 10% if it lasts."
    ) in caption(run(profile=profile))
    seed = Profile("seed", 500, 1.0, rounds=1, spawn_rate=50.0, warmup_s=15.0, duration_s=60.0)
    assert (
        "Load: profile `seed`, 500 users, delay 1s, 50 users started a second, 15s warm-up, 1m"
        " window; 1 round."
    ) in caption(run(profile=seed))
