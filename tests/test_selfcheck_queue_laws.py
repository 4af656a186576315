"""The laws that capacities are held against, themselves held against what else is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.selfcheck.queue_laws import capacity, percentile_md1, percentile_mm1, wait_md1
from tests.support.queues import served

SERVICE_S = 0.002


@pytest.mark.parametrize("load", [0.05, 0.5, 0.8, 0.9])
def test_even_services_wait_as_pollaczek_and_khinchine_say(load: float) -> None:
    """Nobody waits 1 - rho of the time, and the mean wait is rho / (2 (1 - rho)) services."""
    rate = load / SERVICE_S
    assert wait_md1(0.0, rate, SERVICE_S) == pytest.approx(1 - load)
    step_s = SERVICE_S / 20
    until = np.arange(0.0, 60 * SERVICE_S, step_s)
    beyond = [1.0 - wait_md1(float(at), rate, SERVICE_S) for at in until]
    mean_s = step_s * (sum(beyond) - beyond[0] / 2)
    assert mean_s == pytest.approx(load / (2 * (1 - load)) * SERVICE_S, rel=0.01)


@pytest.mark.parametrize("even", [True, False])
def test_percentiles_are_those_of_simulated_queues(even: bool) -> None:  # noqa: FBT001
    """A million requests of each, at half of its capacity."""
    rng = np.random.default_rng(5)
    many = 1_000_000
    services = np.full(many, SERVICE_S) if even else rng.exponential(SERVICE_S, many)
    _, took_s = served(250.0, services, rng)
    law = percentile_md1 if even else percentile_mm1
    assert law(0.99, 250.0, SERVICE_S) == pytest.approx(float(np.quantile(took_s, 0.99)), rel=0.02)


def test_the_capacity_is_where_the_percentile_is_the_bound() -> None:
    """For exponential services mu - ln 100 / T."""
    found = capacity(percentile_mm1, 0.99, 0.025, SERVICE_S)
    assert found == pytest.approx(500.0 - math.log(100.0) / 0.025)
    found = capacity(percentile_md1, 0.99, 0.025, SERVICE_S)
    assert percentile_md1(0.99, found, SERVICE_S) == pytest.approx(0.025)
