"""The environment of a person's own application, and the values that must stay secret."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.errors import BadInputError
from bench.run.process import children
from bench.text import shown
from locustfiles import requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.config.target import Target

SHORTEST = 6  # of a secret: a shorter one can't be taken out of texts without harm


@dataclass(frozen=True, slots=True)
class Own:
    """A person's own application as its trials have it; ``secrets`` are never written down."""

    target: Target
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def hidden(self, text: str) -> str:
        """The text without the secrets' values, however they are encoded."""
        return requests.hidden(text, tuple(self.secrets.values()))


def passed(names: Sequence[str]) -> dict[str, str]:
    """The values of the environment variables that ``--pass-env`` names.

    Raises:
        BadInputError: one is not set, or too short to be kept out of logs and reports.
    """
    found = {}
    for name in names:
        value = os.environ.get(name)
        if value is None:
            raise BadInputError(f"--pass-env: found {shown(name)}, allowed: a variable that is set")
        if len(value) < SHORTEST:
            raise BadInputError(
                f"--pass-env: found {shown(name)} with a value of {len(value)} characters, allowed:"
                f" at least {SHORTEST}: a shorter one can't be kept out of logs and reports"
            )
        found[name] = value
    return found


def environment(own: Own, python: Path, **variables: str) -> dict[str, str]:
    """What its processes get: its own variables, its environment's programs first on PATH."""
    target = own.target
    theirs = {name: requests.fill(value, own.secrets, str) for name, value in target.env.items()}
    base = children.child_environment(**theirs)
    base["PATH"] = os.pathsep.join([str(python.parent), base.get("PATH", os.defpath)])
    base["VIRTUAL_ENV"] = str(python.parent.parent)
    base["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(target.path), theirs.get("PYTHONPATH")) if part
    )
    return base | variables


def cleanse(secrets: Sequence[str], folder: Path) -> None:
    """Take the secrets out of all logs in a trial's folder, line by line.

    Raises:
        OSError: there is no room.
    """
    if not secrets:
        return
    for path in folder.glob("*.log"):
        draft = path.with_suffix(".draft")
        with (
            path.open(encoding="utf-8", errors="surrogateescape") as said,
            draft.open("w", encoding="utf-8", errors="surrogateescape") as clean,
        ):
            clean.writelines(requests.hidden(line, secrets) for line in said)
        draft.replace(path)
