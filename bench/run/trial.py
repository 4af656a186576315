"""One trial: fresh server, readiness, verification, load, stop. It leaves files, no figures."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from bench.run import process
from bench.run.facts import Facts
from bench.run.process import Child, Ended, Keeper, Late
from bench.run.sampler import INTERVAL_S, Gauge, Sampler
from bench.run.servers import SERVERS
from bench.run.verify import Expectation, Unverified, verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.config import Profile
    from bench.plan import Cell
    from bench.run.delay import DelayServer

HOST = "127.0.0.1"
READY_S = 30.0  # for a server to start, and for the generator
STALL_S = 20.0  # how much longer than planned the generator may take
STOP_S = 0.3  # for a server to stop by itself: a blocked one never does
POLL_S = 0.01
PORT_TRIES = 3
# Of the harness's own environment, children get these; no proxies, no secrets.
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT")


class TrialFailed(Exception):  # noqa: N818 - a row, not an error
    """The trial can't be measured; the text is the row's reason."""


class PortTaken(TrialFailed):
    """Another program took the port between its choice and the server's start."""


@dataclass(frozen=True, slots=True)
class Lab:
    """What all trials of a run share."""

    root: Path  # holds app/ and locustfiles/
    keeper: Keeper
    delay: DelayServer
    load_python: Path
    server_pythons: Mapping[tuple[str, str], Path]  # by (server, python)
    probe: bool = True


