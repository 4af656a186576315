"""What ends a trial early."""

from __future__ import annotations


class TrialFailed(Exception):  # noqa: N818 - a row, not an error
    """The trial can't be measured; the text is the row's reason."""
