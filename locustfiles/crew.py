"""Several processes with users, led by locust's master: what master and workers tell each other.

The engine is locust's distributed mode: the master counts the workers in, hands out the users and
says when to quit; its statistics are of all of them. Beside it each worker keeps its own records
(`locustfiles.process`) and tells, by messages of one kind, what one process alone tells the
harness. The master adds that up and tells it on, so that the harness hears one generator.

A worker on another machine also hands its files in (`locustfiles.handing`), and before and after
the load the master asks it for its clock (`locustfiles.clocks`).

Handlers are short, or run beside the others, for they hold up the heartbeats by which locust knows
who is alive.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from locustfiles import process
from locustfiles.follower import follow
from locustfiles.leader import Leader

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment

ROLE = os.environ.get("MATRIX_ROLE", "alone")  # alone, master or worker


def take_up(
    environment: Environment,
    aimed: Callable[[dict[str, Any]], None],
    leave: Callable[..., None],
) -> None:
    """Of locust's ``init``: take the part that the harness has given this process.

    Args:
        environment: locust's.
        aimed: told where the load goes, before the first user of this process.
        leave: called when all its users have stopped.
    """
    if ROLE == "master":
        Leader(environment.runner, environment).lead()
        return
    # Only now: locust calls the latest first, and its own tells the master that this one is gone.
    events: Any = environment.events
    events.quitting.add_listener(leave)
    if ROLE == "alone":
        aimed(process.await_gate(environment))
    else:
        follow(environment, aimed)


def leads() -> bool:
    """Whether this process has no users."""
    return ROLE == "master"