def child_environment(**variables: str) -> dict[str, str]:
    """The environment a child gets."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return kept | variables


def run_trial(
    cell: Cell, profile: Profile, *, delay_s: float, python: str, lab: Lab, folder: Path
) -> None:
    """Run one trial; ``folder`` (empty) then holds all there is to know of it.

    Never raises for what goes wrong in the trial: ``trial.json`` says it.
    """
    facts = Facts(started=datetime.now(timezone.utc).isoformat(timespec="milliseconds"))
    began = time.monotonic()
    trial = _Trial(cell, profile, delay_s, python, lab, folder, facts)
    try:
        trial.run()
    except (TrialFailed, Unverified) as failed:
        facts.failure = str(failed)
    finally:
        facts.wall_s = round(time.monotonic() - began, 4)
        (folder / "trial.json").write_text(json.dumps(asdict(facts)), encoding="utf-8")


@dataclass(slots=True)
class _Trial:
    """The steps of a trial, in order, in ``run``."""

    cell: Cell
    profile: Profile
    delay_s: float
    python: str
    lab: Lab
    folder: Path
    facts: Facts

    def run(self) -> None:
        with contextlib.ExitStack() as stack:
            with self._phase("start"):
                # Both import for a second; side by side they take half of that.
                load = self._start_load(stack)
                server, port = self._start_server(stack)
            with self._phase("verify"):
                expected = self._expectation()
                body = verify(HOST, port, expected)
                (self.folder / "expected-body").write_bytes(body)
                (self.folder / "target").write_text(f"http://{HOST}:{port}", encoding="utf-8")
            with self._phase("gate"):
                self._await_event(load, "ready", READY_S)
                sampler = self._prepare(stack, server, load)
            with self._phase("load"):
                self._watch(load, sampler)
            stopping = stack.pop_all()
        with self._phase("stop"):
            stopping.close()
        self._look_back()

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.facts.phases_s[name] = round(time.monotonic() - began, 4)

    # -- start

    def _start_load(self, stack: contextlib.ExitStack) -> Child:
        profile, lab = self.profile, self.lab
        load = process.start(
            "the load generator",
            [
                *(lab.load_python, "-m", "locust", "-f", "locustfiles/users.py"),
                *("--headless", "--only-summary", "--skip-log-setup"),
                *("--users", str(profile.users), "--spawn-rate", str(profile.spawn_rate)),
                *("--exit-code-on-error", "0", "--stop-timeout", "0"),
            ],
            keeper=lab.keeper,
            cwd=lab.root,
            env=child_environment(
                MATRIX_TRIAL_DIR=str(self.folder),
                MATRIX_ROUTE=self.cell.route,
                MATRIX_WARMUP_S=str(profile.warmup_s),
                MATRIX_DURATION_S=str(profile.duration_s),
            ),
            log=self.folder / "load.log",
            tells="pipe",
        )
        stack.callback(load.stop, 0)
        return load

    def _start_server(self, stack: contextlib.ExitStack) -> tuple[Child, int]:
        for _ in range(PORT_TRIES - 1):
            with contextlib.suppress(PortTaken):
                return self._try_server(stack)
        return self._try_server(stack)

    def _try_server(self, stack: contextlib.ExitStack) -> tuple[Child, int]:
        port = _free_port()
        cell, lab = self.cell, self.lab
        command = SERVERS[cell.server].command
        argv = command(lab.server_pythons[cell.server, self.python], HOST, port, cell.workers)
        self.facts.argv = argv
        server = process.start(
            cell.server,
            argv,
            keeper=lab.keeper,
            cwd=lab.root,
            env=child_environment(
                MATRIX_TRIAL_DIR=str(self.folder),
                MATRIX_UPSTREAM=lab.delay.url,
                MATRIX_DELAY_MS=str(round(self.delay_s * 1000)),
                MATRIX_PROBE="1" if lab.probe else "0",
            ),
            log=self.folder / "server.log",
        )
        stack.callback(server.stop, STOP_S)
        self._await_ready(server, port)
        return server, port

    def _await_ready(self, server: Child, port: int) -> None:
        """Poll until every worker has reported and the port answers."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if server.exit_code() is not None:
                self._say_why_it_died(server)
            reports = list(self.folder.glob("worker-*.json"))
            if len(reports) >= self.cell.workers and _answers(port):
                return
            time.sleep(POLL_S)
        raise TrialFailed(
            f"{self.cell.server} was not ready after {READY_S:g} s: {server.log_tail()}"
        )

    def _say_why_it_died(self, server: Child) -> None:
        tail = server.log_tail()
        if "address already in use" in tail.lower():
            raise PortTaken(f"{self.cell.server} found its port taken {PORT_TRIES} times: {tail}")
        raise TrialFailed(
            f"{self.cell.server} ended at its start with exit status {server.exit_code()}: {tail}"
        )

    # -- verify

    def _expectation(self) -> Expectation:
        """What the workers say a right answer is; they must all be what was asked for."""
        server = SERVERS[self.cell.server]
        reports = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(self.folder.glob("worker-*.json"))
        ]
        facts = self.facts
        facts.workers = sorted(int(report["pid"]) for report in reports)
        facts.loop, facts.http = reports[0]["loop"], reports[0]["http"]
        for report in reports:
            if (report["loop"], report["http"]) != (server.loop, server.http):
                raise TrialFailed(
                    f"a worker runs on {report['loop']} and {report['http']},"
                    f" pinned are {server.loop} and {server.http}"
                )
        route = next((r for r in reports[0]["routes"] if r["path"] == self.cell.route), None)
        if route is None:
            raise TrialFailed(f"the application has no route {self.cell.route}")
        facts.route_index, facts.upstream_calls = route["index"], route["upstream_calls"]
        facts.waits = route["waits"]
        at_least_s = self.delay_s if facts.waits else 0.0
        return Expectation(self.cell.route, route["expected"], at_least_s)

    # -- load

    def _prepare(self, stack: contextlib.ExitStack, server: Child, load: Child) -> Sampler:
        """Everything counts from here on; then open the gate."""
        gauges = {
            int(path.stem.partition("-")[2]): Gauge(path)
            for path in self.folder.glob("gauges-*.bin")
        }
        self.facts.gauges_before = _read_all(gauges)
        roots = {
            "server": server.pid,
            "generator": load.pid,
            "delay": self.lab.delay.child.pid,
            "harness": os.getpid(),
        }
        sampler = Sampler(self.folder / "samples.jsonl", roots, gauges)
        stack.callback(sampler.close)
        self._reset_upstream()
        self.facts.gate_ns = time.monotonic_ns()
        load.open_gate()
        return sampler

    def _watch(self, load: Child, sampler: Sampler) -> None:
        """Sample until the generator is done; ask the delay server at both ends of the window."""
        profile = self.profile
        ramp_s = profile.users / profile.spawn_rate
        planned_s = ramp_s + profile.warmup_s + profile.duration_s
        deadline = time.monotonic() + planned_s + STALL_S
        clock = _Clock(self.facts)
        while True:
            now = time.monotonic()
            if now > deadline:
                raise TrialFailed(
                    f"the load generator hangs: not done {STALL_S:g} s after its time;"
                    f" {load.log_tail()}"
                )
            try:
                event = load.event(clock.wait_s())
            except Late:
                self._at(clock.due(), sampler)
                continue
            except Ended:
                raise TrialFailed(f"the load generator ended early: {load.log_tail()}") from None
            match event.get("event"):
                case "spawned":
                    clock.set_window(int(event["spawned_ns"]), profile)
                case "stopping":
                    # Who is alive now, before anything is stopped.
                    self.facts.workers_after = self._workers_now()
                case "done":
                    return

    def _at(self, due: str, sampler: Sampler) -> None:
        sampler.look()
        with contextlib.suppress(OSError, ValueError):
            if due == "t0":
                self.facts.upstream_t0 = self.lab.delay.stats()
            elif due == "t1":
                self.facts.upstream_t1 = self.lab.delay.stats()

    def _workers_now(self) -> list[int]:
        reported = {int(path.stem.partition("-")[2]) for path in self.folder.glob("worker-*.json")}
        return sorted(pid for pid in reported if _alive(pid))

    # -- afterwards

    def _look_back(self) -> None:
        """Counts that are final only when nobody is left to change them."""
        gauges = {
            int(path.stem.partition("-")[2]): Gauge(path)
            for path in self.folder.glob("gauges-*.bin")
        }
        self.facts.gauges_after = _read_all(gauges)
        with contextlib.suppress(OSError, ValueError):
            self.facts.upstream_after = self.lab.delay.stats()

    def _reset_upstream(self) -> None:
        try:
            self.lab.delay.reset()
        except OSError as error:
            raise TrialFailed(f"the delay server does not answer: {error}") from None

    def _await_event(self, load: Child, wanted: str, timeout_s: float) -> None:
        try:
            event = load.event(timeout_s)
        except Late as late:
            raise TrialFailed(f"{late}; {load.log_tail()}") from None
        except Ended:
            raise TrialFailed(f"the load generator ended at its start: {load.log_tail()}") from None
        if event.get("event") != wanted:
            raise TrialFailed(f"the load generator said {event!r} instead of {wanted!r}")


