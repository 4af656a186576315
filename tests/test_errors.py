"""What a person is told when the system refuses something."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from bench.errors import named, refused


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room on that disk"),
        (errno.EFBIG, "raise the limit on file sizes"),
        (errno.EACCES, "make it yours to write, or choose another `--output`"),
        (errno.EIO, "see to that"),
    ],
)
def test_a_refusal_tells_file_cause_and_remedy(number: int, remedy: str) -> None:
    """And that nothing is lost."""
    told = refused(OSError(number, "its words", "a/file"))
    assert told.startswith("The system refused: a/file: its words.\n")
    assert "What was measured until now is kept" in told
    assert f": {remedy}" in told


def test_a_full_disk_is_named_where_the_system_names_no_file() -> None:
    """By its folder; a file that is named stays, and other errors are left alone."""
    with pytest.raises(OSError, match="full") as caught, named(Path("a/run")):
        raise OSError(errno.ENOSPC, "full")
    assert caught.value.filename == "a/run"
    for error in (OSError(errno.ENOSPC, "full", "a/file"), OSError(errno.EIO, "broken")):
        with pytest.raises(OSError, match=r"full|broken") as caught, named(Path("a/run")):
            raise error
        assert caught.value is error
