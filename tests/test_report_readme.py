"""The tables between README.md's markers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.results import results
from bench.errors import BadInputError
from bench.report.readme import BEGIN, END, into_readme, section
from tests.support.records import example

RUN, TRIALS = example()
FOUND = results(RUN, TRIALS)
prose = st.text(max_size=60).filter(lambda text: BEGIN not in text and END not in text)


@given(before=prose, old=prose, after=prose)
def test_only_what_is_between_the_markers_changes(before: str, old: str, after: str) -> None:
    """Doing it again changes nothing."""
    once = into_readme(f"{before}{BEGIN}{old}{END}{after}", FOUND)
    assert once == f"{before}{BEGIN}\n\n{section(FOUND)}\n{END}{after}"
    assert into_readme(once, FOUND) == once


@pytest.mark.parametrize(
    "readme", ["", "# A project\n", f"{BEGIN}\n", f"{END}\n", f"{END}\n{BEGIN}\n"]
)
def test_without_both_markers_in_order_it_is_refused(readme: str) -> None:
    """It says what to put in, word for word."""
    with pytest.raises(BadInputError) as caught:
        into_readme(readme, FOUND)
    assert str(caught.value) == (
        "README.md: the markers are missing; put these two lines where the tables belong:\n"
        f"{BEGIN}\n{END}"
    )
