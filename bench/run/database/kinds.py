"""Which io kind asks which database, and how a person gives one of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.plan import Cell

# The variable in which a person gives the address of theirs. An address may hold a password, so
# it is none of the command line, which others see, and in no record.
GIVEN = {"postgres": "MATRIX_POSTGRES", "redis": "MATRIX_REDIS"}
TOLD = {"postgres": "MATRIX_POSTGRES_DSN", "redis": "MATRIX_REDIS_URL"}  # to the application


def database_of(io: str) -> str | None:
    """``postgres`` of the io kinds ``postgres`` and ``postgres_asyncpg``; None of most."""
    name = io.partition("_")[0]
    return name if name in GIVEN else None


def databases_of(cells: Iterable[Cell]) -> list[str]:
    """Those that cells ask, each once."""
    return list(dict.fromkeys(name for cell in cells if (name := database_of(cell.io))))


def given(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The address of a person's own, if they gave one."""
    return environment.get(GIVEN[name]) or None
