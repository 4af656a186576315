"""A process on another machine hands its files in: in pieces, each checked, by locust's messages.

The sender has few pieces under way at a time, so a thin line holds it up, and not its memory. Each
piece says which it is of how many, so none can be missing, and one that is damaged is sent again.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PIECE_BYTES = 2**18  # before they are compressed: seconds on a thin line
UNDER_WAY = 4
LEVEL = 1  # as for kept raw files: smaller ones take longer than the line does
TRIES = 3  # of one piece


class DamagedError(ValueError):
    """A piece is not what was sent, or not what is due."""


def names(part: int) -> tuple[str, str]:
    """The files of one process: its records, then what it says of itself."""
    return f"requests-{part}.bin", f"generator-{part}.json"


def pieces(path: Path) -> Iterator[dict[str, Any]]:
    """A file's, in order; an empty file is one empty piece.

    Raises:
        OSError: it can't be read.
    """
    size = path.stat().st_size
    of = max(1, -(-size // PIECE_BYTES))
    with path.open("rb") as file:
        for number in range(of):
            data = file.read(PIECE_BYTES)
            yield {
                "file": path.name,
                "number": number,
                "of": of,
                "size": len(data),
                "crc": zlib.crc32(data),
                "data": zlib.compress(data, LEVEL),
            }


def unpacked(piece: dict[str, Any]) -> bytes:
    """What a piece holds.

    Raises:
        DamagedError: it isn't what its checksum is of.
    """
    packer = zlib.decompressobj()
    try:
        data = packer.decompress(piece["data"], PIECE_BYTES + 1)
    except zlib.error as error:
        raise DamagedError(f"a piece can't be unpacked: {error}") from None
    if len(data) != piece["size"] or zlib.crc32(data) != piece["crc"]:
        raise DamagedError("a piece's checksum is another one")
    return data


def send(
    files: list[Path], tell: Callable[[dict[str, Any]], None], answer: Callable[[], bool]
) -> None:
    """All pieces of all files, a few at a time.

    Args:
        files: to send.
        tell: sends one piece.
        answer: waits for the next answer, in the order of the pieces: whether it was taken.

    Raises:
        OSError: a file can't be read.
        DamagedError: one was refused again and again.
    """
    waiting: list[tuple[dict[str, Any], int]] = []  # with how often it was sent

    def settle() -> None:
        piece, tries = waiting.pop(0)
        if answer():
            return
        if tries >= TRIES:
            raise DamagedError(f"piece {piece['number']} of {piece['file']} arrives damaged")
        # Those behind it were refused too, or will be: they come again in their order.
        tell(piece)
        waiting.append((piece, tries + 1))

    for path in files:
        for piece in pieces(path):
            tell(piece)
            waiting.append((piece, 1))
            while len(waiting) >= UNDER_WAY:
                settle()
    while waiting:
        settle()


@dataclass(slots=True)
class Taker:
    """The other end: writes the files of one process, piece by piece in their order."""

    folder: Path
    part: int
    file: int = 0  # which of its files is due,
    number: int = 0  # and which piece of it
    taken: int = 0  # bytes

    def take(self, piece: dict[str, Any]) -> bool:
        """Append one; False: it is to be sent again.

        Raises:
            OSError: there is no room for it.
        """
        due = names(self.part)
        if self.file >= len(due) or (piece["file"], piece["number"]) != (
            due[self.file],
            self.number,
        ):
            return False
        try:
            data = unpacked(piece)
        except DamagedError:
            return False
        with (self.folder / due[self.file]).open("wb" if self.number == 0 else "ab") as file:
            file.write(data)
        self.taken += len(data)
        self.number += 1
        if self.number >= piece["of"]:
            self.file, self.number = self.file + 1, 0
        return True

    @property
    def whole(self) -> bool:
        """Whether all files are there."""
        return self.file >= len(names(self.part))
