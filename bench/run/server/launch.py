"""Starts the application under test on a server: one process group, on a given port."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.run.failure import TrialFailed
from bench.run.host.cpus import affinity
from bench.run.own import environ
from bench.run.process import children
from bench.run.server.commands import OURS, SERVERS, THEIRS, UVLOOP, Asked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.plan import Cell
    from bench.run.lab import Lab
    from bench.run.process.children import Child


def launch(cell: Cell, lab: Lab, folder: Path, port: int, *, delay_s: float) -> Child:
    """Start the cell's server; its workers leave their files in ``folder``.

    Raises:
        TrialFailed: the server can't be told which loop to run on, or to use so many cores.
        OSError: the program can't be started.
    """
    server, settings = SERVERS[cell.server], dict(cell.settings)
    loop = settings.get("loop", UVLOOP)
    if loop not in server.loops:
        raise TrialFailed(f"{cell.server} can't be told to run on {loop}")
    app = OURS if lab.own is None else THEIRS
    python = lab.server_pythons[cell.server, str(cell.python)]
    ours = lab.app or lab.root
    foreign = str((ours if lab.own is None else lab.root) / "app" / "foreign")
    recorded = {"MATRIX_TRIAL_DIR": str(folder), "MATRIX_PROBE": "1" if lab.probe else "0"}
    if lab.traced:
        recorded["MATRIX_TRACED"] = "1"
    threads = settings.get("threads", lab.threads)
    if threads is not None:
        recorded["MATRIX_THREADS"] = str(threads)
    if lab.hash_seed is not None:
        recorded["PYTHONHASHSEED"] = str(lab.hash_seed)
    if (database := lab.database(cell)) is not None and lab.own is None:
        recorded |= database.variables
    if lab.own is None:
        environment = children.child_environment(
            MATRIX_UPSTREAM=lab.delay.url,
            MATRIX_DELAY_MS=str(round(delay_s * 1000)),
            MATRIX_IO=cell.io,
            PYTHONPATH=foreign,
            **recorded,
        )
    else:
        environment = environ.environment(
            lab.own,
            python,
            MATRIX_APP=lab.own.target.app,
            MATRIX_FACTORY="1" if lab.own.target.factory else "0",
            **recorded,
        )
        # Last: theirs come first, whatever they are called.
        environment["PYTHONPATH"] += f":{foreign}"
    return children.start(
        cell.server,
        server.command(Asked(app, python, lab.address, port, cell.workers, loop)),
        keeper=lab.keeper,
        cwd=ours if lab.own is None else lab.own.target.path,
        env=environment,
        log=folder / "server.log",
        cpus=_cpus(lab, settings.get("cores")),
    )


def _cpus(lab: Lab, cores: str | None) -> Sequence[int]:
    """The CPUs that the server may use: the first of those that are there, if a cell says how many.

    Raises:
        TrialFailed: there are too few, or this system keeps no process on a core.
    """
    if cores is None:
        return lab.placement.server
    found = lab.placement.server or affinity(os.getpid())
    if found is None:
        raise TrialFailed("this system can't keep a process on a core")
    if len(found) < int(cores):
        raise TrialFailed(f"{cores} cores are asked for, and the server may use {len(found)}")
    return found[: int(cores)]
