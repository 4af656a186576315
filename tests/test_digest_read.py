"""Damage: a file that is missing or broken is named, and gives no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.probe import layout as probe
from bench.digest import read
from bench.digest.read import Unreadable
from bench.digest.trial import digest
from bench.selfcheck.trial_folder import (
    T0,
    T1,
    Call,
    Request,
    compress,
    look,
    write_thread_log,
    write_trial,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = ("trial.json", "generator.json", "requests.bin", "samples.jsonl")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole trial."""
    return write_trial(
        tmp_path,
        requests=[Request(T0 + at, T1 - at) for at in range(200)],
        handlers={100: [Call(T0 + at, T1 - at) for at in range(200)]},
        looks=[look(ns) for ns in range(T0, T1, (T1 - T0) // 10)],
    )


def cut(path: Path) -> None:
    """Lose the last bytes, as a full disk does."""
    path.write_bytes(path.read_bytes()[:-13])


def scribble(path: Path) -> None:
    """Turn some bytes in the middle over, as a bad disk does."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    for at in range(middle, middle + 40):
        data[at] ^= 0xA5
    path.write_bytes(data)


def overwrite(path: Path) -> None:
    """Something else altogether."""
    path.write_bytes(b"\x00\xff" * 11)


def test_a_whole_trial_is_readable(folder: Path) -> None:
    """What the tests below break is sound before, compressed or not."""
    whole = digest(folder)
    assert whole.requests.started == 200
    compress(folder)
    assert digest(folder) == whole


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str, packed: bool) -> None:  # noqa: FBT001
    """Whether the others are compressed or not."""
    (folder / name).unlink()
    if packed:
        compress(folder)
    with pytest.raises(Unreadable, match=rf"^{name} can't be read: "):
        digest(folder)


@pytest.mark.parametrize("damage", [cut, overwrite])
@pytest.mark.parametrize("name", [*FILES, "threads-100.bin"])
def test_a_damaged_file_is_named(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    """Cut off, or not what it should be."""
    damage(folder / name)
    with pytest.raises(Unreadable, match=name.replace(".", r"\.")):
        digest(folder)


@pytest.mark.parametrize("damage", [cut, scribble, overwrite])
@pytest.mark.parametrize("name", [*FILES, "threads-100.bin"])
def test_a_damaged_compressed_file_is_named(
    folder: Path, name: str, damage: Callable[[Path], None]
) -> None:
    """Cut off, with wrong bytes in it, or not compressed at all."""
    compress(folder)
    damage(folder / f"{name}.gz")
    with pytest.raises(Unreadable, match=name.replace(".", r"\.")):
        digest(folder)


@pytest.mark.parametrize("data", [b"", b"\x00" * probe.RECORD_BYTES * 3], ids=["empty", "zeros"])
def test_a_thread_log_begins_with_its_mark(folder: Path, data: bytes) -> None:
    """One that doesn't is no log of no calls."""
    (folder / "threads-100.bin").write_bytes(data)
    with pytest.raises(Unreadable, match=r"threads-100\.bin does not begin as one"):
        digest(folder)


def test_each_worker_has_a_log(tmp_path: Path) -> None:
    """All are read, each word to its own column, plain or compressed."""
    write_thread_log(tmp_path, 21, [Call(5, 9, thread=2**40, alive=41, route=17)])
    compress(tmp_path)
    write_thread_log(tmp_path, 3, [Call(1), Call(2, 3, alive=0xFFFF, route=0xFFFF)])
    first, second = sorted(read.handler_logs(tmp_path), key=lambda log: log.pid)
    assert (first.pid, second.pid) == (3, 21)
    assert (first.start_ns.tolist(), first.end_ns.tolist()) == ([1, 2], [0, 3])
    assert (first.alive.tolist(), first.route.tolist()) == ([1, 0xFFFF], [0, 0xFFFF])
    assert (second.start_ns.tolist(), second.end_ns.tolist()) == ([5], [9])
    assert second.thread.tolist() == [2**40]
    assert (second.alive.tolist(), second.route.tolist()) == ([41], [17])


def test_a_place_that_was_never_begun_is_passed_over(tmp_path: Path) -> None:
    """A killed worker leaves gaps between intact records, and an empty rest."""
    write_thread_log(tmp_path, 3, [Call(1, 2), Call(0, thread=9), Call(5, 6)], empty=100)
    (log,) = read.handler_logs(tmp_path)
    assert log.start_ns.tolist() == [1, 5]


def test_a_log_of_no_calls_is_empty(tmp_path: Path) -> None:
    """The worker got no request."""
    write_thread_log(tmp_path, 3, [])
    (log,) = read.handler_logs(tmp_path)
    assert (log.pid, log.start_ns.tolist()) == (3, [])


def test_without_a_probe_there_are_no_logs(tmp_path: Path) -> None:
    """That is no damage."""
    assert list(read.handler_logs(tmp_path)) == []
