"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write(files: Mapping[Path, str]) -> None:
    """All drafts are on disk before the first file is replaced.

    Raises:
        OSError: one can't be written.
    """
    drafts = {path: path.parent / f".{path.name}.{os.getpid()}" for path in files}
    try:
        for path, content in files.items():
            with drafts[path].open("w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, draft in drafts.items():
            draft.replace(path)
    finally:
        for draft in drafts.values():
            with contextlib.suppress(OSError):
                draft.unlink()
