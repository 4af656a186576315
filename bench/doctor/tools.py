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

from bench.config import load_config
from bench.doctor.check import Check, Fitness, own
from bench.errors import BadInputError
from bench.paths import ROOT, default_python
from bench.plan import expand
from bench.run.host import environments
from bench.text import shown
from go_delay import build

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.paths import Paths

ASK_S = 10.0
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


def looks(paths: Paths) -> list[Check]:
    """All tools."""
    return [*_pythons(paths), _environments(paths), _go(paths), chromium(find_chromium())]


def _pythons(paths: Paths) -> list[Check]:
    """The matrix's, or the reason why there are none to look for."""
    file = ROOT / "experiments.yaml"
    try:
        config = load_config(file, io_kinds=paths.io_kinds, servers=paths.servers)
        cells = expand(config, default_python())
    except BadInputError as problem:
        told = str(problem).splitlines()[0]
        return [Check("Python builds", "none is asked for", Fitness.POOR,
                      "without its file no matrix can run", shown(told, 200))]  # fmt: skip
    wanted = sorted(
        {str(cell.python) for cell in cells}, key=lambda one: one.split(".")[1].zfill(3)
    )
    return [pythons({name: find_python(name) for name in wanted})]


def find_python(name: str) -> Build | None:
    """The build that ``3.13`` means here: our own, else the first on PATH that answers."""
    places = [sys.executable] if name == default_python() else []
    on_path = (shutil.which(f"python{name}", path=one) for one in os.get_exec_path() if one)
    places += [found for found in on_path if found]
    answers = (_asked(place) for place in places)
    return next(
        (one for one in answers if one is not None and one.version.startswith(f"{name}.")), None
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
