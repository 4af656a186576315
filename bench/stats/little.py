"""Little's law: the mean latency of a closed loop, whatever was cut off at the window's ends."""

from __future__ import annotations


def mean_by_little_ms(users: int, throughput_rps: float) -> float | None:
    """Mean latency in ms: users over throughput, since no user ever pauses.

    L = lambda W (Little, "A proof for the queuing formula L = lambda W", Operations Research 9,
    1961), with every user always in the system. Holds for every order of service and needs no
    request to be followed to its end.

    Args:
        users: the users of the closed loop.
        throughput_rps: requests that left per second.

    Returns:
        None where nothing was completed: the mean has no bound then.

    Raises:
        ValueError: users is below 1, or the throughput negative or not a number.
    """
    if users < 1:
        raise ValueError(f"users is {users}, must be at least 1")
    if not throughput_rps >= 0:
        raise ValueError(f"throughput_rps is {throughput_rps}, must be 0 or more")
    if throughput_rps == 0:
        return None
    return 1000.0 * users / throughput_rps


def little_disagrees(
    measured_ms: float | None, little_ms: float | None, tolerance: float = 0.10
) -> bool:
    """Whether the measured mean is off Little's by more than this share of Little's.

    It then misleads: the warm-up was too short, or some users starve while others are served.
    False where either is unknown: nothing is claimed then that could be doubted.
    """
    if measured_ms is None or little_ms is None:
        return False
    return abs(measured_ms - little_ms) > tolerance * little_ms
