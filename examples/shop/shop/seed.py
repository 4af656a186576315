"""``python -m shop.seed``: a database with 1,000 items, in place of what was there."""

from __future__ import annotations

from pathlib import Path

from shop.database import PATH, connection

WORDS = ("lamp", "chair", "table", "shelf", "mirror")


def main() -> None:
    """Make it."""
    for suffix in ("", "-wal", "-shm"):
        Path(PATH + suffix).unlink(missing_ok=True)
    with connection() as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price INTEGER)")
        database.executemany(
            "INSERT INTO items (name, price) VALUES (?, ?)",
            [(f"{WORDS[n % len(WORDS)]} {n}", n) for n in range(1000)],
        )


if __name__ == "__main__":
    main()