class _Clock:
    """When to look next: every tenth of a second, and exactly at both ends of the window."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._next_ns = time.monotonic_ns()
        self._ends: list[tuple[int, str]] = []

    def set_window(self, spawned_ns: int, profile: Profile) -> None:
        t0_ns = spawned_ns + int(profile.warmup_s * 1e9)
        t1_ns = t0_ns + int(profile.duration_s * 1e9)
        self._facts.t0_ns, self._facts.t1_ns = t0_ns, t1_ns
        self._ends = [(t0_ns, "t0"), (t1_ns, "t1")]

    def wait_s(self) -> float:
        """Seconds until the next look."""
        due_ns = min([self._next_ns, *(ns for ns, _ in self._ends[:1])])
        return max(0.0, (due_ns - time.monotonic_ns()) / 1e9)

    def due(self) -> str:
        """What this look is for: ``t0``, ``t1`` or ``tick``."""
        now = time.monotonic_ns()
        if self._ends and now >= self._ends[0][0]:
            return self._ends.pop(0)[1]
        # From now on, not from when it was due: missed looks are not made up for.
        self._next_ns = now + int(INTERVAL_S * 1e9)
        return "tick"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _read_all(gauges: Mapping[int, Gauge]) -> dict[str, list[int]]:
    return {str(pid): gauge.read() for pid, gauge in gauges.items()}


__all__ = ["Lab", "TrialFailed", "child_environment", "run_trial"]
