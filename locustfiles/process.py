"""One process of the load generator, whoever its users are: counts, records, stop.

The harness starts the generator early and opens the gate when the server has been verified. The
generator tells how many requests have ended, so that the harness can decide when the window begins
and ends, and stops when it is told to. ``MATRIX_*`` variables say what to do.

Where one process is the whole generator it hears and tells the harness itself; one of several does
so through locust's master (`locustfiles.crew`).
"""

from __future__ import annotations

import json
import os
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.socket import wait_read

from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment

FOLDER = Path(os.environ["MATRIX_TRIAL_DIR"])
GATE_FD = int(os.environ.get("MATRIX_GATE_FD", "-1"))
EVENTS_FD = int(os.environ.get("MATRIX_EVENTS_FD", "-1"))
# Which of how many processes with users this is; the master of several is none of them.
PARTS = int(os.environ.get("MATRIX_PARTS", "1"))
PART = int(os.environ.get("MATRIX_PART", "0"))
# On another machine than the master: its folder is no one's but its own, and so is its clock.
AWAY = bool(os.environ.get("MATRIX_AWAY"))
SEVERAL = PARTS > 1 or AWAY  # locust's master leads them

TICK_S = 0.05
TICKS_A_COUNT = 2
TICKS_A_PROGRESS = 10
MOST_KINDS = 200


class Records:
    """Every request's record, and the failures' names."""

    def __init__(self, path: Path) -> None:
        self.started = 0
        self.recorded = 0
        self.ended = 0  # whatever became of them, but for those cut off at the stop
        self.failed = 0  # of these
        self.latest_ns = 0  # how long the last of them took, and when it ended
        self.latest_end_ns = 0
        self.record_words = layout.RECORD_WORDS
        self.path = path
        self._words = array("Q")
        self._kinds: dict[str, int] = {}

    def count(self, took_ns: int, end_ns: int, *, failed: bool) -> None:
        """One that has ended."""
        self.ended += 1
        self.failed += failed
        self.latest_ns, self.latest_end_ns = took_ns, end_ns

    def add(
        self,
        start_ns: int,
        end_ns: int,
        outcome: int,
        user: int,
        kind: int,
        sent_ns: int | None = None,
    ) -> None:
        """One request that has ended or was cut off; all of an open load have a ``sent_ns``."""
        packed = outcome | user << layout.USER_SHIFT | kind << layout.KIND_SHIFT
        self._words.extend((start_ns, end_ns, packed))
        if sent_ns is not None:
            self._words.append(sent_ns)
            self.record_words = layout.OPEN_WORDS
        self.recorded += 1
        if len(self._words) >= layout.OPEN_WORDS << 16:
            self._flush()

    def kind(self, name: str) -> int:
        """The number of a kind of failure."""
        if name not in self._kinds and len(self._kinds) >= MOST_KINDS:
            name = "other failures"
        return self._kinds.setdefault(name, layout.FIRST_FAILURE + len(self._kinds))

    def close(self) -> dict[str, int]:
        """Write what is left; gives the kinds of failures and their numbers."""
        self._flush()
        return self._kinds

    def _flush(self) -> None:
        words, self._words = self._words, array("Q")
        try:
            with self.path.open("ab") as file:
                words.tofile(file)
        except OSError as error:
            tell("failed", reason=f"the load generator can't write {self.path.name}: {error}")


class Process:
    """What this process knows of its own trial."""

    def __init__(self) -> None:
        name = f"requests-{PART}.bin" if SEVERAL else "requests.bin"
        self.records = Records(FOLDER / name)
        self.counting = True
        self.users = 0
        self.first_spawn_ns = 0
        self.spawned_ns = 0
        # Of a timer, the generator's own scheduling delay: when it was due, how late it was.
        self.lateness_ns: list[tuple[int, int]] = []
        self.runner: Any = None  # locust's, for the stop
        # When, CPU seconds of this process, seconds in which it could run but had no core: the
        # harness can't look at a process on another machine.
        self.usage: list[tuple[int, float, float]] = []
        self.tell: Callable[[dict[str, Any]], None] = by_pipe
        self.hand_in: Callable[[], None] = lambda: None  # its files, where the harness has them not


def by_pipe(told: dict[str, Any]) -> None:
    """One line of JSON to the harness."""
    os.write(EVENTS_FD, (json.dumps(told) + "\n").encode())


PROCESS = Process()


def tell(event: str, **facts: object) -> None:
    """The harness, or of several processes their master."""
    PROCESS.tell({"event": event, **facts})


