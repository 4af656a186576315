"""What the harness tells the application, by environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the delay server is, how long it waits, and where the probe writes."""

    upstream: str  # base URL of the delay server
    delay_ms: int
    trial_dir: Path | None  # None: started by hand, nothing is recorded
    probe: bool
    io: str | None = None  # the only kind that is asked for; None: all


def from_environment() -> Settings:
    """Read ``MATRIX_*``; the defaults suit a start by hand."""
    trial_dir = os.environ.get("MATRIX_TRIAL_DIR")
    return Settings(
        upstream=os.environ.get("MATRIX_UPSTREAM", "http://127.0.0.1:8001"),
        delay_ms=int(os.environ.get("MATRIX_DELAY_MS", "1000")),
        trial_dir=Path(trial_dir) if trial_dir else None,
        probe=os.environ.get("MATRIX_PROBE", "1") == "1",
        io=os.environ.get("MATRIX_IO") or None,
    )


SETTINGS = from_environment()
