"""Finds the application in a project's sources, without running any of them."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.own_install import SKIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

# What makes an ASGI application, by the last part of its name.
MAKERS = ("FastAPI", "Starlette", "Litestar", "Quart", "Sanic", "BlackSheep", "Application")
CERTAIN = ("FastAPI", "Starlette", "Litestar", "Quart", "get_asgi_application")
FIRST = ("main", "app", "asgi", "server", "api", "application", "__init__")  # names of files
NOT_THEIRS = {*SKIPPED, "tests", "test", "docs", "build", "dist", "site-packages", "migrations"}
MOST_FILES = 5_000
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that may be the application; the first of several is the likeliest."""

    app: str  # module:name
    file: Path  # below the project
    maker: str
    root: Path  # what must be on the path: the project or its src/
    factory: bool = False


def applications(project: Path) -> list[Found]:
    """All that a project seems to have, the likeliest first."""
    found = [one for path in _sources(project) for one in _in_file(project, path)]
    return sorted(found, key=_rank)


def _rank(one: Found) -> tuple[bool, bool, int, int, str]:
    stem = one.file.stem
    return (
        one.factory,
        one.maker not in CERTAIN,
        len(one.file.parts),
        FIRST.index(stem) if stem in FIRST else len(FIRST),
        str(one.file),
    )


def _sources(project: Path) -> Iterator[Path]:
    count = 0
    for where, folders, names in os.walk(project):
        folders[:] = sorted(
            name for name in folders if name not in NOT_THEIRS and not name.startswith(".")
        )
        for name in sorted(names):
            path = Path(where, name)
            if name.endswith(".py") and count < MOST_FILES and path.stat().st_size < MOST_BYTES:
                count += 1
                yield path


def _in_file(project: Path, path: Path) -> Iterator[Found]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    module = _module(project, path)
    if module is None:
        return
    name, root = module
    for statement in tree.body:
        for target, value in _assigned(statement):
            if (maker := _maker(value)) is not None:
                yield Found(f"{name}:{target}", path.relative_to(project), maker, root)
        if isinstance(statement, ast.FunctionDef) and _no_arguments(statement):
            makers = [_maker(node) for node in ast.walk(statement) if isinstance(node, ast.Call)]
            known = [maker for maker in makers if maker in CERTAIN]
            if known and any(isinstance(node, ast.Return) for node in ast.walk(statement)):
                app = f"{name}:{statement.name}"
                yield Found(app, path.relative_to(project), known[0], root, factory=True)


def _module(project: Path, path: Path) -> tuple[str, Path] | None:
    """How a file is imported, and from where: the project, or its src/."""
    root = project / "src" if (project / "src") in path.parents else project
    parts = [*path.relative_to(root).with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    return (".".join(parts), root) if parts and all(p.isidentifier() for p in parts) else None


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value
    elif (
        isinstance(statement, ast.AnnAssign)
        and statement.value is not None
        and isinstance(statement.target, ast.Name)
    ):
        yield statement.target.id, statement.value


def _maker(value: ast.AST) -> str | None:
    """The class or function that an expression calls, if it makes an application."""
    if not isinstance(value, ast.Call):
        return None
    called = value.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
    return name if name in MAKERS or name in CERTAIN else None


def _no_arguments(function: ast.FunctionDef) -> bool:
    """It can be called as it is."""
    arguments = function.args
    needed = len(arguments.args) + len(arguments.posonlyargs) - len(arguments.defaults)
    return needed == 0 and all(default is not None for default in arguments.kw_defaults)
