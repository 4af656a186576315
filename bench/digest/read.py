"""The trial's files as arrays. Formats: ``app.probe.layout``, ``locustfiles.layout``.

Any file may be there compressed (``.gz``), as kept runs have them.
"""

from __future__ import annotations

import contextlib
import gzip
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic import ValidationError

from app.probe import layout as probe
from bench.records.trial_files import (
    GENERATOR_SUMMARY,
    LOOK,
    MASTER_SUMMARY,
    TRIAL_FACTS,
    GeneratorSummary,
    Look,
    MasterSummary,
    TrialFacts,
)
from bench.text import shown
from locustfiles import layout as request_layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from pydantic import TypeAdapter


Typed = TypeVar("Typed")


class Unreadable(Exception):  # noqa: N818 - becomes the trial's reason
    """A file of the trial is missing or corrupt; the text says which and how."""


@dataclass(frozen=True, slots=True)
class RequestLog:
    """The generator's records, one element a request."""

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    outcome: NDArray[np.uint16]  # locustfiles.layout
    kind: NDArray[np.uint16]  # of one's own application's; 0 where there is one alone
    # Of an open load, where they start when they are due: when they were sent, 0 if never.
    sent_ns: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class HandlerLog:
    """One worker's thread log, one element a handler call; ``end_ns`` 0: it had not returned."""

    pid: int
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    thread: NDArray[np.uint64]
    alive: NDArray[np.uint16]
    route: NDArray[np.uint16]


def request_log(
    folder: Path, name: str = "requests.bin", record_words: int = request_layout.RECORD_WORDS
) -> RequestLog:
    """The request records of one process, of so many words each.

    Raises:
        Unreadable: the file is missing, or cut in the middle of a record.
    """
    words = _words(folder, name, record_words * 8)
    records = words.reshape(-1, record_words)
    packed = records[:, request_layout.R_PACKED]
    start_ns = records[:, request_layout.R_START_NS].astype(np.int64)
    end_ns = records[:, request_layout.R_END_NS].astype(np.int64)
    if (start_ns < 0).any() or (end_ns < start_ns).any():
        raise Unreadable(f"{name} is corrupt: a request ended before it began")
    return RequestLog(
        start_ns=start_ns,
        end_ns=end_ns,
        outcome=(packed & np.uint64(request_layout.OUTCOME_MASK)).astype(np.uint16),
        kind=(packed >> np.uint64(request_layout.KIND_SHIFT)).astype(np.uint16),
        sent_ns=(
            records[:, request_layout.R_SENT_NS].astype(np.int64)
            if record_words == request_layout.OPEN_WORDS
            else None
        ),
    )


def handler_logs(folder: Path) -> Iterator[HandlerLog]:
    """The thread logs of all workers, read one at a time: each may be large.

    Raises:
        Unreadable: one is damaged.
    """
    names = {path.name.removesuffix(".gz") for path in folder.glob("threads-*.bin*")}
    for name in sorted(names):
        yield _handler_log(folder, name)


def _handler_log(folder: Path, name: str) -> HandlerLog:
    words = _words(folder, name, probe.RECORD_BYTES)
    records = words.reshape(-1, probe.RECORD_WORDS)
    if len(records) == 0 or records[0, 0] != probe.LOG_MAGIC:
        raise Unreadable(f"the thread log {name} does not begin as one")
    pid = int(records[0, 1])
    # The rest of the last chunk is empty; and places are given out before they
    # are written, so a killed worker may leave a gap.
    begun = records[:, probe.R_START_NS] != 0
    begun[0] = False
    last = int(np.flatnonzero(begun)[-1]) + 1 if begun.any() else 1
    # A slice where that will do: a selection copies hundreds of megabytes.
    records = records[1:last] if begun[1:last].all() else records[begun]
    packed = records[:, probe.R_PACKED]
    return HandlerLog(
        pid=pid,
        start_ns=records[:, probe.R_START_NS].view(np.int64),
        end_ns=records[:, probe.R_END_NS].view(np.int64),
        thread=records[:, probe.R_THREAD],
        alive=(packed & np.uint64(probe.ALIVE_MASK)).astype(np.uint16),
        route=(packed >> np.uint64(probe.ROUTE_SHIFT)).astype(np.uint16),
    )


def trial_facts(folder: Path) -> TrialFacts:
    """What the harness noted of the trial.

    Raises:
        Unreadable: ``trial.json`` is missing or damaged.
    """
    return _typed(folder, "trial.json", TRIAL_FACTS)


def generator_summary(folder: Path, name: str) -> GeneratorSummary:
    """What one process of the load generator said of itself.

    Raises:
        Unreadable: the file is missing or damaged.
    """
    return _typed(folder, name, GENERATOR_SUMMARY)


def generator_or_master(folder: Path) -> GeneratorSummary | MasterSummary:
    """What ``generator.json`` holds: of one process all, of several what their master was told.

    Raises:
        Unreadable: it is missing or damaged.
    """
    name = "generator.json"
    text = _bytes(folder, name)
    with contextlib.suppress(ValidationError):
        return MASTER_SUMMARY.validate_json(text)
    return _valid(text, name, GENERATOR_SUMMARY)


def looks(folder: Path) -> list[Look]:
    """The harness's looks at the trial, in order of time.

    Raises:
        Unreadable: ``samples.jsonl`` is missing or damaged.
    """
    name = "samples.jsonl"
    found = [_valid(line, name, LOOK) for line in _bytes(folder, name).splitlines()]
    if any(later.ns < earlier.ns for earlier, later in pairwise(found)):
        raise Unreadable(f"{name} is corrupt: its looks are out of order")
    return found


def _typed(folder: Path, name: str, adapter: TypeAdapter[Typed]) -> Typed:
    return _valid(_bytes(folder, name), name, adapter)


def _valid(text: bytes, name: str, adapter: TypeAdapter[Typed]) -> Typed:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        at = f" at {where}" if where else ""
        raise Unreadable(f"{name} is corrupt{shown(at, 100)}: {shown(fault['msg'], 200)}") from None


def _words(folder: Path, name: str, record_bytes: int) -> NDArray[np.uint64]:
    data = _bytes(folder, name)
    if len(data) % record_bytes:
        raise Unreadable(f"{name} is cut off in the middle of a record")
    return np.frombuffer(data, dtype=np.uint64)


def _bytes(folder: Path, name: str) -> bytes:
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        if packed.is_file():
            return gzip.decompress(packed.read_bytes())
        return plain.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"{name} can't be read: {error}") from None
