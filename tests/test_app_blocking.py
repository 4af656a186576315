"""Who holds up the event loop: shown with a file that has nothing to read for a while."""

from __future__ import annotations

import asyncio
import importlib
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from app.main import create_app
from app.settings import Settings
from tests.support.asgi import ask

if TYPE_CHECKING:
    from pathlib import Path

LATE_S = 0.4
TICK_S = 0.005


class LateFile:
    """A FIFO: whoever reads it waits until a thread delivers, some time after the opening.

    ``ticks`` counts the loop's turns meanwhile.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.ticks = 0
        self._waiting = threading.Event()
        threading.Thread(target=self._deliver, daemon=True).start()

    def _deliver(self) -> None:
        with self.path.open("wb") as file:  # waits for a reader
            self._waiting.set()
            time.sleep(LATE_S)
            self._waiting.clear()
            file.write(b'{"late": true}')

    async def tick(self) -> None:
        """Count for as long as the loop lets it."""
        while True:
            await asyncio.sleep(TICK_S)
            if self._waiting.is_set():
                self.ticks += 1


def ticks_while_reading(path: str, file: LateFile, monkeypatch: pytest.MonkeyPatch) -> int:
    """The loop's turns while a route of the real application waits for its file."""
    monkeypatch.setattr(importlib.import_module("app.io.json"), "DOCUMENT", file.path)
    application = create_app(Settings("http://127.0.0.1:9", 0, None, probe=False))

    async def main() -> object:
        ticking = asyncio.ensure_future(file.tick())
        (answer,) = await ask(application, [path])
        ticking.cancel()
        return answer["body"]

    assert asyncio.run(main()) == {"late": True}
    return file.ticks


@pytest.mark.parametrize("path", ["/async/json", "/sync/json"])
def test_the_loop_goes_on_while_a_file_is_awaited(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dozens of turns, though nothing can be read: a thread of the pool waits."""
    assert ticks_while_reading(path, LateFile(tmp_path / "late"), monkeypatch) >= 10


def test_the_loop_stands_still_while_an_async_handler_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocking twin in ``async def``: not one turn, so the test above can tell."""
    assert ticks_while_reading("/async/json/sync", LateFile(tmp_path / "late"), monkeypatch) == 0
