"""What is wrong with an input, said one way: where, what was found, what is allowed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from bench.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST_LINES = 20  # a file that is wrong all over shouldn't scroll its cause away
_MOST_NAMES = 30
_MOST_COMPARED = 5_000  # comparing is slow: 5,000 names take about a tenth of a second


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong.

    `where` is `file:line: key path` or an option's name; `line` only orders the mistakes of
    a file (0: the file as a whole, or no file).
    """

    where: str
    found: str
    allowed: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}, allowed: {self.allowed}"


def refuse(mistakes: Iterable[Mistake]) -> NoReturn:
    """Raise one `BadInputError` with a line for each mistake, in the order of the file."""
    ordered = sorted(mistakes, key=lambda mistake: mistake.line)
    lines = [str(mistake) for mistake in ordered[:_MOST_LINES]]
    if len(ordered) > _MOST_LINES:
        lines.append(f"... and {len(ordered) - _MOST_LINES} more")
    raise BadInputError("\n".join(lines))


def nearest(name: str, names: Sequence[str], count: int = 1) -> list[str]:
    """The names a person may have meant, best first; may be empty."""
    by_folded = {known.casefold(): known for known in names[:_MOST_COMPARED]}
    close = difflib.get_close_matches(name[:80].casefold(), by_folded, count, cutoff=0.6)
    return [by_folded[folded] for folded in close]


def one_of(names: Sequence[str], found: object) -> str:
    """All names that are allowed, and the one that may have been meant."""
    guess = nearest(found, names) if isinstance(found, str) else []
    hint = f" (did you mean {guess[0]}?)" if guess else ""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(names[:_MOST_NAMES]) or "none, as none is known") + more + hint
