"""Several processes with users, led by locust's master: what master and workers tell each other.

The engine is locust's distributed mode: the master counts the workers in, hands out the users and
says when to quit; its statistics are of all of them. Beside it each worker keeps its own records
(`locustfiles.process`) and tells, by messages of one kind, what one process alone tells the
harness. The master adds that up and tells it on, so that the harness hears one generator.

Handlers are short, for they hold up the heartbeats by which locust knows who is alive.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gevent
from gevent.socket import wait_read

from locustfiles import layout, process
from locustfiles.process import PART, PARTS, PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment
    from locust.rpc.protocol import Message
    from locust.runners import MasterRunner

ROLE = os.environ.get("MATRIX_ROLE", "alone")  # alone, master or worker
# Kinds of messages.
AIM, COUNTED, TOLD = "matrix_aim", "matrix_counted", "matrix_told"

POLL_S = 0.01
TICK_S = 0.1
TICKS_A_PROGRESS = 5
SILENT_S = 5.0  # that a worker may say nothing while it hands in what it has


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
        _Master(environment.runner, environment).lead()
        return
    # Only now: locust calls the latest first, and its own tells the master that this one is gone.
    events: Any = environment.events
    events.quitting.add_listener(leave)
    if ROLE == "alone":
        aimed(process.await_gate(environment))
    else:
        _follow(environment, aimed)


def leads() -> bool:
    """Whether this process has no users."""
    return ROLE == "master"


def _follow(environment: Environment, aimed: Callable[[dict[str, Any]], None]) -> None:
    """One of the workers: it hears the master, and tells it."""
    runner: Any = environment.runner
    PROCESS.runner = runner

    def aim(msg: Message, **_: object) -> None:
        aimed(msg.data)

    def counted(**_: object) -> None:
        PROCESS.counting = False

    runner.register_message(AIM, aim)
    runner.register_message(COUNTED, counted)
    PROCESS.tell = lambda told: runner.send_message(TOLD, {"part": PART, **told})


@dataclass(slots=True)
class _Part:
    """What one worker has told."""

    started: int = 0
    ended: int = 0
    failed: int = 0
    spawned: dict[str, Any] | None = None
    done: dict[str, Any] | None = None
    heard_s: float = field(default_factory=time.monotonic)


class _Master:
    """Hears the harness and the workers; has no users."""

    def __init__(self, runner: Any, environment: Environment) -> None:
        self.runner: MasterRunner = runner
        self.environment = environment
        self.parts = {number: _Part() for number in range(PARTS)}
        self.counting = True
        self.spawned = False
        self.stopping = False

    def lead(self) -> None:
        """Until the gate is open: then locust starts the users, and we tell what becomes of them.

        Nothing blocks here: the workers' heartbeats are answered meanwhile.
        """
        self.runner.register_message(TOLD, self.hear)
        while len(self.runner.clients.ready) < PARTS:
            gevent.sleep(POLL_S)
        process.tell("ready")
        wait_read(process.GATE_FD)
        if os.read(process.GATE_FD, 1) != layout.SAY_BEGIN:
            os._exit(1)  # the harness has closed the gate, or is gone
        target = process.read_aim()
        self.environment.host = target["url"]
        self.runner.send_message(AIM, target)
        # Who comes now takes users from the others.
        events: Any = self.environment.events
        events.worker_connect.add_listener(self.came)
        gevent.spawn(self.tick)
        gevent.spawn(self.obey)

    def hear(self, msg: Message, **_: object) -> None:
        """One worker tells."""
        told = msg.data
        part = self.parts[told["part"]]
        part.heard_s = time.monotonic()
        match told["event"]:
            case "spawned":
                part.spawned = told
                part.started, part.ended = told["started"], told["ended"]
            case "count":
                part.started, part.ended = told["started"], told["ended"]
            case "progress":
                part.started, part.ended = told["started"], told["ended"]
                part.failed = told["failed"]
            case "failed" | "overloaded":
                process.tell(**{key: value for key, value in told.items() if key != "part"})
            case "done":
                part.done = told

    def came(self, **_: object) -> None:
        """A worker that comes when the users are there already, or comes back.

        Locust's name of it begins with the machine's, which is no matter of a record.
        """
        reason = "a load generator process came when the users were there already, or came back"
        process.tell("failed", reason=reason)

    def tick(self) -> None:
        """Tell what all workers together have told; their counts are up to a tick old."""
        ticks = 0
        while not self.stopping:
            gevent.sleep(TICK_S)
            ticks += 1
            if gone := self.runner.clients.missing:
                reason = f"{len(gone)} of {PARTS} load generator processes give no sign of life"
                process.tell("failed", reason=reason)
            spawned = [part.spawned for part in self.parts.values() if part.spawned is not None]
            if len(spawned) == PARTS and not self.spawned:
                self.spawned = True
                process.tell(
                    "spawned",
                    first_spawn_ns=min(one["first_spawn_ns"] for one in spawned),
                    spawned_ns=time.monotonic_ns(),
                    started=self.sum("started"),
                    ended=self.sum("ended"),
                )
            elif self.spawned and self.counting:
                counts = {name: self.sum(name) for name in ("started", "ended")}
                process.tell("count", ns=time.monotonic_ns(), **counts)
            if ticks % TICKS_A_PROGRESS == 0:
                counts = {name: self.sum(name) for name in ("started", "ended", "failed")}
                process.tell("progress", ns=time.monotonic_ns(), **counts)

    def sum(self, name: str) -> int:
        """Of a count, over all workers."""
        return sum(getattr(part, name) for part in self.parts.values())

    def obey(self) -> None:
        """Do as the harness says: count no more, stop. If it is gone, stop too."""
        while True:
            wait_read(process.GATE_FD)
            if os.read(process.GATE_FD, 1) != layout.SAY_COUNTED:
                break
            self.counting = False
            self.runner.send_message(COUNTED)
        self.stopping = True
        process.tell("stopping", stop_ns=time.monotonic_ns())
        # What locust's own quit does, less its half a second. Before: else, as one worker leaves,
        # its users are given to the others.
        self.runner.stop(send_stop_to_client=False)
        self.runner.send_message("quit")
        self.gather()
        self.runner.quit()

    def gather(self) -> None:
        """Wait for all workers' records, then write down what is known of them together.

        Locust's own wait for the last statistics is half a second, whatever is still under way;
        each worker tells that it is done after it has sent its last.
        """
        for part in self.parts.values():
            part.heard_s = time.monotonic()
        while any(part.done is None for part in self.parts.values()):
            gevent.sleep(POLL_S)
            silent = [
                number
                for number, part in self.parts.items()
                if part.done is None and time.monotonic() - part.heard_s > SILENT_S
            ]
            if silent:
                told = f"load generator process {silent[0] + 1} did not hand in its records"
                process.tell("failed", reason=told)
                return
        done = [part.done for part in self.parts.values() if part.done is not None]
        summary = {
            "parts": PARTS,
            "started": sum(one["started"] for one in done),
            "recorded": sum(one["recorded"] for one in done),
            "locust": process.locusts_view(self.environment),
        }
        (process.FOLDER / "generator.json").write_text(json.dumps(summary), encoding="utf-8")
        process.tell("done")
