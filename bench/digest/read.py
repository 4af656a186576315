"""The trial's files as arrays. Formats: ``app.probe.layout``, ``locustfiles.layout``.

Any file may be there compressed (``.gz``), as kept runs have them.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.probe import layout as probe
from locustfiles import layout as request_layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


class Unreadable(Exception):  # noqa: N818 - becomes the trial's reason
    """A file of the trial is missing or damaged; the text says which and how."""


@dataclass(frozen=True, slots=True)
class RequestLog:
    """The generator's records, one element a request."""

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    outcome: NDArray[np.uint16]  # locustfiles.layout


@dataclass(frozen=True, slots=True)
class HandlerLog:
    """One worker's thread log, one element a handler call; ``end_ns`` 0: it had not returned."""

    pid: int
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    thread: NDArray[np.uint64]
    alive: NDArray[np.uint16]
    route: NDArray[np.uint16]


def request_log(folder: Path) -> RequestLog:
    """The request records.

    Raises:
        Unreadable: the file is missing, or cut in the middle of a record.
    """
    words = _words(folder, "requests.bin", request_layout.RECORD_BYTES)
    records = words.reshape(-1, request_layout.RECORD_WORDS)
    packed = records[:, request_layout.R_PACKED]
    return RequestLog(
        start_ns=records[:, request_layout.R_START_NS].astype(np.int64),
        end_ns=records[:, request_layout.R_END_NS].astype(np.int64),
        outcome=(packed & np.uint64(request_layout.OUTCOME_MASK)).astype(np.uint16),
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


def json_file(folder: Path, name: str) -> Any:
    """A JSON file.

    Raises:
        Unreadable: it is missing or no JSON.
    """
    try:
        return json.loads(_bytes(folder, name))
    except ValueError:
        raise Unreadable(f"{name} is no JSON") from None


def trial_facts(folder: Path) -> dict[str, Any]:
    """What the harness noted of the trial (``bench.run.trial_facts``).

    Raises:
        Unreadable: ``trial.json`` is missing or damaged.
    """
    facts = json_file(folder, "trial.json")
    if not isinstance(facts, dict) or "failure" not in facts:
        raise Unreadable("trial.json does not say how the trial ended")
    return facts


def samples(folder: Path) -> list[dict[str, Any]]:
    """The harness's looks at the trial, in order of time.

    Raises:
        Unreadable: the file is missing or damaged.
    """
    try:
        return [json.loads(line) for line in _bytes(folder, "samples.jsonl").splitlines()]
    except ValueError:
        raise Unreadable("samples.jsonl is damaged") from None


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
