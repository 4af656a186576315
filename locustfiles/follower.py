"""One of locust's workers: it hears the master, and tells it (`locustfiles.crew`)."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import gevent

from locustfiles import handing, process
from locustfiles.messages import AIM, CLOCK, COUNTED, FREE, LOST_S, PIECE, TAKEN, TOLD
from locustfiles.process import AWAY, PART, PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment
    from locust.rpc.protocol import Message


def follow(environment: Environment, aimed: Callable[[dict[str, Any]], None]) -> None:
    """From now on; ``aimed`` is told where the load goes."""
    runner: Any = environment.runner
    PROCESS.runner = runner

    def aim(msg: Message, **_: object) -> None:
        aimed(msg.data)

    def counted(**_: object) -> None:
        PROCESS.counting = False

    def clock(msg: Message, **_: object) -> None:
        _tell_time(runner, msg)

    runner.register_message(AIM, aim)
    runner.register_message(COUNTED, counted)
    runner.register_message(CLOCK, clock)
    PROCESS.tell = lambda told: runner.send_message(TOLD, {"part": PART, **told})
    if AWAY:
        PROCESS.hand_in = lambda: _hand_in(runner)
        gevent.spawn(_end_if_lost, runner)
    process.tell("here")


def _tell_time(runner: Any, asked: Message) -> None:
    """Answer at once what time it is here."""
    told = {"part": PART, "number": asked.data["number"], "ns": time.monotonic_ns()}
    runner.send_message(CLOCK, told)


def _end_if_lost(runner: Any) -> None:
    """A worker whose master is gone, or whose line is cut, asks nobody any more.

    Locust's own patience is a minute.
    """
    while True:
        gevent.sleep(1.0)
        heard = runner.last_heartbeat_timestamp
        if heard is not None and time.time() - heard > LOST_S:
            os._exit(1)


def _hand_in(runner: Any) -> None:
    """Send this worker's files, then tell the time until the master knows it well enough.

    Locust's own greenlets have ended with the users: the messages are read here, and the
    heartbeats go on by another one.
    """
    heart = gevent.spawn(runner.heartbeat)

    def heard(*kinds: str) -> Message:
        while True:
            found: Message = gevent.with_timeout(LOST_S, runner.client.recv, timeout_value=None)
            if found is None:
                os._exit(1)
            runner.last_heartbeat_timestamp = time.time()
            if found.type == CLOCK:
                _tell_time(runner, found)
            if found.type in kinds:
                return found

    def tell(piece: dict[str, Any]) -> None:
        runner.send_message(PIECE, {"part": PART, **piece})

    try:
        files = [process.FOLDER / name for name in handing.names(PART)]
        handing.send(files, tell, lambda: bool(heard(TAKEN).data["taken"]))
        process.tell("handed in")
        heard(FREE)
    except (OSError, handing.DamagedError) as error:
        process.tell("failed", reason=f"a load generator process can't hand in its files: {error}")
    finally:
        heart.kill(block=False)
