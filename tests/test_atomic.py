"""Files are replaced whole or not at all, several as one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.paths import ROOT
from bench.records import atomic

if TYPE_CHECKING:
    from pathlib import Path

# Under a limit on file sizes a write fails as on a full disk, for whoever runs the tests.
LIMITED = """
import resource, sys
from pathlib import Path
from bench.records import atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
folder = Path(sys.argv[1])
try:
    atomic.replace({
        folder / "a": b"new", folder / "b": b"n" * int(sys.argv[2]), folder / "c": None,
    })
except OSError as error:
    print(error.strerror, error.filename, sep="|")
"""
OLD = {"a": b"old", "b": b"old, and longer than the new one", "c": b"old"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files."""
    for name, content in OLD.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, drafts too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_are_replaced_and_no_draft_is_left(folder: Path) -> None:
    """None takes a file away, whether it was there or not; the others stay."""
    atomic.replace({folder / "a": b"new", folder / "c": None, folder / "d": None})
    assert files(folder) == {"a": b"new", "b": OLD["b"]}


def test_text_is_written_as_utf_8(folder: Path) -> None:
    """Whatever the locale."""
    atomic.write(folder / "a", "new – ✓\n")
    assert files(folder) == OLD | {"a": "new – ✓\n".encode()}


def test_text_that_cannot_be_encoded_replaces_nothing(folder: Path) -> None:
    """A lone surrogate."""
    with pytest.raises(UnicodeEncodeError):
        atomic.write(folder / "a", "new\ud800")
    assert files(folder) == OLD


@pytest.mark.parametrize(("size", "told"), [(1001, "File too large|{}/b\n"), (1000, "")])
def test_a_full_disk_leaves_every_old_file(folder: Path, size: int, told: str) -> None:
    """The second of three files doesn't fit: the first is as it was, too, and no draft is left."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), str(size)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == told.format(folder)
    assert files(folder) == (OLD if told else {"a": b"new", "b": b"n" * size})


def test_a_folder_in_the_place_of_a_file_stops_all(folder: Path) -> None:
    """It is found before anything is replaced, and named."""
    (folder / "d").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        atomic.replace({folder / "a": b"new", folder / "d": b"new"})
    assert caught.value.filename == str(folder / "d")
    (folder / "d").rmdir()
    assert files(folder) == OLD


def test_where_there_is_no_folder_the_file_is_named(folder: Path) -> None:
    """Not its draft, which nobody has asked for."""
    with pytest.raises(NotADirectoryError) as caught:
        atomic.replace({folder / "a" / "d": b"new"})
    assert caught.value.filename == str(folder / "a" / "d")


def test_a_pipe_is_no_file_to_replace(tmp_path: Path) -> None:
    """Nor is a device: whoever is root could take /dev/full away."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="is a device or a pipe, not a file"):
        atomic.replace({pipe: b"x"})
    assert pipe.is_fifo()
    assert [*tmp_path.iterdir()] == [pipe]
