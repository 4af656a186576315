"""Trial folders made from plain Python values, in the very form that a trial leaves them.

``write_trial(folder)`` alone gives a whole, dull trial: a window of one second with nothing in
it. Each argument replaces one of its parts; the other functions write one file each.
"""

from __future__ import annotations

import gzip
import json
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.probe import layout as probe
from bench.config import Profile
from bench.records.trial_files import (
    TRIAL_FACTS,
    InFlight,
    Overshoot,
    TrialFacts,
    UpstreamCounts,
    to_json,
)
from locustfiles import layout as request_layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MS = 1_000_000
S = 1_000 * MS
GATE = 40 * S
T0 = 50 * S
GENERATOR = 21  # its process
T1 = T0 + S
PROFILE = Profile("tiny", users=4, delay_s=0.25, rounds=1)
HEARTBEAT_NS = 50 * MS


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the generator saw it."""

    start_ns: int
    end_ns: int
    outcome: int = request_layout.SUCCEEDED
    user: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One handler call as a worker's thread log has it; ``end_ns`` 0: it had not returned."""

    start_ns: int
    end_ns: int = 0
    thread: int = 7
    alive: int = 1
    route: int = 0


def page(
    *,
    pid: int = 100,
    heartbeat_ns: int = 0,
    held_ns: int = 0,
    pool: tuple[int, int, int] = (40, 0, 0),
    started: int | Sequence[int] = 0,
    finished: int | Sequence[int] = 0,
    queued: Sequence[int] = (),
    dequeued: Sequence[int] = (),
    threads: tuple[int, int] = (1, 1),
    lost: int = 0,
    executor: tuple[int, int] = (0, 0),
    begun: bool = True,
) -> list[int]:
    """A gauge page's words.

    Args:
        pid: the worker's process id.
        heartbeat_ns: when the loop last ran the probe's timer.
        held_ns: for how long the loop has been held up.
        pool: the pool's size, its busy threads, tasks waiting.
        started: when requests entered the application; a number alone: so many, all in the
            machine's first nanosecond.
        finished: when they left it, likewise.
        queued: when tasks began to wait for a thread.
        dequeued: when they no longer did.
        threads: alive now, and ever seen.
        lost: handler calls that the log had no room for.
        executor: threads of executors, and tasks waiting for one.
        begun: whether the heart has beaten at all.
    """
    words = [0] * probe.GAUGE_WORDS
    words[probe.G_MAGIC] = probe.GAUGE_MAGIC if begun else 0
    words[probe.G_PID] = pid
    words[probe.G_HEARTBEAT_NS] = heartbeat_ns
    words[probe.G_INTERVAL_NS] = HEARTBEAT_NS
    words[probe.G_HELD_NS] = held_ns
    words[probe.G_POOL_SIZE], words[probe.G_POOL_BUSY], words[probe.G_POOL_WAITING] = pool
    for counter, instants in (
        (probe.G_STARTED, started),
        (probe.G_FINISHED, finished),
        (probe.G_QUEUED, queued),
        (probe.G_DEQUEUED, dequeued),
    ):
        counted = [1] * instants if isinstance(instants, int) else instants
        words[counter], words[counter + 1] = len(counted), sum(counted) & probe.SUM_MASK
    words[probe.G_THREADS_ALIVE], words[probe.G_THREADS_SEEN] = threads
    words[probe.G_LOG_LOST] = lost
    words[probe.G_EXECUTOR_THREADS], words[probe.G_EXECUTOR_WAITING] = executor
    return words


def look(
    ns: int,
    *,
    gauges: Mapping[int, Sequence[int]] | None = None,
    cpu_s: Mapping[str, Mapping[int, float]] | None = None,
    rss: Mapping[str, int] | None = None,
    busy_s: float = 0.0,
    steal_s: float = 0.0,
    servers_own: float | None = None,
    generator_waited_s: float | None = None,
    loops: Mapping[int, tuple[float, float]] | None = None,
    upstream_ns: int | None = None,
) -> dict[str, Any]:
    """One sample of the harness's.

    Args:
        ns: when it was taken.
        gauges: each worker's page, by process id.
        cpu_s: CPU seconds of each process, by group.
        rss: resident bytes, by group.
        busy_s: CPU seconds of all CPUs that the trial may use.
        steal_s: those that the hypervisor kept.
        servers_own: CPU seconds of the server's own CPUs; None: it has none for itself.
        generator_waited_s: for how long the generator had no core; None: the system can't say.
        loops: seconds on a core of each worker's loop's thread, and without one it could run on.
        upstream_ns: time integral of the requests inside the delay server; None: no page.
    """
    groups = {
        name: {
            "cpu_s": {str(pid): spent for pid, spent in (cpu_s or {}).get(name, {}).items()},
            "rss": (rss or {}).get(name, 0),
        }
        for name in ("server", "generator", "delay", "harness")
    }
    waited = {} if generator_waited_s is None else {str(GENERATOR): generator_waited_s}
    return {
        "ns": ns,
        "gauges": {str(pid): list(words) for pid, words in (gauges or {}).items()},
        "loops": {
            str(pid): {"cpu_s": on_core, "waited_s": waited}
            for pid, (on_core, waited) in (loops or {}).items()
        },
        "upstream_ns": upstream_ns,
        "groups": groups,
        "machine": {
            "trial": {"busy_s": busy_s, "steal_s": steal_s},
            **({} if servers_own is None else {"server": {"busy_s": servers_own, "steal_s": 0.0}}),
        },
        "generators_waited_s": waited,
    }


