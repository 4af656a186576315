"""Which packages differ between two Pythons' environments: then it isn't Python alone that does.

A lock file may name other versions of a package for another Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Environments = Mapping[str, Mapping[str, Any]]  # as a run's record has them


def apart(
    environments: Environments, servers: Iterable[str], level: str, base: str
) -> tuple[str, ...]:
    """``fastapi 0.165.0 and 0.162.5``: of the first Python and of the second, by name."""
    found: dict[str, None] = {}
    for server in servers:
        first, second = (
            _packages(environments, f"server-{server}-{python}") for python in (level, base)
        )
        if not first or not second:
            continue
        for name in sorted(first.keys() | second.keys()):
            if first.get(name) != second.get(name):
                found[_told(name, first.get(name), second.get(name), level, base)] = None
    return tuple(found)


def _told(name: str, first: str | None, second: str | None, level: str, base: str) -> str:
    if first is None or second is None:
        return f"{name} with {base if first is None else level} alone"
    return f"{name} {first} and {second}"


def _packages(environments: Environments, name: str) -> dict[str, str]:
    packages = environments.get(name, {}).get("packages")
    return dict(packages) if isinstance(packages, Mapping) else {}
