"""Where everything is. One value, so that tests can put all of it elsewhere."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Paths:
    """The repository's root, and what nox has prepared."""

    root: Path
    notes: Path  # of the environments
    delay_cache: Path

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
    def go(self) -> Path | None:
        """The Go toolchain that nox found or installed."""
        try:
            note = json.loads((self.notes / "go.json").read_text(encoding="utf-8"))
            return Path(note["go"])
        except (OSError, ValueError, KeyError):
            return None


def paths() -> Paths:
    """As nox lays them out; ``MATRIX_NOTES`` and ``MATRIX_DELAY_CACHE`` for tests."""
    nox = ROOT / ".nox"
    return Paths(
        root=ROOT,
        notes=Path(os.environ.get("MATRIX_NOTES", nox / "notes")),
        delay_cache=Path(os.environ.get("MATRIX_DELAY_CACHE", nox / "delay")),
    )


def default_python() -> str:
    """The Python of cells that name none: the one that the harness runs on, as ``3.12``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
