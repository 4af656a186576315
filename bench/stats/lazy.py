"""Parts of scipy, only when they are asked something: they take most of a second to import."""

from __future__ import annotations

import importlib
from typing import Any


def scipy_stats() -> Any:
    """The module of distributions and tests."""
    return importlib.import_module("scipy.stats")


def scipy_special() -> Any:
    """The module of special functions, a third of the other's time."""
    return importlib.import_module("scipy.special")


def scipy_optimize() -> Any:
    """The module of fits."""
    return importlib.import_module("scipy.optimize")
