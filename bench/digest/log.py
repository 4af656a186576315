"""A trial's requests: all at once, or where they are many some millions at a time.

Whatever is made of them is a sum over the parts, or of what is alike counted (`grouped`): so a
trial of a hundred million requests takes no more memory than one of ten, and ten times as long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bench.digest.read import RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Log:
    """``parts`` gives them from the first on, each time anew."""

    count: int
    open: bool  # it is known when they were sent, as of an open load
    parts: Callable[[], Iterator[RequestLog]]
    large: bool = False  # more than should be in memory at once; else they are one part

    def whole(self) -> RequestLog:
        """All at once: of a trial that is known to be short."""
        return joined([*self.parts()])

    def of_kind(self, number: int) -> Log:
        """Those of one kind."""
        count = sum(int(np.count_nonzero(part.kind == np.uint16(number))) for part in self.parts())
        return replace(self, count=count, parts=partial(_of_kind, self, number))


def at_once(log: RequestLog) -> Log:
    """Of what has been read already."""
    return Log(len(log.start_ns), log.sent_ns is not None, partial(_one, log))


def _one(log: RequestLog) -> Iterator[RequestLog]:
    yield log


def _of_kind(log: Log, number: int) -> Iterator[RequestLog]:
    for part in log.parts():
        chosen = part.kind == np.uint16(number)
        yield RequestLog(
            part.start_ns[chosen],
            part.end_ns[chosen],
            part.outcome[chosen],
            part.kind[chosen],
            None if part.sent_ns is None else part.sent_ns[chosen],
        )


def joined(logs: Sequence[RequestLog]) -> RequestLog:
    """In the order of their ends."""
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
