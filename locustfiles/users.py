"""Users who ask for one route again and again, and remember every request.

Locust's own statistics round times to two digits, put failures among them and
forget what was still waiting at the stop; so each request is recorded here,
from its start to its end, the ones cut off at the stop included.

The users start one after another (`ramp`) once the gate is open (`process`), and each asks again as
soon as it is answered. Of an open load they are what requests can be in flight with: each waits
until one is due (`arrivals`), and the requests' times count from when they were due. ``MATRIX_*``
variables say what to do.
"""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from geventhttpclient.url import URL
from locust import FastHttpUser, events, task

# The repository's root, so that both sides use one description of the format.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from locustfiles import crew, layout, process, requests
from locustfiles.alarm import Alarm
from locustfiles.arrivals import arrivals
from locustfiles.process import PART, PARTS, PROCESS
from locustfiles.ramp import Part, Time, fixed_ramp, following_ramp
from locustfiles.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from locust.env import Environment

PATH = os.environ["MATRIX_ROUTE"]  # of one's own application: the name of what is asked
SECRETS = json.loads(os.environ.pop("MATRIX_SECRETS", "{}"))
# Users started a second; without it the ramp follows the cell.
SPAWN_RATE = float(os.environ.get("MATRIX_SPAWN_RATE", "0"))
PHASE = float(os.environ["MATRIX_PHASE"])  # of the start, 0 to 1: another one in each trial
# Of an open load: rate, kind of arrivals, seed; none: a closed one.
OPEN = json.loads(os.environ.get("MATRIX_OPEN", "null"))

# Longer than any trial: a request that a blocked server never answers is
# unfinished, with its age; a time-out would call it a failure and hide that.
NO_TIMEOUT_S = 24 * 3600.0


class State:
    """What the users have in common."""

    def __init__(self) -> None:
        self.expected = b""
        self.script: Script | None = None  # what is asked of one's own application
        self.turns: list[Event] = []  # of each user, by number: set when it may begin
        self.ready: list[Event] = []  # of each user: set when it has logged in
        self.workers = 1
        self.least_s = 0.0  # that a request takes at least
        # Of an open load.
        self.idle: list[Asker] = []  # the last one answered is asked next: its connection is warm
        self.due: Iterator[int] = iter(())  # when further requests are due, ns
        self.next_ns = 0  # and the one that is waited for
        self.stopped_ns = 0


STATE = State()


class Asker(FastHttpUser):
    """Asks without a pause; checks status and body; follows no redirect.

    It uses the connection below FastHttpUser's session: the session's request
    (URL, context, headers, response objects) costs the generator 300 µs, the
    connection's 140 µs, and the generator must not be what is measured.
    Locust's own statistics are told of each request all the same.
    """

    network_timeout = NO_TIMEOUT_S
    connection_timeout = NO_TIMEOUT_S
    max_retries = 0
    concurrency = 1

    def on_start(self) -> None:
        """Take a number and a connection, and wait for one's turn."""
        self.number = len(STATE.turns) * PARTS + PART
        turn, ready = Event(), Event()
        self.called, self.due_ns = turn, 0  # of an open load: when what it is called for was due
        STATE.turns.append(turn)
        STATE.ready.append(ready)
        self.values = dict(SECRETS)
        self.kind = 0
        self.asked = requests.Asked("GET", PATH, {}, b"")
        address = URL(f"{self.host}{PATH if STATE.script is None else '/'}")
        self.connection = self.client.client.clientpool.get_client(address)
        if STATE.script is not None and STATE.script.login is not None:
            self.log_in(STATE.script.login)
        ready.set()
        turn.wait()

    def log_in(self, login: dict[str, Any]) -> None:
        """Take what the login gives; without it there is no such user, and no trial."""
        self.kind, self.asked = layout.LOGIN, requests.variant(login, 0, SECRETS)
        failure = self.ask_once()
        if failure is None:
            try:
                self.values |= requests.taken(self.body, login["take"])
            except requests.LackingError as lacking:
                failure = str(lacking)
        if failure is not None:
            process.tell("failed", reason=f"user {self.number + 1} could not log in: {failure}")

    @task
    def ask(self) -> None:
        """Ask until stopped; a loop here costs less than locust's between tasks."""
        script = STATE.script
        while True:
            if OPEN is not None:
                self.await_call()
            if script is not None:
                self.kind, self.asked = script.next(self.values)
            self.ask_once()

    def await_call(self) -> None:
        """Until a request is due and this user is to make it; one called too late never does."""
        self.called.clear()
        STATE.idle.append(self)
        try:
            self.called.wait()
        except gevent.GreenletExit:
            if self.due_ns:
                unsent(self.due_ns)
            raise

    def ask_once(self) -> str | None:
        """One request, recorded whatever becomes of it; gives what is wrong with its answer."""
        records = PROCESS.records
        outcome = layout.UNFINISHED
        records.started += 1
        sent_ns = time.monotonic_ns()
        start_ns, self.due_ns = self.due_ns or sent_ns, 0
        try:
            failure = self.failure()
            end_ns = time.monotonic_ns()
            outcome = layout.SUCCEEDED if failure is None else records.kind(failure)
        finally:
            # GreenletExit at the stop comes through here with the outcome
            # still "unfinished".
            if outcome == layout.UNFINISHED:
                end_ns = time.monotonic_ns()
            else:
                records.count(end_ns - start_ns, end_ns, failed=outcome != layout.SUCCEEDED)
            if OPEN is None:
                records.add(start_ns, end_ns, outcome, self.number, self.kind)
            else:
                records.add(start_ns, end_ns, outcome, self.number, self.kind, sent_ns)
        self.environment.events.request.fire(
            request_type=self.asked.method,
            name=PATH,
            response_time=(end_ns - start_ns) / 1e6,
            response_length=len(self.body),
            exception=None if failure is None else RuntimeError(failure),
            context={},
            response=None,
        )
        return failure

    def failure(self) -> str | None:
        """Ask, and say what is wrong with the answer in few and general words; None: nothing."""
        asked = self.asked
        self.body = b""
        try:
            response = self.connection.request(
                asked.method, asked.target, asked.body, asked.headers
            )
            self.body = body = response.read()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failed request
            return type(error).__name__
        status = response.status_code
        if STATE.script is not None:
            return STATE.script.wrong(self.kind, status, body)
        if 300 <= status < 400:
            return layout.redirect(status)
        if status != 200:
            return f"HTTP {status}"
        return None if body == STATE.expected else layout.WRONG_BODY


