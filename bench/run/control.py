"""A control: the generator straight at the delay server, with no application between them.

At 0 ms it shows the generator's ceiling, at 200 ms what it adds to a latency;
at the start and at the end of a run, how far the machine has drifted.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.records.trial_files import TRIAL_FACTS, TrialFacts, to_json
from bench.run import generator
from bench.run.failure import TrialFailed
from bench.run.host.sampler import Sampler
from bench.run.watch import watch
from locustfiles import layout

if TYPE_CHECKING:
    from pathlib import Path

    from bench.config import Profile
    from bench.run.lab import Lab


@dataclass(frozen=True, slots=True)
class Asks:
    """What the delay server is asked, and what it is to answer."""

    route: str
    body: str


def waits(delay_s: float) -> Asks:
    """For a wait of whole milliseconds."""
    wait_ms = round(delay_s * 1e3)
    return Asks(f"/?waitms={wait_ms}", _json({"waited_ms": wait_ms}))


def queues(service_us: int, *, even: bool) -> Asks:
    """In a queue of one server, whose services take so long each, or on average."""
    law = "fixed" if even else "exponential"
    return Asks(f"/queue?us={service_us}&law={law}", _json({"service_us": service_us}))


def _json(answer: dict[str, int]) -> str:
    return json.dumps(answer, separators=(",", ":"))


def run_control(
    profile: Profile, lab: Lab, folder: Path, *, processes: int = 1, asks: Asks | None = None
) -> None:
    """Load the delay server itself with so many generator processes; by default with its delay.

    ``folder`` (empty) then holds what a trial's does.

    Never raises for what goes wrong in it: ``trial.json`` says it.

    Raises:
        RequirementError: no load machine is left.
    """
    facts = TrialFacts(profile=profile, delay_s=profile.delay_s, waits=profile.delay_s > 0)
    try:
        _run(profile, lab, folder, facts, processes, asks or waits(profile.delay_s))
    except (TrialFailed, OSError) as failed:
        facts.failure = str(failed)
    finally:
        (folder / "trial.json").write_text(to_json(TRIAL_FACTS, facts), encoding="utf-8")


def _run(
    profile: Profile, lab: Lab, folder: Path, facts: TrialFacts, processes: int, asks: Asks
) -> None:
    lab.delay.ensure()
    if lab.fleet is not None:
        lab.fleet.ensure()
    with contextlib.ExitStack() as stack:
        load = generator.start(
            lab,
            profile,
            asks.route,
            folder,
            phase=facts.phase,
            processes=processes,
        )
        stack.callback(load.stop, 0)
        body = asks.body.encode()
        generator.aim(folder, lab.delay.outer_url, body=body, least_s=profile.delay_s, workers=1)
        generator.await_ready(load, lab.patience.ready_s)
        facts.generators, facts.away = load.user_pids, load.away
        roots = {
            "generator": [*load.pids, *lab.pids_for_away],
            "delay": [lab.delay.child.pid],
            "harness": [os.getpid()],
        }
        sampler = Sampler(
            folder / "samples.jsonl",
            roots,
            {},
            generators=load.user_pids,
            cpus=lab.cpu_sets(),
            quota_cores=lab.quota_cores,
            delay=lab.delay.page,
        )
        stack.callback(sampler.close)
        lab.delay.reset()
        facts.gate_ns = time.monotonic_ns()
        load.say(layout.SAY_BEGIN)
        lab.observer.phase("control")
        watch(load, sampler, facts, lab)
    facts.upstream_after = lab.delay.stats()
