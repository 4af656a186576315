"""Which numbers can have been measured."""

from __future__ import annotations

import pytest

from bench.records.bounds import implausible
from tests.support.records import measured, trial


@pytest.mark.parametrize("value", [0, -0.0, 1, -1, True, 5e-17, 1e-50, 1e19, -1e19, 2**63, "1e400"])
def test_what_can_be_reckoned_with_is_plausible(value: object) -> None:
    """Up to the limits themselves; texts are no numbers."""
    assert implausible({"a": [value, None]}) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1e-51, "1e-51"),
        (5e-324, "4.94066e-324"),
        (1.1e19, "1.1e+19"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**400, "a whole number of over 19 digits"),
    ],
)
def test_what_cannot_is_named_with_its_place(value: float, said: str) -> None:
    """Wherever it stands, in a record or in a text's mapping."""
    told = f"found {said}, allowed: 0, or a size of 1e-50 to 1e19"
    assert implausible({"a": [0, value]}) == f"a.1: {told}"
    record = trial(measured=measured(rss_mb=value))
    assert implausible(record) == f"measured.signals.rss_mb: {told}"
