"""What is installed for an application of a person's own, and when that is out of date.

For the noxfile, which makes the environments: standard library and PyYAML alone, and lenient about
the file, since whatever is wrong with it is told by the harness.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

# What says what a project needs, the first that is there, if its file doesn't.
GUESSES = (
    ("pylock.toml", "-r pylock.toml"),
    ("uv.lock", "-r uv.lock"),
    ("requirements.txt", "-r requirements.txt"),
    ("pyproject.toml", "."),
    ("setup.py", "."),
)
SOURCES = (".py", ".toml", ".cfg", ".txt", ".in", ".lock")
UV_LOCK = "uv.lock"
MOST_FILES = 20_000
SKIPPED = {".git", ".venv", "venv", "node_modules", "__pycache__", ".nox", ".tox", "reports"}


@dataclass(frozen=True, slots=True)
class Project:
    """The part of the file that environments depend on."""

    folder: Path
    install: tuple[str, ...]
    servers: tuple[str, ...]
    pythons: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Of its folder: two projects of one name don't share environments."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]

    def arguments(self) -> list[str]:
        """Of pip: as the file has them, else by what lies in the folder; none if nothing does."""
        lines = self.install or next(
            ((line,) for name, line in GUESSES if (self.folder / name).is_file()), ()
        )
        return [word for line in lines for word in _words(line)]

    def asked(self, lock: bytes) -> str:
        """Changes when an installation would: by arguments, the files they name, the server's lock.

        Of a project that installs itself, all its sources count.
        """
        whole = hashlib.sha256(lock)
        words = self.arguments()
        for word in words:
            whole.update(word.encode() + b"\0")
            path = self.folder / word.partition("[")[0]
            if path.is_file():
                whole.update(path.read_bytes())
            elif path.is_dir() and not word.startswith("-"):
                _add_tree(whole, path)
        return whole.hexdigest()


def without_uv_lock(words: list[str]) -> list[str]:
    """The arguments but ``-r uv.lock``, which pip can't read and uv exports; the same: none."""
    kept: list[str] = []
    for word in words:
        if word != UV_LOCK:
            kept.append(word)
        elif kept[-1:] in (["-r"], ["--requirement"]):
            kept.pop()
    return kept


def builds(folder: Path) -> bool:
    """Whether the project itself is a package, by uv's rule.

    https://docs.astral.sh/uv/concepts/projects/config/#project-packaging
    """
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return bool(re.search(r"(?m)^\[build-system\]", text)) and not re.search(
        r"(?m)^package *= *false", text
    )


def _words(line: str) -> list[str]:
    """As a shell splits them; of a quote that never ends pip says what is wrong."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def tree_hash(folder: Path) -> str:
    """Changes when a source file in the folder does, by its name, size or time."""
    whole = hashlib.sha256()
    _add_tree(whole, folder)
    return whole.hexdigest()[:12]


def _add_tree(whole: hashlib._Hash, folder: Path) -> None:
    """Names, sizes and times of sources: reading them all would take as long as installing."""
    count = 0
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED)
        for name in sorted(names):
            if name.endswith(SOURCES) and count < MOST_FILES:
                count += 1
                path = Path(where, name)
                status = path.stat()
                whole.update(f"{path}:{status.st_size}:{status.st_mtime_ns}\n".encode())


def read(path: Path, words: Sequence[str], current: str, known: Sequence[str]) -> Project | None:
    """The project of a file; None if it has no target, or can't be read.

    Args:
        path: of the file.
        words: of the command line, which may name other servers and Pythons.
        current: the Python of cells that name none.
        known: all servers.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        target = document["target"]
        folder = (path.parent / str(target.get("path", "."))).resolve()
        matrix = [document.get("matrix") or {}, *(document.get("include") or [])]
        servers = levels(matrix, "server") or ["uvicorn"]
        pythons = levels(matrix, "python")
        if "python" not in matrix[0]:
            pythons.append(current)
        install = tuple(str(line) for line in target.get("install") or ())
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError,
            yaml.YAMLError):  # fmt: skip
        return None
    servers += _given(words, "--server")
    pythons += _given(words, "--python")
    return Project(
        folder,
        install,
        tuple(dict.fromkeys(name for name in servers if name in known)),
        tuple(dict.fromkeys(name for name in pythons if re.fullmatch(r"3\.[1-9]\dt?", name))),
    )


def levels(tables: list[dict[str, object]], axis: str) -> list[str]:
    """Those of an axis that a file names anywhere in its matrix."""
    found: list[str] = []
    for table in tables:
        value = table.get(axis, [])
        found += [one for one in (value if isinstance(value, list) else [value])
                  if isinstance(one, str)]  # fmt: skip
    return found


def _given(words: Sequence[str], option: str) -> list[str]:
    return [part.strip() for value in values(words, option) for part in value.split(",")]


def values(words: Sequence[str], option: str) -> list[str]:
    """Of an option on the command line, as ``--config FILE`` and ``--config=FILE``."""
    found = [
        words[at + 1] for at, word in enumerate(words) if word == option and at + 1 < len(words)
    ]
    return found + [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]


def direct(source: str) -> list[str]:
    """The packages of a server's *.in file, without those of the application here."""
    lines = (line.strip() for line in source.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def constraints(lock: str, installed: set[str]) -> str:
    """The lock's versions of packages that aren't there yet: what is there keeps its own."""
    pins = re.findall(r"(?m)^([A-Za-z0-9_.-]+)==([^\s;\\]+)((?: ;[^\\\n]*)?)", lock)
    return "".join(
        f"{name}=={version}{marker}\n"
        for name, version, marker in pins
        if normal(name) not in installed
    )


def normal(name: str) -> str:
    """As packages are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
