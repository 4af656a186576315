"""The formats by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import BadInputError
from bench.export import benchfmt, benchmark_action, csv, openmetrics, parquet

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.export.figures import Content

TEXTS: dict[str, Callable[[Content], str]] = {
    "csv": csv.text,
    "benchmark-action": benchmark_action.text,
    "benchfmt": benchfmt.text,
    "openmetrics": openmetrics.text,
}
BINARY = "parquet"
FORMATS = ("csv", BINARY, "benchmark-action", "benchfmt", "openmetrics")


def exported(content: Content, name: str, metric: str | None) -> bytes:
    """A run's content in one of the formats.

    Raises:
        BadInputError: the format has no metrics to choose from, or the run nothing for it.
        RequirementError: what makes the format isn't installed.
    """
    if metric is not None:
        if name != "benchmark-action":
            raise BadInputError(f"--metric: only benchmark-action has one, {name} has all of them")
        return benchmark_action.text(content, metric).encode()
    return parquet.data(content) if name == BINARY else TEXTS[name](content).encode()
