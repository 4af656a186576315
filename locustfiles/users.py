"""Users who ask for one route again and again, and remember every request.

Locust's own statistics round times to two digits, put failures among them and
forget what was still waiting at the stop; so each request is recorded here,
from its start to its end, the ones cut off at the stop included.

The harness starts this process early and opens the gate when the server has
been verified. The users then start one after another (`ramp`); this process
tells how many requests have ended, so that the harness can decide when the
window begins and ends, and stops when it is told to. ``MATRIX_*`` variables say
what to do.
"""

from __future__ import annotations

import json
import os
import sys
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from gevent.socket import wait_read
from geventhttpclient.url import URL
from locust import FastHttpUser, events, task

# The repository's root, so that both sides use one description of the format.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from locustfiles import layout, requests
from locustfiles.ramp import Time, fixed_ramp, following_ramp
from locustfiles.script import Script

if TYPE_CHECKING:
    from locust.env import Environment

FOLDER = Path(os.environ["MATRIX_TRIAL_DIR"])
PATH = os.environ["MATRIX_ROUTE"]  # of one's own application: the name of what is asked
SECRETS = json.loads(os.environ.pop("MATRIX_SECRETS", "{}"))
# Users started a second; without it the ramp follows the cell.
SPAWN_RATE = float(os.environ.get("MATRIX_SPAWN_RATE", "0"))
PHASE = float(os.environ["MATRIX_PHASE"])  # of the start, 0 to 1: another one in each trial
GATE_FD = int(os.environ["MATRIX_GATE_FD"])
EVENTS_FD = int(os.environ["MATRIX_EVENTS_FD"])

# Longer than any trial: a request that a blocked server never answers is
# unfinished, with its age; a time-out would call it a failure and hide that.
NO_TIMEOUT_S = 24 * 3600.0
TICK_S = 0.05
TICKS_A_COUNT = 2
TICKS_A_PROGRESS = 10
MOST_KINDS = 200


class Records:
    """Every request's record, and the failures' names."""

    def __init__(self, path: Path) -> None:
        self.started = 0
        self.ended = 0  # whatever became of them, but for those cut off at the stop
        self.failed = 0  # of these
        self.latest_ns = 0  # how long the last of them took, and when it ended
        self.latest_end_ns = 0
        self._words = array("Q")
        self._file = path.open("wb")
        self._kinds: dict[str, int] = {}

    def add(self, start_ns: int, end_ns: int, outcome: int, user: int, kind: int) -> None:
        """One request that has ended or was cut off."""
        packed = outcome | user << layout.USER_SHIFT | kind << layout.KIND_SHIFT
        self._words.extend((start_ns, end_ns, packed))
        if len(self._words) >= layout.RECORD_WORDS << 16:
            self._flush()

    def kind(self, name: str) -> int:
        """The number of a kind of failure."""
        if name not in self._kinds and len(self._kinds) >= MOST_KINDS:
            name = "other failures"
        return self._kinds.setdefault(name, layout.FIRST_FAILURE + len(self._kinds))

    def close(self) -> dict[str, int]:
        """Write what is left; gives the kinds of failures and their numbers."""
        self._flush()
        self._file.close()
        return self._kinds

    def _flush(self) -> None:
        self._words.tofile(self._file)
        self._words = array("Q")


class State:
    """What this process knows of its own trial."""

    def __init__(self) -> None:
        self.records = Records(FOLDER / "requests.bin")
        self.expected = b""
        self.script: Script | None = None  # what is asked of one's own application
        self.turns: list[Event] = []  # of each user, by number: set when it may begin
        self.ready: list[Event] = []  # of each user: set when it has logged in
        self.workers = 1
        self.least_s = 0.0  # that a request takes at least
        self.counting = True
        self.first_spawn_ns = 0
        self.spawned_ns = 0
        # Of a timer, the generator's own scheduling delay: when it was due, how late it was.
        self.lateness_ns: list[tuple[int, int]] = []


STATE = State()


