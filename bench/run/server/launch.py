"""Starts the application under test on a server: one process group, on a given port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.run.own import environ
from bench.run.process import children
from bench.run.server.bringup import HOST
from bench.run.server.commands import OURS, SERVERS, THEIRS

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan import Cell
    from bench.run.lab import Lab
    from bench.run.process.children import Child


def launch(cell: Cell, lab: Lab, folder: Path, port: int, *, delay_s: float) -> Child:
    """Start the cell's server; its workers leave their files in ``folder``.

    Raises:
        OSError: the program can't be started.
    """
    python = lab.server_pythons[cell.server, str(cell.python)]
    ours = lab.app or lab.root
    foreign = str((ours if lab.own is None else lab.root) / "app" / "foreign")
    recorded = {"MATRIX_TRIAL_DIR": str(folder), "MATRIX_PROBE": "1" if lab.probe else "0"}
    if lab.traced:
        recorded["MATRIX_TRACED"] = "1"
    if lab.hash_seed is not None:
        recorded["PYTHONHASHSEED"] = str(lab.hash_seed)
    if lab.own is None:
        environment = children.child_environment(
            MATRIX_UPSTREAM=lab.delay.url,
            MATRIX_DELAY_MS=str(round(delay_s * 1000)),
            PYTHONPATH=foreign,
            **recorded,
            **({} if lab.threads is None else {"MATRIX_THREADS": str(lab.threads)}),
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
        SERVERS[cell.server].command(
            OURS if lab.own is None else THEIRS, python, HOST, port, cell.workers
        ),
        keeper=lab.keeper,
        cwd=ours if lab.own is None else lab.own.target.path,
        env=environment,
        log=folder / "server.log",
        cpus=lab.placement.server,
    )
