"""What earlier profiles said of a run's cells, for its reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.model import RunRecord

SCHEMA = 1
FOLDER = "profiles"  # below the reports
APPLICATION = "application ("  # of the sources in a run's record


def sentences(reports: Path, run: RunRecord) -> dict[str, str]:
    """By cell: of profiles of the same application under as many users; a damaged file is none."""
    paths = sorted((reports / FOLDER).glob("*.json"))
    found = (_told(path, run) for path in paths)
    return {cell: sentence for cell, sentence in found if cell}


def _told(path: Path, run: RunRecord) -> tuple[str, str]:
    """The cell and its sentence; empty of what is none, or not of this run."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        if about.get("schema") == SCHEMA and _fits(about, run):
            return str(about["cell"]), str(about["sentence"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass
    return "", ""


def _fits(about: dict[str, object], run: RunRecord) -> bool:
    theirs = {key: value for key, value in run.sources.items() if key.startswith(APPLICATION)}
    return about["sources"] == theirs and about["users"] == run.profile.users
