"""Where everything is. One value, so that tests can put all of it elsewhere."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Paths:
    """The repository's root, and what nox has prepared."""

    root: Path
    notes: Path  # of the environments and the delay server

    @property
    def io_kinds(self) -> tuple[str, ...]:
        """The io kinds there are: files in app/io."""
        files = (self.root / "app" / "io").glob("*.py")
        return tuple(sorted(path.stem for path in files if not path.stem.startswith("_")))

    @property
    def servers(self) -> tuple[str, ...]:
        """The servers there are: those with requirements."""
        files = (self.root / "requirements").glob("server-*.in")
        return tuple(sorted(path.stem.removeprefix("server-") for path in files))

    @property
    def go_note(self) -> dict[str, Any]:
        """What nox noted of Go and of the delay server, as ``go_delay.build.note`` has it."""
        try:
            return dict(json.loads((self.notes / "go.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    @property
    def go(self) -> Path | None:
        """The Go toolchain that nox found or installed."""
        found = self.go_note.get("go")
        return Path(str(found)) if found else None


def paths() -> Paths:
    """As nox lays them out; ``MATRIX_NOTES`` for tests."""
    return Paths(root=ROOT, notes=Path(os.environ.get("MATRIX_NOTES", ROOT / ".nox" / "notes")))


def default_python() -> str:
    """The Python of cells that name none: the one that the harness runs on, as ``3.12``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