@events.init.add_listener
def take_up(environment: Environment, **_: object) -> None:
    """Everything is imported: wait for the server."""
    crew.take_up(environment, aim, leave)


def aim(target: dict[str, Any]) -> None:
    """The server has been verified."""
    if target["plan"] is None:
        STATE.expected = target["expected"]
    else:
        STATE.script = Script(target["plan"], SECRETS)
    Asker.host = target["url"]
    STATE.least_s, STATE.workers = target["least_s"], target["workers"]


@events.spawning_complete.add_listener
def begin(**_: object) -> None:
    """All users are there, and wait for their turns."""
    if PROCESS.first_spawn_ns or crew.leads():
        return
    process.begin(len(STATE.turns))
    gevent.spawn(ramp)


def ramp() -> None:
    """Let the users begin, one after another, once all have logged in."""
    for ready in STATE.ready:
        ready.wait()
    if OPEN is not None:
        for turn in STATE.turns:
            turn.set()
        while len(STATE.idle) < len(STATE.turns):
            gevent.sleep(0)
        process.all_there()
        dispatch()
        return
    clock = Time(time.monotonic_ns, gevent.sleep)
    part = Part(PART, PARTS)
    if SPAWN_RATE:
        fixed_ramp(STATE.turns, clock, SPAWN_RATE, part)
    else:
        following_ramp(
            STATE.turns,
            clock,
            PROCESS.records,
            phase=PHASE,
            least_s=STATE.least_s,
            workers=STATE.workers,
            part=part,
        )
    process.all_there()


def dispatch() -> None:
    """Call a user for each request when it is due; where none is left, the trial is over."""
    alarm = Alarm()
    STATE.due = arrivals(
        OPEN["arrivals"],
        OPEN["rate"],
        begin_ns=time.monotonic_ns(),
        seed=OPEN["seed"],
        part=PART,
        parts=PARTS,
    )
    while True:
        STATE.next_ns = next(STATE.due)
        alarm.sleep_until(STATE.next_ns)
        if STATE.stopped_ns:
            return
        if not STATE.idle:
            process.tell("overloaded")
            return
        user = STATE.idle.pop()
        user.due_ns = STATE.next_ns
        user.called.set()


def unsent(due_ns: int) -> None:
    """A request that was due and never sent: as unfinished as one that was cut off."""
    records = PROCESS.records
    records.started += 1
    end_ns = max(due_ns, STATE.stopped_ns)
    records.add(due_ns, end_ns, layout.UNFINISHED, 0, 0, sent_ns=0)


@events.test_stopping.add_listener
def stop(**_: object) -> None:
    """Before the first user is stopped."""
    STATE.stopped_ns = time.monotonic_ns()


def leave(environment: Environment, **_: object) -> None:
    """All users have stopped."""
    if OPEN is not None and STATE.next_ns:
        for due_ns in chain((STATE.next_ns,), STATE.due):
            if due_ns >= STATE.stopped_ns:
                break
            unsent(due_ns)
    process.write_down(environment)
