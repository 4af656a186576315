"""The import graph of the harness: no circles, and nothing on the right that knows the left."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from bench.paths import ROOT

PURE = (
    "bench.stats",
    "bench.digest",
    "bench.analysis",
    "bench.report",
    "bench.export",
    "bench.config",
)
EFFECTS = ("bench.run", "bench.cli", "bench.publish", "bench.selfcheck")


def graph() -> dict[str, set[str]]:
    """Each module of ours, and those that it imports, also for its types alone."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in ("bench", "app", "locustfiles", "go_delay", "page")
        for path in (ROOT / folder).rglob("*.py")
    }
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        imported: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                inside = {f"{node.module}.{alias.name}" for alias in node.names}
                imported |= (inside & files.keys()) or {node.module}
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
        # A package's __init__ gathers its modules; they don't import it for that.
        found[name] = {one for one in imported & files.keys() if one != name}
    return found


def test_there_are_no_circles() -> None:
    """Not even between modules that import each other's types only."""
    modules = graph()
    assert len(modules) > 90
    try:
        TopologicalSorter(modules).prepare()
    except CycleError as circle:
        pytest.fail(f"these import each other: {' → '.join(circle.args[1])}")


def test_a_circle_would_be_seen() -> None:
    """The other side of the test above."""
    modules = graph()
    modules["bench.run.lab"] = modules["bench.run.lab"] | {"bench.run.trial"}
    with pytest.raises(CycleError):
        TopologicalSorter(modules).prepare()


def test_what_is_pure_knows_nothing_of_effects() -> None:
    """Digest, statistics, analysis and reports import nothing that starts, reads a clock or
    writes.
    """
    wrong = [
        f"{name} imports {one}"
        for name, imported in graph().items()
        if name in PURE or name.startswith(tuple(f"{one}." for one in PURE))
        for one in imported
        if one.startswith(EFFECTS)
    ]
    assert wrong == []
