"""What may be asked of a capacity."""

from __future__ import annotations

import pytest

from bench.capacity.slo import Slo, parse
from bench.errors import BadInputError


def test_percentiles_and_errors() -> None:
    """The share that may be bad, and what makes one so."""
    assert parse(("p99<250ms", " errors < 0.1% ", "p99<250ms", "p99.9<2s")) == (
        Slo("p99<250ms", 0.01, 0.25),
        Slo("errors<0.1%", 0.001, None),
        Slo("p99.9<2s", 0.001, 2.0),
    )


@pytest.mark.parametrize(("share", "clean"), [("0.1%", 2995), ("1%", 299), ("10%", 29)])
def test_how_many_clean_requests_show_it(share: str, clean: int) -> None:
    """The rule of three, exactly."""
    (slo,) = parse((f"errors<{share}",))
    assert slo.clean == clean


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ((), "--slo: found none"),
        (("p98<1s",), "--slo: found p98<1s, allowed: one of p50, p90, p95, p99, p99.9, errors"),
        (("p99>1s",), "allowed: one of"),
        (("p99<250",), "allowed: a number with a unit such as 500ms"),
        (("p99<0ms",), "allowed: 1ms to 60s"),
        (("p99<2m",), "allowed: 1ms to 60s"),
        (("errors<1",), "allowed: a percentage such as 10%"),
        (("errors<0%",), "allowed: 0.0001% to under 100%"),
        (("errors<100%",), "allowed: 0.0001% to under 100%"),
    ],
)
def test_what_is_none_is_refused(texts: tuple[str, ...], told: str) -> None:
    """With what is allowed."""
    with pytest.raises(BadInputError) as refused:
        parse(texts)
    assert told in str(refused.value)
