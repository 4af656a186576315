"""What runs and tests are made with: Pythons, environments, Go, a browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.doctor.check import Check, Fitness, own
from bench.paths import default_python
from bench.run.database.kinds import given
from bench.run.database.redis import PROGRAMS
from bench.run.host import environments
from bench.run.host.machine import read
from bench.text import shown
from go_delay import build

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.doctor.asked import Asked
    from bench.paths import Paths

ASK_S = 10.0
SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
OF_ONES_OWN, FORBIDDEN = 1, 3  # of Yama's ptrace_scope
_ASK = (
    "import json, platform, sysconfig;"
    "print(json.dumps([platform.python_version(), platform.python_implementation(),"
    " bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Where Playwright keeps its own, on Linux and macOS (playwright.dev/python/docs/browsers).
CACHES = (".cache/ms-playwright", "Library/Caches/ms-playwright")


@dataclass(frozen=True, slots=True)
class Build:
    """A Python that answers."""

    version: str
    implementation: str
    free_threaded: bool


def looks(paths: Paths, wanted: Sequence[str]) -> list[Check]:
    """All tools; ``wanted`` are the matrix's Pythons."""
    return [
        pythons({name: find_python(name) for name in wanted}),
        _environments(paths),
        _go(paths),
        chromium(find_chromium()),
        redis(next((found for name in PROGRAMS if (found := shutil.which(name))), None)),
        profiler(read(SCOPE), root=os.geteuid() == 0),
    ]


def find_python(name: str) -> Build | None:
    """The build that ``3.13`` means here: our own, else the first on PATH that answers."""
    places = [sys.executable] if name == default_python() else []
    on_path = (shutil.which(f"python{name}", path=one) for one in os.get_exec_path() if one)
    places += [found for found in on_path if found]
    begins = f"{name.removesuffix('t')}."
    answers = (_asked(place) for place in places)
    return next(
        (one for one in answers if one is not None and one.version.startswith(begins)), None
    )


def _asked(python: str) -> Build | None:
    """What it says of itself; None if it doesn't answer, as a shim of a version manager may."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired, ValueError):
        done = subprocess.run(
            [python, "-I", "-c", _ASK], capture_output=True, timeout=ASK_S, check=False
        )
        if done.returncode == 0:
            version, implementation, free_threaded = json.loads(done.stdout)
            return Build(str(version), str(implementation), bool(free_threaded))
    return None


def pythons(found: Mapping[str, Build | None]) -> Check:
    """Those that the matrix names, by version as it names them."""
    told = [
        f"{name}: {_named(one)}" if one is not None else f"{name}: not found"
        for name, one in found.items()
    ]
    missing = [name for name, one in found.items() if one is None]
    if not missing:
        return Check("Python builds", "; ".join(told), Fitness.GOOD)
    return Check(
        "Python builds",
        "; ".join(told),
        Fitness.POOR,
        "cells of a Python that isn't there are skipped rows",
        "install it, or take it out of experiments.yaml",
        tuple(own(f"uv python install {name}") for name in missing),
    )


def _named(one: Build) -> str:
    kind = ", free-threaded" if one.free_threaded else ""
    return f"{shown(one.implementation)} {shown(one.version)}{kind}"


def _environments(paths: Paths) -> Check:
    notes = sorted(path.stem for path in paths.notes.glob("server-*.json"))
    usable = []
    for note in notes:
        role, _, python = note.rpartition("-")
        if environments.find(paths.notes, paths.root, role, python).python is not None:
            usable.append(note)
    if usable and environments.find(paths.notes, paths.root, "load").python is not None:
        return Check("environments", ", ".join(usable), Fitness.GOOD)
    # Not missing: nox makes them before anything is measured.
    return Check("environments", "not made yet", Fitness.GOOD, advice="`nox -s matrix` makes them")


def own_environments(paths: Paths, asked: Asked) -> list[Check]:
    """Of one's own application: whether what it needs could be installed."""
    if asked.target is None:
        return []
    title = shown(f"environments of {asked.target.path.name}")
    found = {
        f"{server}-{python}": environments.find_own(paths.notes, asked.target.path, server, python)
        for server, python in asked.environments
    }
    failed = {name: one for name, one in found.items() if one.python is None and not one.skipped}
    if failed:
        name, one = next(iter(failed.items()))
        matters = "its cells are failed rows"
        return [Check(title, shown(f"{name}: {one.reason}", 300), Fitness.POOR, matters)]
    made = [name for name, one in found.items() if one.python is not None]
    if made:
        return [Check(title, ", ".join(made), Fitness.GOOD)]
    advice = "`nox -s matrix` with the same file makes them"
    return [Check(title, "not made yet", Fitness.GOOD, advice=advice)]


def profiler(scope: str | None, *, root: bool) -> Check:
    """Whether `nox -s profile` may look into a server's process, by Yama's ptrace_scope."""
    if scope is None or not scope.strip().isdigit():
        return Check("profiling", "the system sets no limit that can be seen", Fitness.GOOD)
    number = int(scope)
    if number <= OF_ONES_OWN or (root and number < FORBIDDEN):
        return Check("profiling", f"allowed (ptrace_scope {number})", Fitness.GOOD)
    return Check(
        "profiling",
        f"forbidden (ptrace_scope {number})",
        Fitness.GOOD,  # nothing that is measured needs it
        advice="`nox -s profile` needs it at 1 at most",
        commands=(own("sudo sysctl kernel.yama.ptrace_scope=1"),),
    )


def _go(paths: Paths) -> Check:
    with contextlib.suppress(build.BuildError):
        version = environments.go_version(build.find_go(paths.go))
        return Check("Go toolchain", shown(str(version)), Fitness.GOOD)
    return Check("Go toolchain", "none yet", Fitness.GOOD, advice="`nox -s matrix` installs one")


def find_chromium() -> str | None:
    """One of Playwright's own, or one on PATH."""
    told = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    folders = [Path(told)] if told else [Path.home() / cache for cache in CACHES]
    kept = newest([path.name for folder in folders for path in folder.glob("chromium*-*")])
    if kept is not None:
        return f"Playwright's {kept}"
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def newest(names: Sequence[str]) -> str | None:
    """Of ``chromium-1187``, ``chromium_headless_shell-1194`` the one with the highest number."""
    numbered = [name for name in names if re.fullmatch(r"[a-z_]+-\d+", name)]
    return max(numbered, key=lambda name: int(name.rpartition("-")[2]), default=None)


def chromium(found: str | None) -> Check:
    """What the tests of the page need, and no measurement does."""
    if found is not None:
        return Check("Chromium", shown(found), Fitness.GOOD)
    return Check(
        "Chromium",
        "not found",
        Fitness.GOOD,
        advice="only the tests of the report page need it",
        commands=(own("playwright install chromium"),),
    )


def redis(found: str | None) -> Check:
    """What one io kind asks, and no other measurement."""
    if found is not None or given("redis") is not None:
        return Check("Redis", shown(found or "yours, by MATRIX_REDIS"), Fitness.GOOD)
    return Check(
        "Redis",
        "not found",
        Fitness.GOOD,
        advice="only the io kind redis needs it: install redis-server, or set MATRIX_REDIS",
    )
