"""Where items are kept."""

from __future__ import annotations

import os
import sqlite3
import threading

PATH = os.environ.get("SHOP_DATABASE", "shop.db")
_LOCAL = threading.local()


def connection() -> sqlite3.Connection:
    """One for each thread."""
    found: sqlite3.Connection | None = getattr(_LOCAL, "connection", None)
    if found is None:
        found = _LOCAL.connection = sqlite3.connect(PATH, timeout=10)
        found.row_factory = sqlite3.Row
    return found
