"""What the load generator's processes left, as if one process had left it.

One process leaves ``requests.bin`` and ``generator.json``; of several each leaves its own, with a
number, and locust's master what it was told by them. Each numbers its failures, and of users of
somebody's own their requests, as they come: here they get common numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.digest import read
from bench.digest.read import RequestLog, Unreadable
from bench.records.trial_files import GeneratorSummary
from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.records.trial_files import MasterSummary


@dataclass(frozen=True, slots=True)
class Generated:
    """Of all processes together."""

    summary: GeneratorSummary
    requests: RequestLog  # in the order of their ends
    # By process: how late its timer was, and when that was due, ns.
    lateness_ns: tuple[Sequence[tuple[int, int]], ...]
    told: MasterSummary | None = None  # what locust's master was told; None of one process

    @property
    def processes(self) -> int:
        """That had users."""
        return len(self.lateness_ns)


def generated(folder: Path) -> Generated:
    """All that a trial's load generator left.

    Raises:
        Unreadable: a file is missing or damaged.
    """
    found = read.generator_or_master(folder)
    if isinstance(found, GeneratorSummary):
        log = read.request_log(folder, record_words=found.record_words)
        return Generated(found, log, (found.lateness_ns,))
    if found.parts < 1:
        raise Unreadable("generator.json is corrupt: it is of no process")
    summaries = [
        read.generator_summary(folder, f"generator-{number}.json") for number in range(found.parts)
    ]
    if len({summary.record_words for summary in summaries}) > 1:
        raise Unreadable("the generator's files are corrupt: their processes had different loads")
    parts = [
        (summary, read.request_log(folder, f"requests-{number}.bin", summary.record_words))
        for number, summary in enumerate(summaries)
    ]
    failures = _common(list(summary.failure_kinds.values()) for summary in summaries)
    kinds = _common(summary.kinds for summary in summaries)
    log = _joined(
        [
            RequestLog(
                start_ns=log.start_ns,
                end_ns=log.end_ns,
                outcome=_renumbered(
                    log.outcome,
                    {old: layout.FIRST_FAILURE + failures[name]
                     for old, name in summary.failure_kinds.items()},
                ),
                kind=_renumbered(
                    log.kind, {old: kinds[name] for old, name in enumerate(summary.kinds)}
                ),
                sent_ns=log.sent_ns,
            )
            for summary, log in parts
        ]
    )  # fmt: skip
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
    return Generated(summary, log, tuple(one.lateness_ns for one in summaries), found)


def _common(lists: Iterable[Sequence[str]]) -> dict[str, int]:
    """A number for each name, in the order in which they are met."""
    names = dict.fromkeys(name for names in lists for name in names)
    return {name: number for number, name in enumerate(names)}


def _renumbered(values: NDArray[np.uint16], numbers: Mapping[int, int]) -> NDArray[np.uint16]:
    """Each value that has another number by that one."""
    table = np.arange(2**16, dtype=np.uint16)
    for old, new in numbers.items():
        table[old] = new
    found: NDArray[np.uint16] = table[values]
    return found


def _joined(logs: Sequence[RequestLog]) -> RequestLog:
    end_ns = np.concatenate([log.end_ns for log in logs])
    sent = [log.sent_ns for log in logs if log.sent_ns is not None]
    order = np.argsort(end_ns, kind="stable")
    return RequestLog(
        start_ns=np.concatenate([log.start_ns for log in logs])[order],
        end_ns=end_ns[order],
        outcome=np.concatenate([log.outcome for log in logs])[order],
        kind=np.concatenate([log.kind for log in logs])[order],
        sent_ns=np.concatenate(sent)[order] if len(sent) == len(logs) else None,
    )
