"""The summary of a CI job: one screen, whatever the run."""

from __future__ import annotations

import pytest

from bench import publish
from bench.analysis.results import Results, results
from bench.paths import ROOT
from bench.records.model import Damage
from bench.report.summary import summary
from tests.support.goldens import as_golden
from tests.support.records import example, run

LINES, WIDTH = 40, 400  # of one screen: a long line is wrapped


def published() -> Results:
    """The run that is published."""
    return publish.recorded(ROOT / "reports", None, lambda _: None)


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_summary(rounds: int) -> None:
    """Every verdict: figures only where there are any, each with the bar of its users."""
    made, trials = example(rounds)
    as_golden(f"report/summary-{rounds}.md", summary(results(made, trials)))


def test_what_is_missing_comes_first() -> None:
    """Before anything that looks complete."""
    made, trials = example()
    found = results(made, trials[1:], (), (Damage("trials.jsonl:1", "it is cut off"),))
    assert summary(found).splitlines()[2].startswith("**Some records are corrupt")


def test_nothing_measured() -> None:
    """Is said."""
    assert "Nothing was measured." in summary(results(run(), ()))


def test_the_published_run_fits_one_screen() -> None:
    """All 54 cells of it."""
    text = summary(published())
    assert len(text.splitlines()) <= LINES
    assert max(map(len, text.splitlines())) <= WIDTH
