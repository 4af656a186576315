"""gunicorn's worker with its event loop and HTTP parser pinned.

uvicorn-worker leaves both on "auto", which takes whatever is installed; a
comparison must not depend on that.
"""

from __future__ import annotations

from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker


class PinnedWorker(UvicornWorker):
    """uvloop and httptools, as the plain uvicorn server has them here."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {"loop": "uvloop", "http": "httptools"}


class OnAsyncio(UvicornWorker):
    """The same on asyncio's own loop."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {"loop": "asyncio", "http": "httptools"}
