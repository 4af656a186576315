"""What the load generator's processes left, as if one process had left it.

One process leaves ``requests.bin`` and ``generator.json``; of several each leaves its own, with a
number, and locust's master what it was told by them. Each numbers its failures, and of users of
somebody's own their requests, as they come: here they get common numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bench.digest import read
from bench.digest.log import Log, at_once, joined
from bench.digest.read import RequestLog, Unreadable
from bench.records.trial_files import GeneratorSummary
from locustfiles import clocks, layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.records.trial_files import ClockLook, MasterSummary


@dataclass(frozen=True, slots=True)
class Generated:
    """Of all processes together."""

    summary: GeneratorSummary
    requests: Log
    # By process: how late its timer was, and when that was due, ns.
    lateness_ns: tuple[Sequence[tuple[int, int]], ...]
    told: MasterSummary | None = None  # what locust's master was told; None of one process
    clocks: Mapping[int, Clock] = field(default_factory=dict)  # of those on other machines
    # Of these: when, CPU seconds, seconds without a core.
    usage: Mapping[int, Sequence[tuple[int, float, float]]] = field(default_factory=dict)

    @property
    def processes(self) -> int:
        """That had users."""
        return len(self.lateness_ns)


@dataclass(frozen=True, slots=True)
class Clock:
    """Of a process on another machine, whose times have been translated into this one's."""

    shift_ns: int  # that was taken from its times,
    bound_ns: int  # by which that may be wrong
    fast: float  # 0.01: it ran 1 % fast,
    fast_bound: float  # give or take


def clock_of(looks: Sequence[ClockLook]) -> Clock | None:
    """From a look before the load and one after it; None where one is missing."""
    if len(looks) != 2:
        return None
    before, after = (clocks.Offset(one.offset_ns, one.bound_ns, one.at_ns) for one in looks)
    try:
        fast, fast_bound = clocks.rate(before, after)
    except ValueError:
        return None
    return Clock(*clocks.shift(before, after), fast, fast_bound)


def generated(folder: Path) -> Generated:
    """All that a trial's load generator left.

    Raises:
        Unreadable: a file is missing or damaged.
    """
    found = read.generator_or_master(folder)
    if isinstance(found, GeneratorSummary):
        source = _Source(folder, "requests.bin", found.record_words)
        return Generated(found, _log([source], found.started), (found.lateness_ns,))
    if found.parts < 1:
        raise Unreadable("generator.json is corrupt: it is of no process")
    away = {number: clock_of(looks) for number, looks in found.clocks.items()}
    if unknown := [number for number, clock in away.items() if clock is None]:
        raise Unreadable(f"the clock of load generator process {min(unknown) + 1} is not known")
    clocks_of = {number: clock for number, clock in away.items() if clock is not None}
    shifts = [
        clocks_of[number].shift_ns if number in clocks_of else 0 for number in range(found.parts)
    ]
    summaries = [
        _summary_here(read.generator_summary(folder, f"generator-{number}.json"), shift)
        for number, shift in enumerate(shifts)
    ]
    if len({summary.record_words for summary in summaries}) > 1:
        raise Unreadable("the generator's files are corrupt: their processes had different loads")
    failures = _common(list(summary.failure_kinds.values()) for summary in summaries)
    kinds = _common(summary.kinds for summary in summaries)
    sources = [
        _Source(
            *(folder, f"requests-{number}.bin", summary.record_words),
            shift_ns=shifts[number],
            outcomes={
                old: layout.FIRST_FAILURE + failures[name]
                for old, name in summary.failure_kinds.items()
            },
            kinds={old: kinds[name] for old, name in enumerate(summary.kinds)},
        )
        for number, summary in enumerate(summaries)
    ]
    summary = GeneratorSummary(
        started=sum(one.started for one in summaries),
        first_spawn_ns=min(one.first_spawn_ns for one in summaries),
        spawned_ns=max(one.spawned_ns for one in summaries),
        failure_kinds={layout.FIRST_FAILURE + at: name for name, at in failures.items()},
        lateness_ns=[],
        locust=found.locust,
        kinds=list(kinds),
        unseen=sum(one.unseen for one in summaries),
        record_words=summaries[0].record_words,
    )
    return Generated(
        summary,
        _log(sources, summary.started),
        tuple(one.lateness_ns for one in summaries),
        found,
        clocks=clocks_of,
        usage={number: summaries[number].usage for number in clocks_of},
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """The file of one process, and how its numbers and times become common ones."""

    folder: Path
    name: str
    record_words: int
    shift_ns: int = 0
    outcomes: Mapping[int, int] = field(default_factory=dict)
    kinds: Mapping[int, int] = field(default_factory=dict)

    def read(self) -> Iterator[RequestLog]:
        """Some millions at a time."""
        for part in read.request_logs(self.folder, self.name, self.record_words):
            yield self._common(part)

    def _common(self, log: RequestLog) -> RequestLog:
        """Both ends of each request are moved alike: what it took stays what its clock said."""
        start_ns, end_ns, sent_ns = log.start_ns, log.end_ns, log.sent_ns
        if self.shift_ns:
            start_ns, end_ns = start_ns - self.shift_ns, end_ns - self.shift_ns
            if sent_ns is not None:
                sent_ns = np.where(sent_ns == 0, 0, sent_ns - self.shift_ns)
        return RequestLog(
            start_ns=start_ns,
            end_ns=end_ns,
            outcome=_renumbered(log.outcome, self.outcomes),
            kind=_renumbered(log.kind, self.kinds),
            sent_ns=sent_ns,
        )


def _log(sources: Sequence[_Source], started: int) -> Log:
    """Of all files together; read once and kept where they aren't large."""
    if started <= read.PART:
        logs = [part for source in sources for part in source.read()]
        return at_once(logs[0] if len(logs) == 1 else joined(logs))
    several = partial(_read_all, sources)
    count = sum(len(part.start_ns) for part in several())
    is_open = sources[0].record_words == layout.OPEN_WORDS
    return Log(count, is_open, several, large=True)


def _read_all(sources: Sequence[_Source]) -> Iterator[RequestLog]:
    for source in sources:
        yield from source.read()


def _summary_here(summary: GeneratorSummary, shift_ns: int) -> GeneratorSummary:
    """Its times by this machine's clock."""
    if not shift_ns:
        return summary
    return replace(
        summary,
        first_spawn_ns=summary.first_spawn_ns - shift_ns,
        spawned_ns=summary.spawned_ns - shift_ns,
        lateness_ns=[(due - shift_ns, late) for due, late in summary.lateness_ns],
        usage=[(ns - shift_ns, cpu_s, waited_s) for ns, cpu_s, waited_s in summary.usage],
    )


def _common(lists: Iterable[Sequence[str]]) -> dict[str, int]:
    """A number for each name, in the order in which they are met."""
    names = dict.fromkeys(name for names in lists for name in names)
    return {name: number for number, name in enumerate(names)}


def _renumbered(values: NDArray[np.uint16], numbers: Mapping[int, int]) -> NDArray[np.uint16]:
    """Each value that has another number by that one."""
    if all(old == new for old, new in numbers.items()):
        return values
    table = np.arange(2**16, dtype=np.uint16)
    for old, new in numbers.items():
        table[old] = new
    found: NDArray[np.uint16] = table[values]
    return found
