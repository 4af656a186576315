"""What a matrix asks of this machine: the Pythons of its cells, its usual users."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.config import load_config
from bench.doctor.check import Check, Fitness
from bench.errors import BadInputError
from bench.paths import default_python
from bench.plan import expand
from bench.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from bench.config.target import Target
    from bench.paths import Paths


@dataclass(frozen=True, slots=True)
class Asked:
    """Of the whole matrix under its default profile."""

    pythons: tuple[str, ...]  # "3.12", the oldest first
    users: int
    target: Target | None = None  # one's own application,
    environments: tuple[tuple[str, str], ...] = ()  # and the servers and Pythons that it gets


def asked(paths: Paths, file: Path | None = None) -> Asked | Check:
    """Or the line that says why that isn't known; ``file`` is in place of experiments.yaml."""
    file = file or paths.root / "experiments.yaml"
    try:
        config = load_config(
            file, io_kinds=paths.io_kinds, servers=paths.servers, passed=tuple(os.environ)
        )
        cells = expand(config, default_python())
    except BadInputError as problem:
        told = shown(str(problem).splitlines()[0], 200)
        matters = "no matrix can run, and neither Pythons nor users are known"
        return Check(shown(file.name), told, Fitness.POOR, matters, "mend it")
    pythons = {str(cell.python) for cell in cells}
    return Asked(
        tuple(sorted(pythons, key=_age)),
        config.profiles[config.default_profile].users,
        config.target,
        tuple(dict.fromkeys((cell.server, str(cell.python)) for cell in cells)),
    )


def _age(python: str) -> tuple[list[int], bool]:
    """To put them in order: ``3.14t``, the build without a lock, after ``3.14``."""
    numbers = [int(part) for part in python.removesuffix("t").split(".")]
    return numbers, python.endswith("t")
