"""Everything a trial left, read but not yet judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from bench.digest import read, signals
from bench.digest.generators import Generated, generated
from bench.digest.handlers import Handlers, boil_down
from bench.digest.read import Unreadable
from bench.stats import difference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.digest.log import Log
    from bench.records.trial_files import GeneratorSummary, TrialFacts

NS_PER_MS = 1e6
NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Raw:
    """The typed content of a trial's folder."""

    facts: TrialFacts
    generator: GeneratorSummary
    requests: Log
    handlers: Sequence[Handlers]
    samples: signals.Samples
    generated: Generated  # what these two are of


def read_all(folder: Path) -> Raw:
    """All files of a trial that ran to its end.

    Raises:
        Unreadable: a file is missing or corrupt, or no window was ever set.
    """
    facts = read.trial_facts(folder)
    if not 0 < facts.t0_ns < facts.t1_ns:
        raise Unreadable("the generator never said that all users had spawned")
    _demand_counts_that_grow(facts)
    samples = signals.samples_of(read.looks(folder), facts.t0_ns, facts.t1_ns)
    # Boiled down one after the other, before the requests are read: of all
    # this, only what is needed at once is in memory at once.
    handlers = [
        boil_down(logs, facts.gate_ns, facts.t0_ns, facts.t1_ns, samples.t_ns)
        for _, logs in groupby(read.handler_logs(folder), key=lambda log: log.pid)
        if not facts.own  # whose handlers leave no records
    ]
    if facts.gauges_after and not facts.own:  # the probe was on
        missing = set(facts.workers) - {log.pid for log in handlers}
        if missing:
            raise Unreadable(f"the thread log of worker {min(missing)} is missing")
    found = generated(folder)
    generator = found.summary
    if facts.theirs:
        facts = replace(facts, kinds=generator.kinds)
    if not generator.first_spawn_ns < facts.t0_ns:
        raise Unreadable("generator.json is corrupt: its first user came after the window began")
    return Raw(
        facts=facts,
        generator=generator,
        requests=found.requests,
        generated=found,
        handlers=handlers,
        samples=samples,
    )


def served_in_window(facts: TrialFacts) -> list[tuple[int, int]] | None:
    """The delay server's histogram of lateness over the window; None if an end is unknown.

    Raises:
        ValueError: counts fell.
    """
    first, last = facts.upstream_t0, facts.upstream_t1
    if first is None or last is None:
        return None
    return difference(first.overshoot_ms.buckets, last.overshoot_ms.buckets)


def _demand_counts_that_grow(facts: TrialFacts) -> None:
    try:
        served_in_window(facts)
    except ValueError:
        told = "trial.json is corrupt: counts of the delay server fell within the window"
        raise Unreadable(told) from None