def read_aim() -> dict[str, Any]:
    """Where the load goes, and what the right answer is, as the harness has written it down."""
    target: dict[str, Any] = json.loads((FOLDER / "target.json").read_text(encoding="utf-8"))
    expected = FOLDER / "expected-body"
    return target | {"expected": expected.read_bytes() if expected.is_file() else b""}


def await_gate(environment: Environment) -> dict[str, Any]:
    """Everything is imported: say so, and wait until the server has been verified; gives where.

    A blocking read on purpose: nothing else is to run here before the gate opens.
    """
    PROCESS.runner = environment.runner
    tell("ready")
    if os.read(GATE_FD, 1) != layout.SAY_BEGIN:
        os._exit(1)  # the harness has closed the gate, or is gone
    return read_aim()


def begin(users: int) -> None:
    """The users begin: from now on time is kept, and the harness obeyed."""
    PROCESS.users = users
    PROCESS.first_spawn_ns = time.monotonic_ns()
    gevent.spawn(_keep_time)
    if not SEVERAL:
        gevent.spawn(_obey)


def all_there() -> None:
    """The last user has begun."""
    PROCESS.spawned_ns = time.monotonic_ns()
    tell(
        "spawned",
        first_spawn_ns=PROCESS.first_spawn_ns,
        spawned_ns=PROCESS.spawned_ns,
        started=PROCESS.records.started,
        ended=PROCESS.records.ended,
    )


def _keep_time() -> None:
    """Tick, note how late each tick is, and tell how many requests have ended."""
    ticks = 0
    while True:
        due_ns = time.monotonic_ns() + int(TICK_S * 1e9)
        gevent.sleep(TICK_S)
        PROCESS.lateness_ns.append((due_ns, max(0, time.monotonic_ns() - due_ns)))
        ticks += 1
        if AWAY and ticks % TICKS_A_COUNT == 0:
            PROCESS.usage.append((time.monotonic_ns(), time.process_time(), _waited_s()))
        if PROCESS.counting and PROCESS.spawned_ns and ticks % TICKS_A_COUNT == 0:
            records = PROCESS.records
            now_ns = time.monotonic_ns()
            tell("count", ns=now_ns, started=records.started, ended=records.ended)
        if ticks % TICKS_A_PROGRESS == 0:
            _tell_progress()


def _waited_s() -> float:
    """Seconds that this process's threads could run but had no core; -1 where nobody tells."""
    try:
        threads = Path("/proc/self/task").iterdir()
        texts = [(one / "schedstat").read_text() for one in threads]
        return sum(int(text.split()[1]) for text in texts) / 1e9
    except (OSError, ValueError, IndexError):
        return -1.0


def _tell_progress() -> None:
    """For who looks on; nothing is decided by it."""
    records = PROCESS.records
    tell(
        "progress",
        ns=time.monotonic_ns(),
        started=records.started,
        ended=records.ended,
        failed=records.failed,
    )


def _obey() -> None:
    """Do as the harness says: count no more, stop. If it is gone, stop too."""
    while True:
        wait_read(GATE_FD)
        said = os.read(GATE_FD, 1)
        if said == layout.SAY_COUNTED:
            PROCESS.counting = False
        else:
            break
    tell("stopping", stop_ns=time.monotonic_ns())
    PROCESS.runner.quit()


def write_down(environment: Environment, **facts: object) -> None:
    """All users have stopped: leave everything on disk, then say so."""
    records = PROCESS.records
    kinds = records.close()
    summary = {
        "started": records.started,
        "users": PROCESS.users,
        "record_words": records.record_words,
        "first_spawn_ns": PROCESS.first_spawn_ns,
        "spawned_ns": PROCESS.spawned_ns,
        "failure_kinds": {number: name for name, number in kinds.items()},
        "lateness_ns": PROCESS.lateness_ns,
        "usage": PROCESS.usage,
        # Of several processes only their master has locust's own view.
        "locust": {} if SEVERAL else locusts_view(environment),
        **facts,
    }
    name = f"generator-{PART}.json" if SEVERAL else "generator.json"
    try:
        (FOLDER / name).write_text(json.dumps(summary), encoding="utf-8")
    except OSError as error:
        tell("failed", reason=f"the load generator can't write {name}: {error.strerror}")
    PROCESS.hand_in()
    tell("done", started=records.started, recorded=records.recorded)


def locusts_view(environment: Environment) -> dict[str, float | None]:
    """Its own statistics of the same requests, to set beside ours."""
    total = environment.stats.total
    return {
        "requests": total.num_requests,
        "failures": total.num_failures,
        "p50_ms": total.get_response_time_percentile(0.5),
        "p90_ms": total.get_response_time_percentile(0.9),
        "p99_ms": total.get_response_time_percentile(0.99),
    }
