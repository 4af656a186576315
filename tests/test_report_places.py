"""Where the users are, as a bar and as a line."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.rows import rows
from bench.records.model import Places
from bench.report.lines import row_text
from bench.report.places import LETTERS, bar, users_at
from tests.support.records import measured, run, trial

POOL = Places(
    generator=0.0, way=0.06, thread_queue=59.9, before=0.04, upstream=39.8, handler=0.13, after=0.08
)


def test_a_bar_has_a_letter_for_each_tenth_in_the_order_of_a_request() -> None:
    """Six tenths wait for a thread, four are at the delay server."""
    assert bar(POOL) == "qqqqqquuuu"
    assert bar(Places(generator=0.5, way=1.0, inside=98.5)) == "iiiiiiiiii"
    assert bar(Places(generator=25.0, way=25.0, inside=50.0)) in {"ggwwwiiiii", "gggwwiiiii"}


def test_the_line_has_the_fullest_first() -> None:
    """Places with a thousandth of the users or more."""
    assert users_at(POOL) == (
        "59.9 waiting for a thread, 39.8 at the delay server, 0.130 in the handler"
    )


def test_less_than_nobody_is_nobody() -> None:
    """Differences of what two parties saw may come out a little below."""
    assert bar(Places(generator=-0.4, way=50.4)) == "wwwwwwwwww"


def test_without_the_probe_nothing_is_drawn() -> None:
    """Only the generator's part is known then: a bar of that alone would be wrong."""
    (found,) = rows(run(), [trial(measured=measured(places=Places(generator=0.02)))])
    assert found.places is None
    assert "not known" not in row_text(found)
    assert "users at" not in row_text(found)


def test_nobody_anywhere_is_no_bar() -> None:
    """Or nothing is known."""
    assert bar(Places()) == ""
    assert users_at(Places()) == ""


@given(st.fixed_dictionaries({name: st.none() | st.floats(-1, 1000) for name in LETTERS}))
def test_any_places_make_ten_letters_in_order(found: dict[str, Any]) -> None:
    """Or none; never more for one place than its share rounded up."""
    text = bar(Places(**found))
    order = "".join(LETTERS.values())
    assert len(text) in {0, 10}
    assert list(text) == sorted(text, key=order.index)
