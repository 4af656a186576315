"""The disk where runs are kept: room for their raw files, and how fast it writes."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.doctor.check import Check, Fitness
from bench.text import shown

if TYPE_CHECKING:
    from pathlib import Path

ENOUGH_GB = 2.0
BLOCK, BLOCKS = 2**20, 16
RECORD = 8192  # bytes, as a trial's record has
RECORDS = 5
SLOW_MB_S = 20.0  # a busy second leaves some MB of raw files
SLOW_SYNC_MS = 200.0  # of one record; it delays each trial by this


@dataclass(frozen=True, slots=True)
class Speed:
    """Of a few writes that are on the disk for sure."""

    mb_per_s: float
    sync_ms: float  # to append one record and sync it: the middle one of five


def looks(output: Path) -> list[Check]:
    """Of the folder where runs are kept, or of where it would be made."""
    try:
        folder = nearest(output)
        found = measure(folder)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return [unwritable(output, error.strerror or type(error).__name__)]
    except RuntimeError:  # as Python before 3.13 tells of it
        return [unwritable(output, "a link leads to itself")]
    return [room(free / 1e9), speed(found)]


def nearest(output: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    whole = output.resolve()
    return next(path for path in (whole, *whole.parents) if path.is_dir())


def measure(folder: Path) -> Speed:
    """Write 16 MB and five records, and sync them; the file has no name, and is gone at once.

    Raises:
        OSError: the folder can't be written, or there is no room.
    """
    block, record = os.urandom(BLOCK), os.urandom(RECORD)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        began = time.perf_counter()
        for _ in range(BLOCKS):
            file.write(block)
        os.fsync(file.fileno())
        took_s = time.perf_counter() - began
        synced = sorted(_synced_s(file.fileno(), record) for _ in range(RECORDS))
    return Speed(BLOCK * BLOCKS / 1e6 / took_s, synced[RECORDS // 2] * 1e3)


def _synced_s(descriptor: int, record: bytes) -> float:
    began = time.perf_counter()
    os.write(descriptor, record)
    os.fsync(descriptor)
    return time.perf_counter() - began


def room(free_gb: float) -> Check:
    """For raw files."""
    found = f"{free_gb:.1f} GB"
    if free_gb >= ENOUGH_GB:
        return Check("free disk", found, Fitness.GOOD)
    matters = "a run that keeps its raw files may not end"
    return Check("free disk", found, Fitness.POOR, matters, "use `--raw drop`, or make room")


def speed(found: Speed) -> Check:
    """Whether it keeps up."""
    told = f"{found.mb_per_s:,.0f} MB/s; {found.sync_ms:.1f} ms to sync a record"
    if found.mb_per_s >= SLOW_MB_S and found.sync_ms <= SLOW_SYNC_MS:
        return Check("disk speed", told, Fitness.GOOD)
    matters = "raw files and records of one trial are still written while the next one runs"
    return Check("disk speed", told, Fitness.POOR, matters,
                 "use `--raw drop`, or `--output` on another disk")  # fmt: skip


def unwritable(folder: Path, why: str) -> Check:
    """Nothing can be kept there."""
    told = f"{shown(str(folder), 200)} can't be written: {why}"
    return Check("disk speed", told, Fitness.MISSING,
                 "no run can be kept", "make it yours to write, or use `--output`")  # fmt: skip
