"""Locust's master: it hears the harness and the workers, and has no users (`locustfiles.crew`)."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gevent
import locust.runners
from gevent.event import Event
from gevent.socket import wait_read

from locustfiles import handing, layout, process
from locustfiles.clocks import EXCHANGES, Exchange, offset
from locustfiles.messages import AIM, CLOCK, COUNTED, FREE, LOST_S, PIECE, TAKEN, TOLD
from locustfiles.process import PARTS

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.rpc.protocol import Message
    from locust.runners import MasterRunner

POLL_S = 0.01
WAITING_S = 0.5  # between two words on whom is waited for
TICK_S = 0.1
TICKS_A_PROGRESS = 5
SILENT_S = 5.0  # that a worker here may say nothing while it hands in what it has
LOST_BEATS = 8  # a second each, after which locust takes a worker for gone (its own: 3)


@dataclass(slots=True)
class _Part:
    """What one worker has told."""

    started: int = 0
    ended: int = 0
    failed: int = 0
    spawned: dict[str, Any] | None = None
    done: dict[str, Any] | None = None
    heard_s: float = field(default_factory=time.monotonic)
    client: str | None = None  # locust's name of it, once it has spoken
    # Of one on another machine.
    taker: handing.Taker | None = None
    asked_ns: dict[int, int] = field(default_factory=dict)  # its clock, by the question's number
    exchanges: list[Exchange] = field(default_factory=list)
    answered: Event = field(default_factory=Event)
    clock: list[dict[str, int]] = field(default_factory=list)  # before and after the load

    @property
    def silent_s(self) -> float:
        """For which it may say nothing while it hands in what it has."""
        return SILENT_S if self.taker is None else LOST_S


class Leader:
    """Adds up what the workers tell, and tells it on."""

    def __init__(self, runner: Any, environment: Environment) -> None:
        self.runner: MasterRunner = runner
        self.environment = environment
        self.parts = {number: _Part() for number in range(PARTS)}
        away = json.loads(os.environ.get("MATRIX_AWAY_PARTS", "[]"))
        for number in away:
            self.parts[number].taker = handing.Taker(process.FOLDER, number)
        if away:
            # A line that is cut for two seconds is silent for four: TCP tries ever more rarely.
            locust.runners.HEARTBEAT_LIVENESS = LOST_BEATS
        self.counting = True
        self.spawned = False
        self.stopping = False

    def lead(self) -> None:
        """Until the gate is open: then locust starts the users, and we tell what becomes of them.

        Nothing blocks here: the workers' heartbeats are answered meanwhile.
        """
        self.runner.register_message(TOLD, self.hear)
        self.runner.register_message(CLOCK, self.hear_time)
        self.runner.register_message(PIECE, self.take, concurrent=True)
        told_s = time.monotonic()
        while len(self.runner.clients.ready) < PARTS or self.awaited():
            gevent.sleep(POLL_S)
            if time.monotonic() - told_s > WAITING_S:
                told_s = time.monotonic()
                process.tell("waiting", parts=self.awaited())
        gevent.joinall([gevent.spawn(self.ask_time, part) for part in self.away()])
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

    def awaited(self) -> list[int]:
        """Workers that have not come yet."""
        return [number for number, part in self.parts.items() if part.client is None]

    def hear(self, msg: Message, **_: object) -> None:
        """One worker tells."""
        told = msg.data
        part = self.parts[told["part"]]
        part.heard_s = time.monotonic()
        match told["event"]:
            case "here":
                part.client = msg.node_id
            case "handed in":
                gevent.spawn(self.let_go, part)
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

    def away(self) -> list[_Part]:
        """Those on other machines."""
        return [part for part in self.parts.values() if part.taker is not None]

    def ask_time(self, part: _Part) -> None:
        """Ask for a worker's clock again and again; one that is gone doesn't answer."""
        part.exchanges.clear()
        for number in range(EXCHANGES):
            part.answered.clear()
            part.asked_ns = {number: time.monotonic_ns()}
            self.runner.send_message(CLOCK, {"number": number}, part.client)
            if not part.answered.wait(SILENT_S):
                return
        found = offset(part.exchanges)
        part.clock.append(
            {
                "offset_ns": found.offset_ns,
                "bound_ns": found.bound_ns,
                "at_ns": found.at_ns,
                "exchanges": len(part.exchanges),
            }
        )

    def hear_time(self, msg: Message, **_: object) -> None:
        """A worker's clock, of the question that is open."""
        heard_ns = time.monotonic_ns()
        part = self.parts[msg.data["part"]]
        part.heard_s = time.monotonic()
        asked_ns = part.asked_ns.pop(msg.data["number"], None)
        if asked_ns is not None:
            part.exchanges.append((asked_ns, msg.data["ns"], heard_ns))
            part.answered.set()

    def take(self, msg: Message, **_: object) -> None:
        """A piece of a worker's file."""
        part = self.parts[msg.data["part"]]
        part.heard_s = time.monotonic()
        if part.taker is None:
            return
        try:
            taken = part.taker.take(msg.data)
        except OSError as error:
            told = f"no room for the records of a load generator process: {error.strerror}"
            process.tell("failed", reason=told)
            return
        self.runner.send_message(TAKEN, {"taken": taken}, msg.node_id)

    def let_go(self, part: _Part) -> None:
        """All its files are there: once more its clock, then it may end."""
        self.ask_time(part)
        self.runner.send_message(FREE, {}, part.client)

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
            if gone := {one.id for one in self.runner.clients.missing}:
                numbers = [at + 1 for at, part in self.parts.items() if part.client in gone]
                told = "gives" if len(numbers) == 1 else "give"
                who = f"load generator process {' and '.join(map(str, numbers))}"
                process.tell("failed", reason=f"{who} {told} no sign of life")
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
                if part.done is None and time.monotonic() - part.heard_s > part.silent_s
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
            "clocks": {
                number: part.clock for number, part in self.parts.items() if part.taker is not None
            },
        }
        (process.FOLDER / "generator.json").write_text(json.dumps(summary), encoding="utf-8")
        process.tell("done")
