"""scipy.stats, only when it is asked something: it takes most of a second to import."""

from __future__ import annotations

import importlib
from typing import Any


def scipy_stats() -> Any:
    """The module."""
    return importlib.import_module("scipy.stats")
