"""When requests of an open load are due: as often as asked, and like none that know each other."""

from __future__ import annotations

import math
from itertools import chain, islice, pairwise
from statistics import mean, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locustfiles.arrivals import arrivals

S = 1_000_000_000


def seconds(
    kind: str, rate: float, many: int, *, seed: str = "s", part: int = 0, parts: int = 1
) -> list[float]:
    """The first of them, after the beginning."""
    found = arrivals(kind, rate, begin_ns=7 * S, seed=seed, part=part, parts=parts)
    return [(due_ns - 7 * S) / S for due_ns in islice(found, many)]


def test_constant_ones_come_evenly() -> None:
    """The first at once."""
    assert seconds("constant", 4.0, 4) == [0.0, 0.25, 0.5, 0.75]


@given(parts=st.integers(1, 9), rate=st.floats(0.1, 5000))
def test_constant_ones_of_several_processes_are_those_of_one(parts: int, rate: float) -> None:
    """Dealt one by one."""
    each = [seconds("constant", rate, 5, part=part, parts=parts) for part in range(parts)]
    assert sorted(chain(*each)) == seconds("constant", rate, 5 * parts)


@given(parts=st.integers(1, 5), rate=st.floats(1, 5000), seed=st.text(max_size=5))
def test_poisson_ones_have_the_rate_and_exponential_gaps(
    parts: int, rate: float, seed: str
) -> None:
    """Of all processes together: mean and standard deviation of the gaps are 1 / rate.

    Of 4,000 exponential gaps the mean is within 5 standard errors, and so is the deviation.
    """
    each = [
        seconds("poisson", rate, 6000, seed=seed, part=part, parts=parts) for part in range(parts)
    ]
    until = min(one[-1] for one in each)
    merged = [due for due in sorted(chain(*each)) if due <= until][:4000]
    gaps = [later - earlier for earlier, later in pairwise([0.0, *merged])]
    error = 5.0 / math.sqrt(len(gaps))
    assert mean(gaps) * rate == pytest.approx(1.0, abs=error)
    # The variance of an exponential's squared deviation is 8: that of its root a quarter of it.
    assert math.sqrt(pvariance(gaps)) * rate == pytest.approx(1.0, abs=1.5 * error)


def test_a_seed_gives_the_same_ones_again_and_each_process_others() -> None:
    """A trial that is run again has the same load."""
    assert seconds("poisson", 10.0, 9) == seconds("poisson", 10.0, 9)
    assert seconds("poisson", 10.0, 9) != seconds("poisson", 10.0, 9, seed="t")
    one, other = (seconds("poisson", 10.0, 9, part=part, parts=2) for part in range(2))
    assert not {*one} & {*other}
