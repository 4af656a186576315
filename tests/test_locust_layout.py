"""The generator's request records, from the writer's side to the reader's."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import pytest

from bench.digest.read import Unreadable, request_log
from locustfiles import layout

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = [
    (1_000, 2_500, layout.SUCCEEDED, 0),
    (2**62, 2**62 + 1, layout.UNFINISHED, 99_999),
    (3, 3, layout.FIRST_FAILURE, 1),
    (4, 9, layout.OUTCOME_MASK, 2**40),
]


def write(folder: Path, flush_every: int) -> None:
    """requests.bin, word by word as locustfiles/users.py does."""
    with (folder / "requests.bin").open("wb") as file:
        words = array("Q")
        for start_ns, end_ns, outcome, user in RECORDS:
            words.extend((start_ns, end_ns, outcome | user << layout.USER_SHIFT))
            if len(words) >= layout.RECORD_WORDS * flush_every:
                words.tofile(file)
                words = array("Q")
        words.tofile(file)


@pytest.mark.parametrize("flush_every", [1, 3, 100])
def test_what_the_generator_writes_is_what_the_digest_reads(
    tmp_path: Path, flush_every: int
) -> None:
    """Times, and the outcome whatever the user's number, however the writes are cut."""
    write(tmp_path, flush_every)
    log = request_log(tmp_path)
    read = zip(log.start_ns.tolist(), log.end_ns.tolist(), log.outcome.tolist(), strict=True)
    assert list(read) == [record[:3] for record in RECORDS]


def test_a_record_has_the_size_that_the_layout_says(tmp_path: Path) -> None:
    """Three words of eight bytes each, with nothing between them."""
    write(tmp_path, 100)
    size = (tmp_path / "requests.bin").stat().st_size
    assert size == len(RECORDS) * layout.RECORD_BYTES == len(RECORDS) * 24


def test_outcomes_and_failures_have_numbers_of_their_own() -> None:
    """No kind of failure is taken for a success or for an unfinished request."""
    assert len({layout.SUCCEEDED, layout.UNFINISHED, layout.FIRST_FAILURE}) == 3
    assert max(layout.SUCCEEDED, layout.UNFINISHED) < layout.FIRST_FAILURE
    assert layout.OUTCOME_MASK == (1 << layout.USER_SHIFT) - 1


def test_a_generator_without_a_request_leaves_an_empty_log(tmp_path: Path) -> None:
    """An empty file is no damage."""
    (tmp_path / "requests.bin").write_bytes(b"")
    assert request_log(tmp_path).start_ns.tolist() == []


@pytest.mark.parametrize("cut", [1, 8, 23])
def test_a_file_cut_within_a_record_is_refused(tmp_path: Path, cut: int) -> None:
    """Cut by any number of bytes; the message names the file."""
    write(tmp_path, 100)
    path = tmp_path / "requests.bin"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(Unreadable, match=r"^requests\.bin is cut off in the middle of a record$"):
        request_log(tmp_path)
