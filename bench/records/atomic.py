"""Files that are replaced whole or not at all: several of them as one."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def replace(files: Mapping[Path, bytes | None]) -> None:
    """Give each file its new content; None removes it.

    All drafts are on disk before the first file is touched, so a disk that is
    full leaves every file as it was, and no draft. Then the files are replaced in
    their order: put last the one that says that all is done. What a killed process
    left of its drafts is removed.

    Raises:
        OSError: one can't be written; it names the file.
    """
    for path in files:
        _sweep(path)
    drafts = {
        path: (path.parent / f".{path.name}.{os.getpid()}", content)
        for path, content in files.items()
        if content is not None
    }
    try:
        for path in files:
            # A folder in its place would be found out only when others have been replaced.
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            # Root could replace /dev/full itself.
            if path.exists() and not path.is_file():
                raise OSError(errno.EINVAL, "is a device or a pipe, not a file", str(path))
        for path, (draft, content) in drafts.items():
            _write(path, draft, content)
        for path in files:
            _put(path, drafts[path][0] if path in drafts else None)
    finally:
        for draft, _ in drafts.values():
            with contextlib.suppress(OSError):
                draft.unlink()


def _sweep(path: Path) -> None:
    """Remove a file's drafts whose writer is no more."""
    for draft in path.parent.glob(f".{glob.escape(path.name)}.*"):
        pid = draft.name.rpartition(".")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            with contextlib.suppress(OSError):
                draft.unlink()


def write(path: Path, text: str) -> None:
    """Replace one text file: a reader sees the old one or the new.

    Raises:
        OSError: it can't be written.
    """
    replace({path: text.encode()})


def _put(path: Path, draft: Path | None) -> None:
    """Give the draft the file's name, or take the file away."""
    try:
        if draft is None:
            path.unlink(missing_ok=True)
        else:
            draft.replace(path)
    except OSError as error:
        # The system names the draft.
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write(path: Path, draft: Path, content: bytes) -> None:
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            # Else a power cut may keep the new name and lose what it stands for.
            os.fsync(file.fileno())
    except OSError as error:
        # The system names the draft, or nothing.
        raise OSError(error.errno, error.strerror, str(path)) from error
