"""Numbers and names as a person reads them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench import text
from bench.stats import Percentile
from bench.text import milliseconds, number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0, "0"),
        (0.0, "0"),
        (1, "1"),
        (1.0, "1"),
        (41.0, "41"),
        (100.0, "100"),
        (39.6, "39.6"),
        (9.999, "10.0"),
        (99.96, "100"),
        (999.6, "1,000"),
        (123.4, "123"),
        (1234.5, "1,230"),
        (1234567.0, "1,230,000"),
        (1.234, "1.23"),
        (1.2, "1.20"),
        (0.5, "0.500"),
        (0.97, "0.970"),
        (0.0123, "0.0123"),
        (0.00123456, "0.00123"),
        (0.99999, "1.00"),
        (-39.64, "-39.6"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float | None, shown: str) -> None:
    """Whole ones need no decimals."""
    assert number(value) == shown


@given(st.floats(1e-4, 1e12) | st.integers(1, 10**12).map(float))
@example(9.995)
@example(0.9995)
@example(999.5)
def test_a_number_reads_back_within_half_a_per_cent(value: float) -> None:
    """Never an exponent, and no more than three digits that count."""
    shown = number(value)
    assert re.fullmatch(r"\d{1,3}(,\d{3})*(\.\d+)?", shown)
    back = Decimal(shown.replace(",", ""))
    assert abs(back - Decimal(value)) <= Decimal("0.005001") * Decimal(value)
    digits = str(back.normalize().as_tuple().digits)
    assert len(back.normalize().as_tuple().digits) <= 3, digits


@given(st.floats(min_value=1e-12, max_value=1e-4, exclude_min=True))
@example(0.0000123)
def test_a_small_number_is_never_shown_as_nothing(value: float) -> None:
    """A cost that was measured is not zero."""
    assert re.search(r"[1-9]", number(value))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0 ms"),
        (0.4, "0.400 ms"),
        (12.34, "12.3 ms"),
        (999.4, "999 ms"),
        (999.7, "1.00 s"),
        (1000.0, "1 s"),
        (1031.0, "1.03 s"),
        (2570.0, "2.57 s"),
        (103092.8, "103 s"),
    ],
)
def test_times_are_in_ms_below_a_second_and_in_s_from_there_on(
    value: float | None, shown: str
) -> None:
    """Also where rounding crosses the border."""
    assert milliseconds(value) == shown


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (Percentile(12.34, None, None), "~ 12.3 ms"),
        (Percentile(None, 2570.0, "too few"), "> 2.57 s"),
        (Percentile(None, None, "too few"), "–"),
    ],
)
def test_a_percentile_is_a_value_or_a_bound_or_a_dash(found: Percentile, shown: str) -> None:
    """Nothing is invented."""
    assert text.percentile(found) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (0.0, "0%"), (0.9725, "97%"), (1.0, "100%"), (1.04, "104%")]
)
def test_shares_are_whole_per_cents(value: float | None, shown: str) -> None:
    """Over the limit is shown as it is."""
    assert text.share(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (45.4, "45 s"), (60, "1 min 0 s"), (680, "11 min 20 s"), (7325, "2 h 2 min")],
)
def test_durations_are_told_in_the_two_largest_units(seconds: float, shown: str) -> None:
    """How long a plan takes."""
    assert text.duration(seconds) == shown


@given(st.text())
@example("a|b")
@example("\\|")
@example("\\\\|")
@example("<script>")
@example("`a`\n| b |")
def test_escaped_text_stays_text_in_one_cell(anything: str) -> None:
    """One line, no tag, and each mark that could be markup is after its own backslash."""
    escaped = text.escape(anything)
    assert len(escaped.splitlines()) <= 1
    assert not re.search("[<>]", escaped)
    # Pairs of backslash and mark taken away, no mark is left.
    assert not re.search(r"[\\`*_\[\]|~#$]", re.sub(r"\\[\\`*_\[\]|~#$]", "", escaped))


@given(st.text())
def test_escaped_text_reads_as_it_was(anything: str) -> None:
    """But for white space and what can't be printed, nothing is lost."""
    plain = re.sub(r"\\([\\`*_\[\]|~#$@./])", r"\1", text.escape(anything))
    plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain == text.line(anything)


@given(st.text())
@example("`")
@example("a|b\n`c`")
def test_a_name_in_code_cannot_get_out(anything: str) -> None:
    """Not of its span, not of its cell, not of its line."""
    shown = text.code(anything)
    assert shown.startswith("`")
    assert shown.endswith("`")
    assert shown.count("`") == 2
    assert "|" not in re.sub(r"\\\|", "", shown)
    assert len(shown.splitlines()) == 1
