"""What keeps a page from being made, in one line."""

from __future__ import annotations


class PageError(Exception):
    """Stops the page; ``str(problem)`` is told as it is."""

    exit_status = 2