def tell(event: str, **facts: object) -> None:
    """One line of JSON to the harness."""
    os.write(EVENTS_FD, (json.dumps({"event": event, **facts}) + "\n").encode())


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
        self.number = len(STATE.turns)
        turn, ready = Event(), Event()
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
            tell("failed", reason=f"user {self.number + 1} could not log in: {failure}")

    @task
    def ask(self) -> None:
        """Ask until stopped; a loop here costs less than locust's between tasks."""
        script = STATE.script
        while True:
            if script is not None:
                self.kind, self.asked = script.next(self.values)
            self.ask_once()

    def ask_once(self) -> str | None:
        """One request, recorded whatever becomes of it; gives what is wrong with its answer."""
        records = STATE.records
        outcome = layout.UNFINISHED
        records.started += 1
        start_ns = time.monotonic_ns()
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
                records.ended += 1
                records.failed += outcome != layout.SUCCEEDED
                records.latest_ns, records.latest_end_ns = end_ns - start_ns, end_ns
            records.add(start_ns, end_ns, outcome, self.number, self.kind)
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
def wait_at_the_gate(**_: object) -> None:
    """Everything is imported: say so, and wait until the server has been verified.

    A blocking read on purpose: nothing else is to run here before the gate opens.
    """
    tell("ready")
    if os.read(GATE_FD, 1) != layout.SAY_BEGIN:
        os._exit(1)  # the harness has closed the gate, or is gone
    target = json.loads((FOLDER / "target.json").read_text(encoding="utf-8"))
    if target["plan"] is None:
        STATE.expected = (FOLDER / "expected-body").read_bytes()
    else:
        STATE.script = Script(target["plan"], SECRETS)
    Asker.host = target["url"]
    STATE.least_s, STATE.workers = target["least_s"], target["workers"]


@events.spawning_complete.add_listener
def begin(**_: object) -> None:
    """All users are there, and wait for their turns."""
    if STATE.first_spawn_ns:
        return
    STATE.first_spawn_ns = time.monotonic_ns()
    gevent.spawn(ramp)
    gevent.spawn(keep_time)
    gevent.spawn(obey)


def ramp() -> None:
    """Let the users begin, one after another, once all have logged in."""
    for ready in STATE.ready:
        ready.wait()
    clock = Time(time.monotonic_ns, gevent.sleep)
    if SPAWN_RATE:
        fixed_ramp(STATE.turns, clock, SPAWN_RATE)
    else:
        following_ramp(
            STATE.turns,
            clock,
            STATE.records,
            phase=PHASE,
            least_s=STATE.least_s,
            workers=STATE.workers,
        )
    STATE.spawned_ns = time.monotonic_ns()
    tell(
        "spawned",
        first_spawn_ns=STATE.first_spawn_ns,
        spawned_ns=STATE.spawned_ns,
        ended=STATE.records.ended,
    )


def keep_time() -> None:
    """Tick, note how late each tick is, and tell how many requests have ended."""
    ticks = 0
    while True:
        due_ns = time.monotonic_ns() + int(TICK_S * 1e9)
        gevent.sleep(TICK_S)
        STATE.lateness_ns.append((due_ns, max(0, time.monotonic_ns() - due_ns)))
        ticks += 1
        if STATE.counting and STATE.spawned_ns and ticks % TICKS_A_COUNT == 0:
            tell("count", ns=time.monotonic_ns(), ended=STATE.records.ended)
        if ticks % TICKS_A_PROGRESS == 0:
            tell_progress()


def tell_progress() -> None:
    """For who looks on; nothing is decided by it."""
    records = STATE.records
    tell(
        "progress",
        ns=time.monotonic_ns(),
        started=records.started,
        ended=records.ended,
        failed=records.failed,
    )


def obey() -> None:
    """Do as the harness says: count no more, stop. If it is gone, stop too."""
    while True:
        wait_read(GATE_FD)
        said = os.read(GATE_FD, 1)
        if said == layout.SAY_COUNTED:
            STATE.counting = False
        else:
            break
    tell("stopping", stop_ns=time.monotonic_ns())
    RUNNER.quit()


RUNNER: Any = None


@events.init.add_listener
def remember(environment: Environment, **_: object) -> None:
    """Keep the runner for the stop."""
    global RUNNER  # noqa: PLW0603 - locust gives it to listeners only
    RUNNER = environment.runner


@events.quitting.add_listener
def write_down(environment: Environment, **_: object) -> None:
    """All users have stopped: leave everything on disk, then say so."""
    kinds = STATE.records.close()
    total = environment.stats.total
    summary = {
        "started": STATE.records.started,
        "users": len(STATE.turns),
        "first_spawn_ns": STATE.first_spawn_ns,
        "spawned_ns": STATE.spawned_ns,
        "failure_kinds": {number: name for name, number in kinds.items()},
        "lateness_ns": STATE.lateness_ns,
        # Locust's own view of the same requests, to set beside ours.
        "locust": {
            "requests": total.num_requests,
            "failures": total.num_failures,
            "p50_ms": total.get_response_time_percentile(0.5),
            "p90_ms": total.get_response_time_percentile(0.9),
            "p99_ms": total.get_response_time_percentile(0.99),
        },
    }
    (FOLDER / "generator.json").write_text(json.dumps(summary), encoding="utf-8")
    tell("done")
