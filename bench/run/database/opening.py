"""Starts what a run's cells ask, or says why they can't be measured."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bench.run.database import postgres, redis
from bench.run.database.database import Database, Unavailable
from bench.run.database.kinds import given

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.run.host.environments import Environment
    from bench.run.process.children import Keeper

Found = Database | str  # or the reason why there is none


@contextlib.contextmanager
def open_databases(
    needed: Mapping[str, Environment | None],
    keeper: Keeper,
    folder: Path,
    cpus: Sequence[int],
) -> Iterator[dict[str, Found]]:
    """Those needed, by name; all end at exit.

    ``needed`` has the environment of each that one holds.
    """
    with contextlib.ExitStack() as stack:
        yield {
            name: _opened(stack, name, environment, keeper, folder / f"{name}.log", cpus)
            for name, environment in needed.items()
        }


def _opened(
    stack: contextlib.ExitStack,
    name: str,
    environment: Environment | None,
    keeper: Keeper,
    log: Path,
    cpus: Sequence[int],
) -> Found:
    try:
        found = _open(name, environment, keeper, log, cpus)
    except Unavailable as reason:
        return str(reason)
    stack.callback(found.stop)
    return found


def _open(
    name: str,
    environment: Environment | None,
    keeper: Keeper,
    log: Path,
    cpus: Sequence[int],
) -> Database:
    address = given(name)
    if address is not None:
        return Database(name, address, "given by its address")
    if name == "redis":
        return redis.start(keeper, log, cpus)
    if environment is None or environment.python is None:
        why = "nox has not made it" if environment is None else str(environment.reason)
        raise Unavailable(
            f"no PostgreSQL: {why}. Try `nox -s database`, or give the address of yours:"
            " MATRIX_POSTGRES=postgresql://localhost"
        )
    return postgres.start(environment.python, keeper, log, cpus)
