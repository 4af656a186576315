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


PART = 2**22  # records that are in memory at once
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


def request_logs(
    folder: Path, name: str = "requests.bin", record_words: int = request_layout.RECORD_WORDS
) -> Iterator[RequestLog]:
    """The request records of one process, of so many words each, some millions at a time.

    Raises:
        Unreadable: the file is missing, or cut in the middle of a record.
    """
    for records in _records(folder, name, record_words):
        yield _request_log(records, name, record_words)


def request_log(
    folder: Path, name: str = "requests.bin", record_words: int = request_layout.RECORD_WORDS
) -> RequestLog:
    """All of them at once; arguments and errors as above."""
    found = [*_records(folder, name, record_words)]
    whole = found[0] if len(found) == 1 else np.concatenate(found)
    return _request_log(whole, name, record_words)


def _request_log(records: NDArray[np.uint64], name: str, record_words: int) -> RequestLog:
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
    """The thread logs of all workers, one after the other; a large one in several parts.

    Raises:
        Unreadable: one is damaged.
    """
    names = {path.name.removesuffix(".gz") for path in folder.glob("threads-*.bin*")}
    for name in sorted(names):
        pid = None
        for records in _records(folder, name, probe.RECORD_WORDS):
            first = pid is None
            if pid is None:
                if len(records) == 0 or records[0, 0] != probe.LOG_MAGIC:
                    raise Unreadable(f"the thread log {name} does not begin as one")
                pid = int(records[0, 1])
            yield _handler_log(records[1:] if first else records, pid)


def _handler_log(records: NDArray[np.uint64], pid: int) -> HandlerLog:
    # The rest of the last chunk is empty; and places are given out before they
    # are written, so a killed worker may leave a gap.
    begun = records[:, probe.R_START_NS] != 0
    last = int(np.flatnonzero(begun)[-1]) + 1 if begun.any() else 0
    # A slice where that will do: a selection copies hundreds of megabytes.
    records = records[:last] if begun[:last].all() else records[begun]
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


def _records(folder: Path, name: str, words: int) -> Iterator[NDArray[np.uint64]]:
    """Records of so many words, `PART` at a time; one part at least, which may be empty."""
    size, first = words * 8 * PART, True
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        with gzip.open(packed) if packed.is_file() else plain.open("rb") as file:
            while (data := file.read(size)) or first:
                first = False
                if len(data) % (words * 8):
                    raise Unreadable(f"{name} is cut off in the middle of a record")
                yield np.frombuffer(data, dtype=np.uint64).reshape(-1, words)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"{name} can't be read: {error}") from None


def _bytes(folder: Path, name: str) -> bytes:
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        if packed.is_file():
            return gzip.decompress(packed.read_bytes())
        return plain.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"{name} can't be read: {error}") from None
