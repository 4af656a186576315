"""One trial: fresh server, readiness, verification, load, stop. It leaves files, no figures."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from app.probe.layout import G_FINISHED, G_STARTED
from bench.config.target import as_json
from bench.records.trial_files import SOCKETS, TRIAL_FACTS, Sockets, TrialFacts, to_json
from bench.run import generator
from bench.run.failure import TrialFailed
from bench.run.host.cpus import affinity
from bench.run.host.sampler import Gauge, Sampler
from bench.run.own import commands
from bench.run.own.environ import cleanse
from bench.run.own.first import await_ready
from bench.run.own.first import verify as verify_own
from bench.run.server.bringup import POLL_S, Running, bring_up
from bench.run.server.commands import SERVERS
from bench.run.server.launch import launch
from bench.run.server.verify import Expectation, Unverified, verify
from bench.run.watch import watch
from locustfiles.layout import SAY_BEGIN
from locustfiles.requests import hidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.config import Profile
    from bench.plan import Cell
    from bench.run.generator import Load
    from bench.run.lab import Lab
    from bench.run.own.environ import Own
    from bench.run.process.children import Child

IDLE_S = 0.5  # for the verifying request to leave the application
SAID_S = 0.3
STOP_S = 0.1  # for a server to stop by itself: one that answers nobody has nothing to save


def run_trial(
    cell: Cell,
    profile: Profile,
    *,
    phase: float,
    stretch: int,
    lab: Lab,
    folder: Path,
    processes: int = 1,
) -> None:
    """Run one trial; ``folder`` (empty) then holds all there is to know of it.

    ``phase`` and ``stretch`` as `bench.run.pacing.Pacer` takes them; ``processes`` of the load
    generator.

    Never raises for what goes wrong in the trial: ``trial.json`` says it.
    """
    facts = TrialFacts(
        profile=profile,
        delay_s=profile.delay_s,
        phase=phase,
        stretch=stretch,
        started=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
    )
    began = time.monotonic()
    try:
        _Trial(cell, profile, lab, folder, facts, processes).run()
    except (TrialFailed, Unverified) as failed:
        facts.failure = hidden(str(failed), lab.secrets)
    finally:
        cleanse(lab.secrets, folder)
        facts.wall_s = round(time.monotonic() - began, 4)
        (folder / "trial.json").write_text(to_json(TRIAL_FACTS, facts), encoding="utf-8")


@dataclass(slots=True)
class _Trial:
    """The steps of a trial, in the order of ``_measure``."""

    cell: Cell
    profile: Profile
    lab: Lab
    folder: Path
    facts: TrialFacts
    processes: int

    def run(self) -> None:
        try:
            self._measure()
        except Exception:
            # What was set up before is taken down; why the trial failed is told, not this.
            with contextlib.suppress(TrialFailed):
                self._run_own("after_trial")
            raise
        self._run_own("after_trial")

    def _measure(self) -> None:
        with contextlib.ExitStack() as stack:
            with self._phase("start"):
                self.lab.delay.ensure()
                self._run_own("before_trial")
                # Both import for a second; side by side they take little more than one.
                load = generator.start(
                    self.lab,
                    self.profile,
                    self._asked(),
                    self.folder,
                    phase=self.facts.phase,
                    processes=self.processes,
                )
                self.facts.generators, self.facts.away = load.user_pids, load.away
                stack.callback(load.stop, 0)
                running = self._start_server(stack)
            with self._phase("verify"):
                self._verify(running)
            with self._phase("gate"):
                generator.await_ready(load, self.lab.patience.ready_s)
                sampler = self._open_gate(stack, running.child, load)
            with self._phase("load"):
                log_bytes = _size(running.child.log)
                watch(load, sampler, self.facts, self.lab)
                self.facts.log_bytes = (log_bytes, _size(running.child.log))
            stopping = stack.pop_all()
        with self._phase("stop"):
            stopping.close()
        self._count_up()

    def _asked(self) -> str:
        return self.cell.route if self.lab.own is None else self.cell.experiment

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self.lab.observer.phase(name)
        began = time.monotonic()
        try:
            yield
        finally:
            self.facts.phases_s[name] = round(time.monotonic() - began, 4)

    def _start_server(self, stack: contextlib.ExitStack) -> Running:
        cell, lab, facts = self.cell, self.lab, self.facts

        def start(port: int) -> Child:
            child = launch(cell, lab, self.folder, port, delay_s=self.profile.delay_s)
            stack.callback(child.stop, STOP_S)
            # Records are published: where this checkout lies is nobody's business.
            facts.argv = [part.removeprefix(f"{lab.root}{os.sep}") for part in child.argv]
            return child

        running = bring_up(start, cell, self.folder, lab.patience.ready_s, lab.address)
        facts.workers = sorted(int(report["pid"]) for report in running.reports)
        facts.loop, facts.http = running.reports[0]["loop"], running.reports[0]["http"]
        facts.cpus = lab.placement.groups()
        if lab.placement.delay and lab.database(cell) is not None:
            facts.cpus["database"] = [*lab.placement.delay]
        if own := affinity(facts.workers[0]):
            facts.cpus["server"] = own
        return running

    def _run_own(self, keys: str) -> None:
        """The commands that the file of one's own application asks for."""
        if self.lab.own is not None:
            python = self.lab.server_pythons[self.cell.server, str(self.cell.python)]
            log = self.folder / f"{keys}.log"
            commands.run(self.lab.own, keys, python, self.lab.keeper, log)

    def _verify(self, running: Running) -> None:
        if self.lab.own is None:
            self._verify_ours(running)
        else:
            self._verify_own(running, self.lab.own)

    def _verify_own(self, running: Running, own: Own) -> None:
        """One real request of each kind; right is what the file says."""
        plan = as_json(own.target.asked(self.cell.experiment), own.target.login)
        self.facts.kinds = [kind["name"] for kind in plan["kinds"]]
        self.facts.own = True
        self.facts.theirs = self.cell.experiment in own.target.locustfiles
        if self.facts.theirs:
            plan["login"] = None  # their users log in as they do
        try:
            if own.target.ready is not None:
                await_ready(
                    self.lab.address, running.port, own.target.ready, self.lab.patience.ready_s
                )
            verify_own(self.lab.address, running.port, plan, own.secrets)
        except Unverified as wrong:
            raise Unverified(f"{wrong}{_log_of(running.child)}") from None
        generator.aim(
            self.folder,
            f"http://{self.lab.address}:{running.port}",
            workers=self.cell.workers,
            plan=plan,
        )

    def _verify_ours(self, running: Running) -> None:
        """One real request; its body is what every answer is then compared to."""
        path, facts = self.cell.route, self.facts
        known = running.reports[0]["routes"]
        route = next((route for route in known if route["path"] == path), None)
        if route is None:
            raise TrialFailed(f"the application has no route {path}")
        facts.route_index, facts.upstream_calls = route["index"], route["upstream_calls"]
        facts.waits, facts.threaded = route["waits"], route["threaded"]
        at_least_s = self.profile.delay_s if facts.waits else 0.0
        body = verify(
            self.lab.address, running.port, Expectation(path, route["expected"], at_least_s)
        )
        generator.aim(
            self.folder,
            f"http://{self.lab.address}:{running.port}",
            body=body,
            least_s=at_least_s,
            workers=self.cell.workers,
        )

    def _open_gate(self, stack: contextlib.ExitStack, server: Child, load: Load) -> Sampler:
        """Everything counts from here on."""
        gauges = self._gauges()
        self.facts.gauges_before = _read_idle(gauges)
        roots = {
            "server": [server.pid],
            "generator": [*load.pids, *self.lab.pids_for_away],
            "delay": [self.lab.delay.child.pid],
            "harness": [os.getpid()],
        }
        database = self.lab.database(self.cell)
        if database is not None and database.child is not None:
            roots["database"] = [database.child.pid]
        sampler = Sampler(
            self.folder / "samples.jsonl",
            roots,
            gauges,
            generators=load.user_pids,
            cpus=self.lab.cpu_sets(),
            quota_cores=self.lab.quota_cores,
            delay=self.lab.delay.page,
        )
        stack.callback(sampler.close)
        try:
            self.lab.delay.reset()
        except OSError as error:
            raise TrialFailed(f"the delay server does not answer: {error}") from None
        self.facts.gate_ns = time.monotonic_ns()
        load.say(SAY_BEGIN)
        return sampler

    def _count_up(self) -> None:
        """Counts that are final only when nobody is left to change them."""
        gauges = self._gauges()
        self.facts.gauges_after = {str(pid): gauge.read() for pid, gauge in gauges.items()}
        self.facts.sockets = _sockets(self.folder)
        self._demand_parser()
        self.facts.delay_exit = self.lab.delay.child.exit_code()
        with contextlib.suppress(OSError, ValueError):
            self.facts.upstream_after = self.lab.delay.stats()

    def _demand_parser(self) -> None:
        """Of a server that loads it late: only now is it known which one it was."""
        pinned = SERVERS[self.cell.server]
        if not pinned.loads_late:
            return
        found = {one.http for one in self.facts.sockets.values()} - {pinned.http}
        if found:
            told = ", ".join(sorted(str(one) for one in found))
            raise TrialFailed(f"a worker parsed with {told}, pinned is {pinned.http}")
        if self.facts.sockets:
            self.facts.http = pinned.http

    def _gauges(self) -> dict[int, Gauge]:
        paths = self.folder.glob("gauges-*.bin")
        return {int(path.stem.partition("-")[2]): Gauge(path) for path in paths}


def _sockets(folder: Path) -> dict[str, Sockets]:
    """What the workers found of theirs; one whose loop never beat again has found nothing."""
    found = {}
    for path in folder.glob("audit-*.json"):
        with contextlib.suppress(OSError, ValueError):
            found[path.stem.partition("-")[2]] = SOCKETS.validate_json(path.read_bytes())
    return found


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _log_of(server: Child) -> str:
    """What the server said last, if anything: it may say why a moment after its answer."""
    time.sleep(SAID_S)
    tail = server.log_tail()
    return f"; the server said: {tail}" if tail else ""


def _read_idle(gauges: Mapping[int, Gauge]) -> dict[str, list[int]]:
    """The pages once the verifying request has left the application, so it isn't counted again.

    It has its answer a moment before the application is done with it.
    """
    deadline = time.monotonic() + IDLE_S
    while True:
        pages = {str(pid): gauge.read() for pid, gauge in gauges.items()}
        idle = all(page[G_STARTED] == page[G_FINISHED] for page in pages.values())
        if idle or time.monotonic() > deadline:
            return pages
        time.sleep(POLL_S)
