"""The environments that nox has made, as it noted them.

Each ``env`` session writes one small JSON file: where its Python is, the hash
of the lock file it was installed from, or why it could not be made.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ASK_S = 60.0
_ASK = (
    "import importlib.metadata as m, json, platform;"
    "print(json.dumps({'python': platform.python_version(), 'implementation':"
    " platform.python_implementation(), 'packages': dict(sorted({d.metadata['Name'].lower():"
    " d.version for d in m.distributions()}.items()))}))"
)


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment; ``python`` is None when it can't be used, for ``reason``."""

    name: str
    python: Path | None
    lock_sha256: str
    reason: str | None = None
    skipped: bool = False  # no interpreter, rather than a failure


def environment_name(role: str, python: str | None = None) -> str:
    """``server-uvicorn-3.12``, ``load``: also the stem of the note's file."""
    return role if python is None else f"{role}-{python}"


def own_name(project: Path, server: str, python: str) -> str:
    """Of the environment that nox makes of one's own application for a server and Python.

    Two projects of one name in different folders don't share it.
    """
    digest = hashlib.sha256(os.fsencode(project)).hexdigest()[:8]
    return f"own-{digest}-{server}-{python}"


def find_own(folder: Path, project: Path, server: str, python: str) -> Environment:
    """What nox noted of the environment of one's own application; never raises."""
    name = own_name(project, server, python)
    called = f"server-{server}-{python}"  # as reports have it: the digest says nothing to anyone
    try:
        note = dict(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        why = f"no environment for {server} on Python {python}: nox found no Python {python}"
        return Environment(called, None, "", why, skipped=True)
    asked = str(note.get("asked", ""))
    if note.get("error"):
        return Environment(called, None, asked, f"its environment: {note['error']}")
    interpreter = Path(str(note.get("python", "")))
    if not interpreter.is_file():
        reason = "its environment is gone: run it through nox, which makes it anew"
        return Environment(called, None, asked, reason)
    return Environment(called, interpreter, asked)


def find(
    folder: Path, root: Path, role: str, python: str | None = None, *, prefix: str = ""
) -> Environment:
    """What nox noted of an environment; never raises, since a bad one is a row.

    ``prefix`` is of the note's name, for environments of another revision than the present one.
    """
    name = prefix + environment_name(role, python)
    lock = root / "requirements" / f"{role}.txt"
    sha256 = hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else ""
    try:
        note = dict(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        why = "nox has not made it"
        if python is not None:
            why = (
                f"nox found no Python {python}, or experiments.yaml names neither this server"
                " nor this Python"
            )
        reason = f"no environment {name}: {why}"
        return Environment(name, None, sha256, reason, skipped=True)
    if note.get("error"):
        return Environment(name, None, sha256, f"environment {name}: {note['error']}")
    interpreter = Path(str(note.get("python", "")))
    if note.get("lock_sha256") != sha256 or not interpreter.is_file():
        reason = f"environment {name} is out of date: run it through nox, which renews it"
        return Environment(name, None, sha256, reason)
    return Environment(name, interpreter, sha256)


def describe(python: Path) -> dict[str, object]:
    """Python's and all packages' versions in an environment.

    Raises:
        OSError: its interpreter can't be run.
    """
    try:
        done = subprocess.run(
            [str(python), "-I", "-c", _ASK], capture_output=True, timeout=ASK_S, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise OSError(f"{python} did not answer in {ASK_S:g} s") from late
    if done.returncode:
        raise OSError(f"{python} can't be run: {done.stderr.decode(errors='replace')[-300:]}")
    return dict(json.loads(done.stdout))


def go_version(go: Path | None) -> str | None:
    """``go1.27.3``; None if it can't be asked."""
    if go is None:
        return None
    try:
        done = subprocess.run(
            [str(go), "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
