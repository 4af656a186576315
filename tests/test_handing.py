"""Files come from another machine whole, in whatever pieces and however often one is damaged."""

from __future__ import annotations

import random
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locustfiles import handing
from locustfiles.handing import DamagedError, Taker, pieces, send, unpacked

if TYPE_CHECKING:
    from pathlib import Path


class Line:
    """Carries pieces to a taker, some of them damaged, and its answers back, in their order."""

    def __init__(self, taker: Taker, damage: list[bool]) -> None:
        self.taker, self.damage = taker, damage
        self.answers: list[bool] = []
        self.most = 0

    def tell(self, piece: dict[str, Any]) -> None:
        """One piece."""
        if self.damage and self.damage.pop():
            data = bytearray(piece["data"])
            data[len(data) // 2] ^= 0xFF
            piece = {**piece, "data": bytes(data)}
        self.answers.append(self.taker.take(piece))
        self.most = max(self.most, len(self.answers))

    def answer(self) -> bool:
        """The next."""
        return self.answers.pop(0)


def written(folder: Path, part: int, records: bytes, summary: bytes) -> list[Path]:
    """The files of one process."""
    folder.mkdir()
    paths = [folder / name for name in handing.names(part)]
    for path, data in zip(paths, (records, summary), strict=True):
        path.write_bytes(data)
    return paths


@given(
    size=st.sampled_from([0, 1, handing.PIECE_BYTES - 1, handing.PIECE_BYTES, 1_500_000]),
    damage=st.lists(st.booleans(), max_size=8),
    seed=st.integers(0, 9),
)
def test_what_arrives_is_what_was_sent(
    tmp_path_factory: pytest.TempPathFactory, size: int, damage: list[bool], seed: int
) -> None:
    """Or it is said that it doesn't."""
    folder = tmp_path_factory.mktemp("handing")
    records = random.Random(seed).randbytes(size)  # noqa: S311 - no secret
    files = written(folder / "there", 3, records, b'{"started": 1}')
    (folder / "here").mkdir()
    line = Line(Taker(folder / "here", 3), damage)
    try:
        send(files, line.tell, line.answer)
    except DamagedError:
        assert not line.taker.whole
        return
    assert line.taker.whole
    assert line.taker.taken == size + 14
    for path in files:
        assert (folder / "here" / path.name).read_bytes() == path.read_bytes()
    assert line.most <= handing.UNDER_WAY


def test_a_line_that_damages_everything_is_given_up(tmp_path: Path) -> None:
    """After a few tries."""
    files = written(tmp_path / "there", 0, b"x" * 100, b"{}")
    line = Line(Taker(tmp_path, 0), [True] * 100)
    with pytest.raises(DamagedError, match=r"piece 0 of requests-0\.bin arrives damaged"):
        send(files, line.tell, line.answer)
    assert not line.taker.whole


@pytest.mark.parametrize(
    "changed",
    [
        {"file": "../../etc/passwd"},
        {"file": "requests-1.bin"},
        {"number": 1},
        {"crc": 1},
        {"size": 5},
        {"data": b"no"},
    ],
)
def test_what_is_not_due_is_not_taken(tmp_path: Path, changed: dict[str, Any]) -> None:
    """Nor is a file written that isn't this process's."""
    (path,) = written(tmp_path / "there", 0, b"abc", b"{}")[:1]
    (piece,) = pieces(path)
    taker = Taker(tmp_path / "there", 0)
    assert taker.take({**piece, **changed}) is False
    assert path.read_bytes() == b"abc"
    assert taker.take(piece) is True


def test_a_piece_that_grows_is_no_piece(tmp_path: Path) -> None:
    """A small one that unpacks to a gigabyte."""
    (path,) = written(tmp_path / "there", 0, b"\0" * handing.PIECE_BYTES, b"{}")[:1]
    (piece,) = pieces(path)
    assert unpacked(piece) == b"\0" * handing.PIECE_BYTES
    piece["data"] = zlib.compress(b"\0" * 2**26)
    with pytest.raises(DamagedError):
        unpacked(piece)