def write_trial(
    folder: Path,
    *,
    requests: Iterable[Request] = (),
    handlers: Mapping[int, Iterable[Call]] | None = None,
    looks: Iterable[Mapping[str, Any]] | None = None,
    load_facts: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """All files of one trial, and the folder.

    Args:
        folder: made if it isn't there.
        requests: the generator's records.
        handlers: each worker's calls, by process id; none: the probe was off.
        looks: the samples; by default two idle ones, at the window's ends.
        load_facts: of generator.json, what is to differ from ``write_load``'s.
        facts: of trial.json, what is to differ from ``write_facts``'s.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records = list(requests)
    write_requests(folder, records)
    for pid, calls in (handlers or {}).items():
        write_thread_log(folder, pid, calls)
    write_samples(folder, [look(T0), look(T1)] if looks is None else looks)
    write_load(folder, **{"started": len(records), **(load_facts or {})})
    write_facts(folder, **(facts or {}))
    return folder


def write_requests(folder: Path, requests: Iterable[Request]) -> None:
    """requests.bin, as locustfiles/users.py writes it."""
    words = array("Q")
    for one in requests:
        words.extend(
            (one.start_ns, one.end_ns, one.outcome | one.user << request_layout.USER_SHIFT)
        )
    with (folder / "requests.bin").open("wb") as file:
        words.tofile(file)


def write_thread_log(folder: Path, pid: int, calls: Iterable[Call], empty: int = 3) -> None:
    """threads-<pid>.bin, with ``empty`` records left of its last chunk."""
    words = array("Q", [probe.LOG_MAGIC, pid, 0, 0])
    for one in calls:
        packed = one.alive | one.route << probe.ROUTE_SHIFT
        words.extend((one.start_ns, one.end_ns, one.thread, packed))
    words.extend([0] * probe.RECORD_WORDS * empty)
    (folder / f"threads-{pid}.bin").write_bytes(words.tobytes())


def write_samples(folder: Path, looks: Iterable[Mapping[str, Any]]) -> None:
    """samples.jsonl: one line a look."""
    text = "".join(json.dumps(one) + "\n" for one in looks)
    (folder / "samples.jsonl").write_text(text, encoding="utf-8")


def write_load(folder: Path, **changes: Any) -> None:
    """generator.json of a generator that spawned its users within a second and was never late."""
    summary: dict[str, Any] = {
        "started": 0,
        "users": PROFILE.users,
        "first_spawn_ns": T0 - 6 * S,
        "spawned_ns": T0 - 5 * S,
        "failure_kinds": {},
        "lateness_ns": [],
        "locust": {"requests": 0, "failures": 0, "p50_ms": 0, "p90_ms": 0, "p99_ms": 0},
    }
    (folder / "generator.json").write_text(json.dumps(summary | changes), encoding="utf-8")


def write_facts(folder: Path, **changes: Any) -> None:
    """trial.json of a trial that went well, of an io kind that asks nobody and waits for nothing.

    Raises:
        TypeError: there is no such fact.
    """
    default: dict[str, Any] = {
        "profile": PROFILE,
        "delay_s": 0.25,
        "gate_ns": GATE,
        "t0_ns": T0,
        "t1_ns": T1,
    }
    default["generators"] = [GENERATOR]
    facts = to_json(TRIAL_FACTS, TrialFacts(**default | changes))
    (folder / "trial.json").write_text(facts, encoding="utf-8")


def upstream(
    monotonic_ns: int,
    *,
    started: int = 0,
    served: int = 0,
    cancelled: int = 0,
    peak: int = 0,
    late_ns: Mapping[int, int] | None = None,
) -> UpstreamCounts:
    """What the delay server's ``/stats`` answers, as far as it is read.

    Args:
        monotonic_ns: when.
        started: calls that came, as the following since the gate.
        served: those that were answered.
        cancelled: those that were given up.
        peak: the most in flight at once.
        late_ns: how many were answered that much later than asked.
    """
    return UpstreamCounts(
        monotonic_ns=monotonic_ns,
        started=started,
        served=served,
        cancelled=cancelled,
        in_flight=InFlight(peak),
        overshoot_ms=Overshoot(sorted((late_ns or {}).items())),
    )


def compress(folder: Path) -> None:
    """Gzip every file in place, as kept runs have them."""
    for path in list(folder.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
