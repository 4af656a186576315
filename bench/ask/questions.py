"""Which questions there are: a folder each under questions/, with a file like anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.config import load_config
from bench.config.mistakes import nearest
from bench.errors import BadInputError
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.config import Config
    from bench.paths import Paths

FOLDER, FILE = "questions", "question.yaml"


def names(root: Path) -> list[str]:
    """Of all, in alphabetical order."""
    return sorted(path.parent.name for path in (root / FOLDER).glob(f"*/{FILE}"))


def chosen(root: Path, asked: Sequence[str], *, every: bool) -> list[str]:
    """Those asked for.

    Raises:
        BadInputError: there is no such question.
    """
    there = names(root)
    for name in asked:
        if name not in there:
            close = ", ".join(nearest(name, there, 5) or there)
            raise BadInputError(f"ask: found {shown(name)}, allowed: a question, such as {close}")
    return there if every else list(dict.fromkeys(asked))


def load(where: Paths, name: str) -> Config:
    """A question's file, checked.

    Raises:
        BadInputError: it can't be used, or asks nothing.
    """
    path = where.root / FOLDER / name / FILE
    config = load_config(path, io_kinds=where.io_kinds, servers=where.servers)
    if config.question is None:
        raise BadInputError(f"{shown(str(path), 300)}: found no question, allowed: one")
    return config
