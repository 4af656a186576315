"""Where the users are, at a glance: a bar of ten letters in tables, a line in the terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bench.text import number

if TYPE_CHECKING:
    from bench.records.model import Places

WIDTH = 10
# In the order in which a request passes them; a letter each.
LETTERS = {
    "generator": "g",
    "way": "w",
    "thread_queue": "q",
    "before": "b",
    "upstream": "u",
    "handler": "h",
    "after": "a",
    "inside": "i",
}
NAMES = {
    "generator": "in the generator",
    "way": "on the way",
    "thread_queue": "waiting for a thread",
    "before": "before the handler",
    "upstream": "at the delay server",
    "handler": "in the handler",
    "after": "after it",
    "inside": "in the application",
}
LEGEND = (
    "Users: where they are on average, a letter for each tenth of them: "
    + ", ".join(f"`{letter}` {NAMES[name]}" for name, letter in LETTERS.items() if name != "inside")
    + "."
)


def bar(places: Places) -> str:
    """``qqquuuuuuh``: ten letters, shared out by largest remainder."""
    shares = _shares(places)
    exact = {name: WIDTH * share for name, share in shares.items()}
    letters = {name: int(part) for name, part in exact.items()}
    rest = sorted(exact, key=lambda name: letters[name] - exact[name])
    for name in rest[: WIDTH - sum(letters.values())]:
        letters[name] += 1
    return "".join(LETTERS[name] * letters.get(name, 0) for name in LETTERS)


def legend(bars: str) -> str:
    """The letters that these bars have, in the terminal: ``users: q waiting for a thread, …``."""
    told = [f"{letter} {NAMES[name]}" for name, letter in LETTERS.items() if letter in bars]
    return f"users, a letter for each tenth: {', '.join(told)}" if told else ""


def users_at(places: Places) -> str:
    """``39.6 at the delay server, 10 waiting for a thread``: the fullest first, empty ones not."""
    known = _known(places)
    total = sum(known.values())
    told = [
        f"{number(users)} {NAMES[name]}"
        for name, users in sorted(known.items(), key=lambda item: -item[1])
        if users >= total / 1000
    ]
    return ", ".join(told)


def _shares(places: Places) -> dict[str, float]:
    known = _known(places)
    total = sum(known.values())
    return {name: users / total for name, users in known.items()} if total > 0 else {}


def _known(places: Places) -> dict[str, float]:
    """An empty place may come out a little below nobody."""
    return {name: max(0.0, users) for name, users in asdict(places).items() if users is not None}
