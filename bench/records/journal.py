"""A run's records on disk: appended one by one, and read back as far as they are intact.

Whatever is corrupt is named and left where it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import TypeAdapter

from bench.errors import BadInputError
from bench.records import atomic, checksum
from bench.records.checksum import Broken
from bench.records.model import ControlRecord, Damage, RunRecord, SeriesRecord, TrialRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

RUN_FILE: Final = "run.json"
TRIALS_FILE: Final = "trials.jsonl"
SERIES_FILE: Final = "series.jsonl"
CONTROLS_FILE: Final = "controls.jsonl"

Record = TypeVar("Record", bound=TrialRecord | SeriesRecord | ControlRecord | RunRecord)
OfTrial = TypeVar("OfTrial", TrialRecord, SeriesRecord)

_TRIAL = TypeAdapter(TrialRecord)
_SERIES = TypeAdapter(SeriesRecord)
_CONTROL = TypeAdapter(ControlRecord)
_RUN = TypeAdapter(RunRecord)
_ADAPTERS: dict[type, TypeAdapter[Any]] = {
    TrialRecord: _TRIAL,
    SeriesRecord: _SERIES,
    ControlRecord: _CONTROL,
}
_HINT = "the version that wrote it can read it"
# A record begins here, also where the end of the line before it is lost.
_BEGINNING = re.compile(b"(?=" + re.escape(checksum.LINE) + b")")


@dataclass(frozen=True, slots=True)
class Read(Generic[Record]):
    """What a file holds."""

    records: tuple[Record, ...]  # in the order in which they were appended
    damage: tuple[Damage, ...]


def append(path: Path, record: TrialRecord | SeriesRecord | ControlRecord) -> None:
    """Append one line and sync it: what has been measured is never lost.

    Raises:
        OSError: it could not be written (disk full); the file is as it was.
    """
    adapter = _ADAPTERS[type(record)]
    text = json.dumps(adapter.dump_python(record, mode="json"), separators=(",", ":"))
    line = checksum.seal(text.encode(), checksum.LINE) + b"\n"
    try:
        # Unbuffered, so that nothing is written later than we know of.
        with path.open("a+b", buffering=0) as file:
            # A line that was cut off must not swallow this one.
            _append(file, line if _ends_whole(file) else b"\n" + line)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _ends_whole(file: IO[bytes]) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _append(file: IO[bytes], data: bytes) -> None:
    before = file.seek(0, os.SEEK_END)
    written = 0
    try:
        while written < len(data):
            written += file.write(data[written:])
        os.fsync(file.fileno())
    except OSError:
        # Take our own half line back, unless somebody has written after it.
        with contextlib.suppress(OSError):
            if file.seek(0, os.SEEK_END) == before + written:
                file.truncate(before)
        raise


def read_trials(path: Path) -> Read[TrialRecord]:
    """All trials of a run; of two records of the same trial the first.

    Raises:
        BadInputError: the file can't be read, or is of another schema.
    """
    return _of_trials(TRIALS_FILE, _lines(path, _TRIAL))


def read_series(path: Path) -> Read[SeriesRecord]:
    """What the trials of a run looked like over time; none where there is no such file.

    A trial that has a record may have no series: the run is older, or was killed between the two.

    Raises:
        BadInputError: the file can't be read, or is of another schema.
    """
    return _of_trials(SERIES_FILE, _lines(path, _SERIES) if path.exists() else [])


def _of_trials(name: str, lines: Iterable[tuple[int, OfTrial | Broken]]) -> Read[OfTrial]:
    records: dict[tuple[str, int, bool, int], tuple[int, OfTrial]] = {}
    damage: list[Damage] = []
    for number, found in lines:
        place = f"{name}:{number}"
        if isinstance(found, Broken):
            damage.append(Damage(place, found.what))
            continue
        key = (found.cell, found.round, found.twin, found.host)
        first, kept = records.setdefault(key, (number, found))
        if kept is not found:
            what = (
                f"it is a second record of {found.cell}, round {found.round}; line {first} counts"
            )
            damage.append(Damage(place, what))
    return Read(tuple(record for _, record in records.values()), tuple(damage))


def read_controls(path: Path) -> Read[ControlRecord]:
    """All controls of a run; none where there is no such file.

    Raises:
        BadInputError: the file can't be read, or is of another schema.
    """
    if not path.exists():
        return Read((), ())
    lines = _lines(path, _CONTROL)
    return Read(
        tuple(found for _, found in lines if not isinstance(found, Broken)),
        tuple(
            Damage(f"{CONTROLS_FILE}:{number}", found.what)
            for number, found in lines
            if isinstance(found, Broken)
        ),
    )


def _lines(path: Path, adapter: TypeAdapter[Record]) -> list[tuple[int, Record | Broken]]:
    """Each line's number and what it holds."""
    data = _bytes(path)
    lines = [
        (number, checksum.unseal(part, checksum.LINE, adapter)) for number, part in _parts(data)
    ]
    if lines and not data.endswith(b"\n"):
        number, last = lines[-1]
        if isinstance(last, Broken) and not last.foreign:
            lines[-1] = (number, Broken("it is cut off"))
    broken = [found for _, found in lines if isinstance(found, Broken)]
    foreign = [found for found in broken if found.foreign]
    if foreign and len(broken) == len(lines):
        raise BadInputError(f"{path}: {foreign[0].what}; {_HINT}")
    return lines


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
        parts = [part for part in _BEGINNING.split(line) if part]
        if data:
            yield from ((number, part) for part in parts or [line])


def write_run(path: Path, run: RunRecord) -> None:
    """Replace ``run.json`` whole.

    Raises:
        OSError: it can't be written.
    """
    atomic.replace({path: run_bytes(run)})


def run_bytes(run: RunRecord) -> bytes:
    """A run's record as it stands in its file."""
    text = json.dumps(_RUN.dump_python(run, mode="json"), indent=1) + "\n"
    return checksum.seal(text.encode(), checksum.PAGE)


def read_run(path: Path) -> RunRecord:
    """The run's record.

    Raises:
        BadInputError: it can't be read, is corrupt, or is of another schema.
    """
    found = checksum.unseal(_bytes(path), checksum.PAGE, _RUN)
    if isinstance(found, Broken):
        hint = f"; {_HINT}" if found.foreign else ""
        raise BadInputError(f"{path}: {found.what}{hint}")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path}: can't be read: {error.strerror}") from error
