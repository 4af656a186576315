"""What stands under the tables: when, where, with what, and what the brackets are."""

from __future__ import annotations

from dataclasses import replace

from bench.analysis.rows import rows
from bench.report.caption import caption, spread_note
from tests.support.records import example, measured, run, trial


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


def test_one_round_has_no_spread() -> None:
    """And the note says so."""
    made, trials = example(1)
    assert spread_note(rows(made, trials)) == "One trial a cell: no spread is known."


def test_a_few_rounds_have_a_range_and_six_an_interval() -> None:
    """The brackets are what the note says."""
    made, trials = example(3)
    assert spread_note(rows(made, trials)) == ("Medians over rounds; in brackets the range, n = 3.")
    made, trials = example(6)
    assert spread_note(rows(made, trials)) == (
        "Medians over rounds; in brackets the 95 % confidence interval of the median."
    )


def test_n_is_that_of_the_trials_there_are() -> None:
    """A run that was interrupted, or lost trials, has fewer than its profile asks for."""
    made, _ = example(6)
    made = run(profile=made.profile)
    trials = [trial(index=n, round=n, measured=measured(throughput_rps=30.0 + n)) for n in (1, 2)]
    note = spread_note(rows(made, trials))
    assert "n = 6" not in note
    assert "n = 2" in note
